"""What a run's solutions leave to gain by the tree of its log, where histories repeat: no model, no true game."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast._sealed import Form
from coffee_fast.errors import DatasetError, InvalidArgumentError, ModelWarning
from coffee_fast.evaluation.from_log import RegretFromLog, regrets_from_log
from coffee_fast.games import GameTree
from coffee_fast.models import behavior_frequencies

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset

MAX_NODES = 1_000_000  # a minute or two
_REGRET: Form = {"nash_conv": float, "lowest": float, "highest": (float, None)}
FORM: Form = {
    "status": str,
    "sizes?": {"num_nodes": int, "num_unseen": int, "num_episodes": int},
    "solutions?": [_REGRET],
    "logged?": _REGRET,
    "uniform?": _REGRET,
}


def by_the_log(dataset: TrajectoryDataset, solutions: Sequence[Any], seed: int) -> dict[str, Any]:
    """Return what players could gain in the game of a log by leaving each solution, the log's play or uniform play.

    ``status``
        ``"done"``, or why a log has no such tree; then there is nothing else.
    ``sizes``
        Of the tree.
    ``solutions``, ``logged``, ``uniform``
        ``nash_conv``, regret summed over players where unseen moves pay the mean of the least and the most;
        ``lowest``, ``highest``, its bounds, the latter None where there is none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ModelWarning)  # which says why there is no highest
            tree = GameTree.from_dataset(dataset, MAX_NODES)
        tree.check_recall("regret_from_log")
    except (DatasetError, InvalidArgumentError) as error:
        return {"status": str(error)}
    profiles = [list(behavior_frequencies(dataset)), "uniform_random", *solutions]
    logged, uniform, *found = regrets_from_log(tree, profiles, seed)
    about = logged.in_tree
    return {
        "status": "done",
        "sizes": {name: getattr(about, name) for name in ("num_nodes", "num_unseen", "num_episodes")},
        "solutions": [_figures(each) for each in found],
        "logged": _figures(logged),
        "uniform": _figures(uniform),
    }


def _figures(found: RegretFromLog) -> Mapping[str, float | None]:
    lowest, highest = found.nash_conv_bounds
    return {"nash_conv": found.nash_conv, "lowest": lowest, "highest": highest if np.isfinite(highest) else None}
