"""The stage of self-play: the solution itself, or the first strategies of COffeE-PSRO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coffee_fast.pipeline.stages import Variant, Workplace, cloned_policies, true_game
from coffee_fast.psro import Solution, coffee_psro
from coffee_fast.self_play import anchored_self_play, self_play_snapshots

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.models import DynamicsEnsemble

FOLDER = "self_play"


def play_in_game(at: Workplace) -> list[Variant]:
    """Let the players learn in the true game, and leave the solution in the run's folder."""
    return _solve(at, true_game(at.config), None)


def play_in_model(at: Workplace, dataset: TrajectoryDataset, model: DynamicsEnsemble) -> list[Variant]:
    """Let the players learn in the model; leave the solution, or search on from the policies met on the way."""
    reference = _reference(at, dataset)
    if at.config.algorithm == "self_play":
        return _solve(at, model, reference)
    with at.clocked("self-play"):
        start = self_play_snapshots(model, **_arguments(at), reference=reference).by_role
    with at.clocked("psro"):
        result = coffee_psro(
            model,
            at.config.psro,
            at.seed("psro"),
            at.folder / "psro",
            at.resume,
            at.num_threads,
            at.progress,
            start,
        )
    return [Variant(None, result)]


def _solve(at: Workplace, model: Dynamics, reference: Any) -> list[Variant]:
    folder = at.folder / "solution"
    if not folder.exists():
        with at.clocked("self-play"):
            anchored_self_play(model, **_arguments(at), reference=reference).save(folder)
    return [Variant(None, solution=Solution.load(folder))]


def _arguments(at: Workplace) -> dict[str, Any]:
    return {
        "config": at.config.self_play,
        "seed": at.seed("self_play"),
        "run_dir": at.folder / FOLDER,
        "resume": at.resume,
        "num_threads": at.num_threads,
        "progress": at.progress,
    }


def _reference(at: Workplace, dataset: TrajectoryDataset) -> Any:
    """What players are to stay near: nothing but uniform play, or one policy a role cloned from the log."""
    if at.config.self_play.reference == "uniform":
        return None
    with at.clocked("behavior cloning"):
        return cloned_policies(at, dataset)
