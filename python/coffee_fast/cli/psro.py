"""``coffee-fast psro``: the main loop on a model of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

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


def psro(
    ctx: typer.Context,
    model: Annotated[Path, typer.Argument(help="Folder of a model.", exists=True, file_okay=False)],
    run_dir: Annotated[Path, typer.Option("--run-dir", help="Folder of the run; its solution is written there.")],
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
    """Find strategies and a low-regret mixture in a model.

    The section `psro` of a configuration says how.
    """
    wanted = run_config(preset, config, overrides).psro
    ensemble = cf.DynamicsEnsemble.load(model)
    fit = ensemble.fit_report
    if caution := fit.caution():
        remark(f"warning: {caution}")
    make_resumable(ctx, "--resume")
    with progress_reports(trackers(track)) as progress:
        result = cf.coffee_psro(
            ensemble,
            wanted,
            seed,
            run_dir,
            "anyway" if resume_anyway else resume,
            num_threads=threads,
            progress=progress,
        )
    solution = result.solve()
    if not (run_dir / "solution").exists():
        solution.save(run_dir / "solution")
    values = {
        "run_dir": run_dir,
        "solution": run_dir / "solution",
        "num_strategies": len(result.strategies[0]),
        **_probabilities(solution),
        **regret_in_model(solution, fit),
        "status": solution.status,
        "fingerprint": result.fingerprint,
    }
    rows = [
        ("strategies", str(len(result.strategies[0]))),
        *_plays(solution),
        *regret_in_model_rows(solution, fit),
        ("solution", str(run_dir / "solution")),
    ]
    finish(values, table(rows), as_json)


def _probabilities(solution: cf.Solution) -> dict[str, Any]:
    """How often each strategy is played; of several roles a list of such."""
    if len(solution.by_role) == 1:
        return {"probabilities": solution.probabilities}
    return {"mixtures": [mixture.probabilities for mixture in solution.by_role]}


def _plays(solution: cf.Solution) -> list[tuple[str, str]]:
    rows = []
    for role, (name, mixture) in enumerate(zip(solution.role_names, solution.by_role, strict=True)):
        plays = ", ".join(f"{s} ({mixture.probabilities[s]:.1%})" for s in solution.support(role=role))
        rows.append(("the solution plays" if len(solution.by_role) == 1 else f"{name[:60]} plays", plays))
    return rows
