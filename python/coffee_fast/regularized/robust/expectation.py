"""The least expectation over distributions near a nominal one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from coffee_fast import _core
from coffee_fast.checks import check_choice, check_number
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.stage_games.arguments import check_per_player
from coffee_fast.stage_games.kernels import by_rows
from coffee_fast.typing import Float64

Distance = Literal["contamination", "total_variation", "kl", "chi_squared"]
PerPlayer = float | Sequence[float] | None
DEFAULT_RADIUS = 0.1
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
    kernel, strength = _chosen("robust_expectation", distance, radius, weight)
    most = 1.0 if distance == "contamination" else math.inf
    strength = check_number(f"robust_expectation: {_form(radius)}", strength, is_open=radius is None, at_most=most)
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
    return by_rows(kernel, v, p, strength)


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """How far from the nominal distribution each player fears the next state to be: radii or weights ``[N]``."""

    distance: Distance
    radius: Float64 | None
    weight: Float64 | None
    kernel: Callable[..., Float64]

    @classmethod
    def of(cls, caller: str, distance: Distance, radius: PerPlayer, weight: PerPlayer, num_players: int) -> Uncertainty:
        """Check arguments; without either the radius is 0.1."""
        if radius is None and weight is None:
            radius = DEFAULT_RADIUS
        kernel, given = _chosen(caller, distance, radius, weight)
        name = f"{caller}: {_form(radius)}"
        strength = check_per_player(name, given, num_players, is_open=radius is None)
        most = 1.0 if distance == "contamination" else np.inf
        if (wrong := (strength < 0.0) | (strength > most)).any():
            bounds = "at least 0" if most == np.inf else "between 0 and 1"
            raise InvalidArgumentError(f"{name} must be {bounds}, got {strength[wrong][0]:g}")
        return cls(distance, None if radius is None else strength, strength if radius is None else None, kernel)

    @classmethod
    def none(cls, num_players: int) -> Uncertainty:
        """Return that of players who take the model to be right."""
        return cls("contamination", np.zeros(num_players), None, _BALLS["contamination"])

    def of_player(self, player: int) -> Uncertainty:
        """Return that of one player, as of a game of one."""
        radius, weight = (x if x is None else x[player : player + 1] for x in (self.radius, self.weight))
        return Uncertainty(self.distance, radius, weight, self.kernel)

    def worst(self, player: int, values: Float64, nominal: Float64) -> Float64:
        """Return what values ``[S]`` or ``[..., S]`` are worth to a player about ``nominal [..., S]``: ``[...]``."""
        strength = self.radius if self.radius is not None else self.weight
        assert strength is not None
        return by_rows(self.kernel, values, nominal, float(strength[player]))


def _chosen(
    caller: str, distance: Distance, radius: PerPlayer, weight: PerPlayer
) -> tuple[Callable[..., Float64], Any]:
    """Return the kernel of the distance in the form asked for, and what was given for its strength."""
    if (radius is None) == (weight is None):
        raise InvalidArgumentError(f"{caller}: exactly one of radius and weight must be given")
    kernels = _PRICES if radius is None else _BALLS
    check_choice(f"{caller}: distance (with a {_form(radius)})", distance, kernels)
    return kernels[distance], weight if radius is None else radius


def _form(radius: PerPlayer) -> str:
    return "weight" if radius is None else "radius"
