"""``coffee-fast self-play``: anchored self-play on a model of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import coffee_fast as cf
from coffee_fast.cli._endings import make_resumable
from coffee_fast.cli._options import (
    Config,
    Json,
    Overrides,
    Preset,
    Resume,
    ResumeAnyway,
    Seed,
    Threads,
    Track,
    run_config,
    trackers,
)
from coffee_fast.cli._report import finish, progress_reports, regret_in_model, regret_in_model_rows, remark, table

if TYPE_CHECKING:
    from coffee_fast.pipeline import RunConfig
    from coffee_fast.typing import ProgressCallback


def self_play(
    ctx: typer.Context,
    model: Annotated[Path, typer.Argument(help="Folder of a model.", exists=True, file_okay=False)],
    run_dir: Annotated[Path, typer.Option("--run-dir", help="Folder of the run; its solution is written there.")],
    dataset: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the log whose play is the reference where self_play.reference is cloned.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    preset: Preset = None,
    config: Config = None,
    overrides: Overrides = None,
    resume: Resume = False,
    resume_anyway: ResumeAnyway = False,
    seed: Seed = 0,
    track: Track = None,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Let all players learn at once in a model, each near a reference, and choose the best of the policies.

    The section `self_play` of a configuration says how.
    """
    wanted = run_config(preset, config, overrides)
    ensemble = cf.DynamicsEnsemble.load(model)
    fit = ensemble.fit_report
    if caution := fit.caution():
        remark(f"warning: {caution}")
    make_resumable(ctx, "--resume")
    with progress_reports(trackers(track)) as progress:
        solution = cf.anchored_self_play(
            ensemble,
            wanted.self_play,
            seed,
            run_dir,
            "anyway" if resume_anyway else resume,
            num_threads=threads,
            progress=progress,
            reference=_reference(wanted, dataset, seed, progress),
        )
    if not (run_dir / "solution").exists():
        solution.save(run_dir / "solution")
    _tell(solution, run_dir, fit, as_json)


def _reference(wanted: RunConfig, dataset: Path | None, seed: int, progress: ProgressCallback) -> Any:
    """The policies to stay near, cloned from a log; None for uniform random play."""
    if (dataset is None) != (wanted.self_play.reference == "uniform"):
        raise typer.BadParameter("--dataset is to be given where self_play.reference is cloned, and only there")
    if dataset is None:
        return None
    return cf.clone_roles(cf.TrajectoryDataset.load(dataset), wanted.behavior_cloning, seed, progress=progress)


def _tell(solution: cf.Solution, run_dir: Path, fit: Any, as_json: bool) -> None:
    history = solution.history or {}
    chosen = int(history["snapshot_chosen"].argmax())
    values = {
        "run_dir": run_dir,
        "solution": run_dir / "solution",
        "num_updates": solution.num_solver_iterations,
        "chosen_update": int(history["snapshot_update"][chosen]),
        "chosen_kl_weight": history["snapshot_kl_weight"][chosen],
        **regret_in_model(solution, fit),
        "status": solution.status,
    }
    rows = [
        ("policies of", f"update {values['chosen_update']} of {solution.num_solver_iterations}"),
        ("weight of divergence there", f"{values['chosen_kl_weight']:.3g}"),
        *regret_in_model_rows(solution, fit),
        ("solution", str(run_dir / "solution")),
    ]
    finish(values, table(rows), as_json)
