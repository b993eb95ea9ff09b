"""Twin of ``_core.Mlp``: affine layers with a ReLU between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def forward(
    layers: Sequence[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]], inputs: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return the network's outputs, one row for each row of inputs.

    ``h_0 = inputs``, ``h_{l+1} = max(0, h_l W_l^T + b_l)``, and the last layer without the maximum. Sums are taken in
    double precision and each layer's values rounded to float32, so that this is the more exact of the two.

    Parameters
    ----------
    layers
        Pairs of weights, f32 [outputs, inputs], and bias, f32 [outputs], as ``torch.nn.Linear`` stores them.
    inputs
        f32 [B, inputs of the first layer].

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
    """
    values = inputs
    for index, (weights, bias) in enumerate(layers):
        sums = values.astype(np.float64) @ weights.T.astype(np.float64) + bias
        if index + 1 < len(layers):
            sums = np.maximum(sums, 0.0)
        values = sums.astype(np.float32)
    return values
