"""Twin of ``_core.Mlp``: affine layers with a ReLU between them, or product layers and a linear read-out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt


def forward(
    layers: Sequence[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]],
    inputs: npt.NDArray[np.float32],
    activation: Literal["relu", "product"] = "relu",
) -> npt.NDArray[np.float32]:
    """Return the network's outputs, one row for each row of inputs.

    ReLU: ``h_0 = inputs``, ``h_{l+1} = max(0, h_l W_l^T + b_l)``, and the last layer without the maximum.

    Product: the rows of ``W_l`` are those of ``U_l`` and then as many of ``G_l``, ``b_l`` likewise, and
    ``h_{l+1} = [(h_l U_l^T + u_l) * (h_l G_l^T + g_l), h_l]``: new values stand in front of all former ones. The last
    layer is linear.

    Sums are taken in double precision and each layer's values rounded to float32, so that this is the more exact of
    the two.

    Parameters
    ----------
    layers
        Pairs of weights, f32 [outputs, inputs], and bias, f32 [outputs], as ``torch.nn.Linear`` stores them.
    inputs
        f32 [B, inputs of the first layer].
    activation
        What stands between the layers.

    Returns
    -------
    f32 [B, outputs of the last layer]

    Examples
    --------
    >>> hidden = np.array([[1, -1], [-1, 1]], np.float32), np.zeros(2, np.float32)
    >>> last = np.array([[1, 1]], np.float32), np.array([0.5], np.float32)
    >>> forward([hidden, last], np.array([[3, 1], [1, 4]], np.float32))  # |x - y| + 0.5
    array([[2.5],
           [3.5]], dtype=float32)
    >>> factors = np.array([[1, 0], [0, 1]], np.float32), np.zeros(2, np.float32)
    >>> last = np.array([[1, 10, 100]], np.float32), np.zeros(1, np.float32)
    >>> forward([factors, last], np.array([[3, 4]], np.float32), "product")  # xy + 10 x + 100 y
    array([[442.]], dtype=float32)
    """
    values = inputs
    for index, (weights, bias) in enumerate(layers):
        sums = values.astype(np.float64) @ weights.T.astype(np.float64) + bias
        if index + 1 == len(layers):
            values = sums.astype(np.float32)
        elif activation == "relu":
            values = np.maximum(sums, 0.0).astype(np.float32)
        else:
            first, second = np.split(sums, 2, axis=1)
            values = np.concatenate([(first * second).astype(np.float32), values], axis=1)
    return values
