"""What fitted iteration over networks is told, and which transitions its values fear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coffee_fast.checks import check_choice, check_count, check_number
from coffee_fast.errors import InvalidArgumentError, NumericalError, shown
from coffee_fast.regularized.robust.expectation import Distance
from coffee_fast.seeding import check_seed
from coffee_fast.typing import Float64

_MOST_STEPS, _WIDEST, _DEEPEST = 10**8, 2**14, 16


@dataclass(frozen=True)
class Fitting:
    """Networks and their training; the arguments of the solvers of these names."""

    hidden_sizes: tuple[int, ...]
    num_iterations: int
    num_steps: int
    batch_size: int
    learning_rate: float
    discount: float
    tolerance: float
    seed: int

    @classmethod
    def of(cls, caller: str, hidden_sizes: Any, **given: Any) -> Fitting:
        """Check arguments."""
        if not isinstance(hidden_sizes, tuple | list) or len(hidden_sizes) > _DEEPEST:
            raise InvalidArgumentError(
                f"{caller}: hidden_sizes must be a list of at most {_DEEPEST} integers >= 1, got {shown(hidden_sizes)}"
            )
        sizes = tuple(
            check_count(f"{caller}: hidden_sizes", size, at_least=1, at_most=_WIDEST) for size in hidden_sizes
        )
        counts = {
            name: check_count(f"{caller}: {name}", given[name], at_least=1, at_most=_MOST_STEPS)
            for name in ("num_iterations", "num_steps", "batch_size")
        }
        return cls(
            sizes,
            **counts,
            learning_rate=check_number(f"{caller}: learning_rate", given["learning_rate"], is_open=True, at_most=1.0),
            discount=check_number(f"{caller}: discount", given["discount"], at_most=1.0),
            tolerance=check_number(f"{caller}: tolerance", given["tolerance"], is_open=True),
            seed=check_seed(given["seed"]),
        )


@dataclass(frozen=True)
class Fear:
    """How transitions may differ from those of the log: at a price or within a radius, in units of payoff.

    ``has_fail_state``: whether the worst that can come is never better than the end of the episode.
    """

    distance: Distance
    radius: float | None
    weight: float | None
    has_fail_state: bool

    @classmethod
    def of(cls, caller: str, distance: Any, radius: Any, weight: Any, has_fail_state: bool) -> Fear:
        """Check arguments."""
        if radius is None:
            check_choice(f"{caller}: distance", distance, ("total_variation", "kl", "chi_squared"))
            weight = check_number(f"{caller}: weight", weight, is_open=True)
            return cls(distance, None, weight, has_fail_state)
        check_choice(f"{caller}: distance (with a radius)", distance, ("contamination", "total_variation"))
        return cls(distance, check_number(f"{caller}: radius", radius, at_most=1.0), None, has_fail_state)

    @property
    def has_dual(self) -> bool:
        """Whether what follows is judged by a function of state and action that must be learned."""
        return self.distance in ("kl", "chi_squared") or (
            self.distance == "total_variation" and self.radius is not None
        )


def unit_of(caller: str, returns: Float64) -> float:
    """Return the unit in which networks learn values: the deviation of returns, or their size where all are alike."""
    with np.errstate(over="ignore", invalid="ignore"):
        unit = float(returns.std()) or float(np.abs(returns).max()) or 1.0
    if not 1e-30 < unit < 1e30:
        raise NumericalError(f"{caller}: returns must be of a size that float32 holds, got a deviation of {unit:g}")
    return unit
