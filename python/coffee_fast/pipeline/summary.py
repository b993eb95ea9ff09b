"""The figures of a finished run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from coffee_fast._provenance import plain
from coffee_fast.pipeline import stages
from coffee_fast.reports.run import main_entries


@dataclass(frozen=True)
class RunSummary:
    """The figures of a finished run.

    Attributes
    ----------
    run_dir
        Where everything lies.
    initial_sum_regret, final_sum_regret
        True-game regret, summed over players, of uniform random play and of the final solution: the paper's figure,
        the largest estimated gain. None where there is no true game to evaluate in.
    initial_debiased_sum_regret, final_debiased_sum_regret
        The same gains measured on independent episodes, free of the bias of taking the largest.
    final_regret
        The true-game regret of the final solution, one a player; None where there is no true game to evaluate in.
    is_exact
        Whether these were computed over the whole tree of the game; else they are estimates of lower bounds.
    model_regret
        Its regret among the strategies that were found, by payoffs in the model (of ``online_psro`` in the game), one a
        player; None of a log that was solved as a table, which has no strategies but the solution.
    seconds
        Wall-clock seconds of all stages, those of earlier interrupted calls included.
    evaluation
        ``"done"``, or why there is none.
    """

    run_dir: str
    initial_sum_regret: float | None
    final_sum_regret: float | None
    initial_debiased_sum_regret: float | None
    final_debiased_sum_regret: float | None
    final_regret: tuple[float, ...] | None
    is_exact: bool
    model_regret: tuple[float, ...] | None
    seconds: float
    evaluation: str

    def to_json(self) -> dict[str, Any]:
        """Return the summary as plain JSON values."""
        return dict(plain(asdict(self)))

    @classmethod
    def of(cls, run: Path, evaluation: Mapping[str, Any]) -> Self:
        """Gather the figures of what lies in a run's folder."""
        regret = {entry["iteration"]: entry for entry in main_entries(evaluation)}
        first, last = (regret[0], regret[max(regret)]) if regret else ({}, {})
        within = evaluation["solutions"][0].get("model_regret")
        return cls(
            run_dir=str(run),
            initial_sum_regret=first.get("sum_regret"),
            final_sum_regret=last.get("sum_regret"),
            initial_debiased_sum_regret=first.get("debiased_sum_regret"),
            final_debiased_sum_regret=last.get("debiased_sum_regret"),
            final_regret=tuple(last["regret"]) if last else None,
            is_exact=bool(last.get("is_exact", False)),
            model_regret=tuple(within) if within is not None else None,
            seconds=sum(stages.seconds_by_stage(run).values()),
            evaluation=evaluation["status"],
        )
