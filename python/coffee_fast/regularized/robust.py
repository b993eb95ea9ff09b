"""The least expectation over distributions near a nominal one."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast import _core
from coffee_fast.checks import check_choice, check_number
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.stage_games.kernels import by_rows
from coffee_fast.typing import Float64

Distance = Literal["contamination", "total_variation", "kl", "chi_squared"]
_BALLS = {
    "contamination": _core.contamination,
    "total_variation": _core.total_variation_ball,
    "kl": _core.kl_ball,
}
_PRICES = {
    "total_variation": _core.total_variation_penalized,
    "kl": _core.kl_penalized,
    "chi_squared": _core.chi_squared_penalized,
}


def robust_expectation(
    values: ArrayLike,
    nominal: ArrayLike,
    distance: Distance = "kl",
    *,
    radius: float | None = None,
    weight: float | None = None,
) -> Float64:
    r"""Return what values are worth if the model is a little wrong.

    With ``radius`` the least :math:`E_p V` over distributions within that distance of the nominal one, with ``weight``
    the least :math:`E_p V + weight \cdot distance(p, nominal)` over all of them.

    Parameters
    ----------
    values, nominal
        float64 ``[..., S]``, or one of them ``[S]``: values of states, and their nominal probabilities.
    distance
        ``"total_variation"`` (half the sum of absolute differences), ``"kl"``, ``"contamination"`` (anything may come
        with probability ``radius``; ``radius`` only), or ``"chi_squared"``
        (:math:`E (p / nominal - 1)^2`; ``weight`` only).
    radius, weight
        One of the two: at least 0, and above 0.

    Returns
    -------
    ndarray
        float64 ``[...]``.

    Raises
    ------
    InvalidArgumentError
        If not exactly one of ``radius`` and ``weight`` is given, or the distance has no such form; if values are not
        finite, or probabilities negative or not of sum 1.

    Notes
    -----
    Cost: ``S`` a row for prices (``S^2`` for chi squared and the ball of total variation), ``180 S`` for the KL ball.

    >>> values, nominal = [0.2, 1.0, -0.5, 0.7], [0.4, 0.3, 0.1, 0.2]
    >>> float(robust_expectation(values, nominal, "total_variation", radius=0.25).round(4))
    0.095
    >>> float(robust_expectation(values, nominal, "kl", weight=0.3).round(7))
    0.0803982
    """
    if (radius is None) == (weight is None):
        raise InvalidArgumentError("robust_expectation: exactly one of radius and weight must be given")
    kernels = _PRICES if radius is None else _BALLS
    form = "weight" if radius is None else "radius"
    check_choice(f"robust_expectation: distance (with a {form})", distance, kernels)
    strength = radius if radius is not None else weight
    assert strength is not None
    check_number(f"robust_expectation: {form}", strength, is_open=radius is None)
    try:
        v, p = np.broadcast_arrays(np.asarray(values, dtype=np.float64), np.asarray(nominal, dtype=np.float64))
    except (TypeError, ValueError, OverflowError):
        raise InvalidArgumentError(
            "robust_expectation: values and nominal must be arrays [..., S] that go together, "
            f"got {shown(values)} and {shown(nominal)}"
        ) from None
    if v.ndim == 0 or v.shape[-1] == 0:
        raise InvalidArgumentError("robust_expectation: values must have a last axis of one state or more")
    if not np.isfinite(v).all():
        raise InvalidArgumentError("robust_expectation: values must be finite")
    if not ((p >= 0).all() and np.allclose(p.sum(axis=-1), 1.0, rtol=0, atol=1e-9)):
        raise InvalidArgumentError("robust_expectation: nominal must hold probabilities, each row of sum 1")
    return by_rows(kernels[distance], v, p, float(strength))
