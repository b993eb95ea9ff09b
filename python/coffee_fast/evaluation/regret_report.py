"""What an evaluation says of one solution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from coffee_fast._provenance import figures_from_json, plain
from coffee_fast.typing import Float64

_BY_ROLE = ("deviation_gains", "strategy_names")


@dataclass(frozen=True, eq=False)
class RegretReport:
    """Regret of one solution in the true game; all figures in payoff units, one a player: f64 ``[N]``.

    Figures of the players of one role are the same: those of a player who sits in each of its seats equally often.

    Attributes
    ----------
    regret, regret_standard_error
        The paper's figure: the largest estimated gain of any strategy of the combined set. The largest of many noisy
        numbers is biased upward.
    debiased_regret, debiased_standard_error
        The gain of that same strategy, measured on an independent set of episodes: free of that bias, and a lower
        bound (up to noise) on the regret against all policies.
    payoff, payoff_standard_error
        What the solution earns against itself.
    deviations
        The strategy that gains most, in words, one a role: ``"strategy 3"``, ``"best response 0"``, by another oracle
        than the first ``"best response 0 (policy_gradient)"``; ``"none"`` where none gains.
    deviation_gains
        The first estimate for every strategy of the combined set of each role, in the order of ``strategy_names``:
        f64 ``[S]`` each.
    response_report
        The oracle's figures on the best response to this solution; of several roles each name begins with the role's,
        those of other oracles than the first with the oracle's: ``"policy_gradient/mean_return"``.
    num_simulations, seed
        Episodes a profile and sample set; the seed of the evaluation.
    is_exact
        Whether figures were computed over the game's whole tree, against all policies there are: without errors, and
        without bias.
    """

    regret: Float64
    regret_standard_error: Float64
    debiased_regret: Float64
    debiased_standard_error: Float64
    payoff: Float64
    payoff_standard_error: Float64
    deviations: tuple[str, ...]
    deviation_gains: tuple[Float64, ...]
    strategy_names: tuple[tuple[str, ...], ...]
    response_report: Mapping[str, float]
    num_simulations: int
    seed: int
    is_exact: bool = False

    @property
    def deviation(self) -> str:
        """The strategy that gains most, of each role in turn."""
        return ", ".join(self.deviations)

    @property
    def max_regret(self) -> float:
        """The largest ``regret`` of any player."""
        return float(self.regret.max())

    @property
    def sum_regret(self) -> float:
        """``regret`` summed over players, as the paper's tables report it."""
        return float(self.regret.sum())

    @property
    def sum_regret_standard_error(self) -> float:
        """Standard error of :attr:`sum_regret`; players share their noise, so errors add."""
        return float(self.regret_standard_error.sum())

    @property
    def debiased_sum_regret(self) -> float:
        """``debiased_regret`` summed over players."""
        return float(self.debiased_regret.sum())

    @property
    def debiased_sum_standard_error(self) -> float:
        """Standard error of :attr:`debiased_sum_regret`."""
        return float(self.debiased_standard_error.sum())

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values, the sums over players included."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        values |= {
            "sum_regret": self.sum_regret,
            "sum_regret_standard_error": self.sum_regret_standard_error,
            "debiased_sum_regret": self.debiased_sum_regret,
            "debiased_sum_standard_error": self.debiased_sum_standard_error,
        }
        if not self.is_exact:  # as before there were trees
            del values["is_exact"]
        if len(self.deviations) == 1:  # as before there were roles
            values["deviation"] = values.pop("deviations")[0]
            values |= {name: values[name][0] for name in _BY_ROLE}
        return {name: plain(value) for name, value in values.items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RegretReport:
        """Rebuild a report from :meth:`to_json`."""
        if "deviation" in values:
            values = {**values, "deviations": [values["deviation"]]} | {name: [values[name]] for name in _BY_ROLE}
        values = {"is_exact": False, **values}
        fields = {name: values[name] for name in cls.__dataclass_fields__}
        by_role = {
            "deviations": tuple(fields.pop("deviations")),
            "strategy_names": tuple(tuple(names) for names in fields.pop("strategy_names")),
            "deviation_gains": tuple(np.asarray(gains, dtype=np.float64) for gains in fields.pop("deviation_gains")),
        }
        fields |= {name: np.asarray(v, dtype=np.float64) for name, v in fields.items() if isinstance(v, list)}
        return cls(**fields | by_role | {"response_report": figures_from_json(values["response_report"])})
