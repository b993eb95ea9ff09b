"""The stages of a run, each skipped when its result lies in the folder already.

::

    run/config.json     configuration, dataset and versions: a folder continues only the run it was made for
    run/dataset/        the logged play (absent when the run was given a dataset of one's own)
    run/model/          the dynamics ensemble
    run/psro/           checkpoints, one an iteration
    run/evaluation/     best responses, then evaluation.json
    run/solution/       the final solution, to play or to evaluate elsewhere
    run/results.json    the figures of report.md
    run/report.md, run/*.png
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coffee_fast import _files
from coffee_fast._provenance import first_difference, plain, versions
from coffee_fast.data import TrajectoryDataset, generate_dataset
from coffee_fast.errors import CheckpointError, InvalidArgumentError, InvalidGameError
from coffee_fast.evaluation import model_fidelity, true_regret
from coffee_fast.games import load_game
from coffee_fast.models import DynamicsEnsemble
from coffee_fast.pipeline.config import RunConfig
from coffee_fast.psro import PSROResult, Solution, coffee_psro, load_result
from coffee_fast.reporting import write_report
from coffee_fast.seeding import derive_seed
from coffee_fast.typing import ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.games import Game

FORMAT = 1
EVALUATION = "evaluation/evaluation.json"
LOCK = ".lock"


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
    seconds: float
    evaluation: str

    def to_json(self) -> dict[str, Any]:
        """Return the summary as plain JSON values."""
        return asdict(self)


def run_pipeline(
    config: RunConfig,
    run_dir: str | Path,
    dataset: str | Path | TrajectoryDataset | None = None,
    *,
    resume: bool = False,
    num_threads: int = 1,
    progress: ProgressCallback | None = None,
) -> RunSummary:
    """Learn a model from logged play, find strategies in it, judge them in the true game and write a report.

    Parameters
    ----------
    config
        The stages' sizes and parts, for instance ``RunConfig.preset("quick")``.
    run_dir
        The folder that receives everything; new or empty, unless ``resume``.
    dataset
        A dataset of one's own, or its folder; by default ``config.dataset`` is generated. If its manifest names no
        game that ``load_game`` knows, there is nothing to evaluate in, and the report says so.
    resume
        Continue the run that is in ``run_dir``; finished stages are not repeated.
    num_threads
        Threads, 0 for all cores; no result but the time depends on it.
    progress
        Called by every stage.

    Raises
    ------
    CheckpointError
        If ``run_dir`` holds another run (the message names the field that differs), a damaged one, or any run while
        ``resume`` is false; or if another process is at work in it.
    """
    if not isinstance(config, RunConfig):
        raise InvalidArgumentError(f"run_pipeline: config must be a RunConfig, got {type(config).__name__}")
    if dataset is not None and not isinstance(dataset, TrajectoryDataset):
        dataset = TrajectoryDataset.load(dataset)
    run = Path(run_dir)
    with _files.lock(run / LOCK):
        _claim(run, config, dataset, resume)
        logged = _dataset_stage(run, config, dataset, num_threads, progress)
        model = _model_stage(run, config, logged, num_threads, progress)
        with _clocked(run, "psro"):
            seed = derive_seed(config.seed, "psro")
            result = coffee_psro(model, config.psro, seed, run / "psro", True, num_threads, progress)
            solution = result.solve(config.evaluation.meta_solver)
            if not (run / "solution").exists():
                solution.save(run / "solution")
        _evaluation_stage(run, config, logged, result, num_threads, progress)
        return rewrite_report(run)


def rewrite_report(run_dir: str | Path) -> RunSummary:
    """Write ``results.json``, ``report.md`` and the plots of a finished run anew, from what lies in its folder.

    Raises
    ------
    CheckpointError
        If the run is not finished, or a file is damaged; the message names it.
    """
    run = Path(run_dir)
    _files.read_json(run / "config.json", CheckpointError)
    if not (run / EVALUATION).exists():
        raise CheckpointError(f"{run}: the run is not finished, resume it; there is no {EVALUATION}")
    evaluation = _files.read_json(run / EVALUATION, CheckpointError)
    card = _files.read_json(run / "dataset.json", CheckpointError)
    solution, fit = Solution.load(run / "solution"), DynamicsEnsemble.load(run / "model").fit_report
    summary = _summary(run, evaluation)
    results = {
        "summary": summary.to_json(),
        "dataset": card["figures"],
        "model": fit.to_json(),
        "solution": {
            "probabilities": solution.probabilities,
            "model_regret": solution.model_regret,
            "regret_upper_bound": solution.regret_upper_bound,
            "solver": solution.solver,
            "status": solution.status,
        },
        "evaluation": evaluation,
    }
    _files.write_json(run / "results.json", plain(results))
    write_report(
        run,
        dataset=card["text"],
        fit=fit,
        result=load_result(run / "psro"),
        solution=solution,
        evaluation=evaluation,
        seconds=_seconds(run),
    )
    return summary


def _claim(run: Path, config: RunConfig, dataset: TrajectoryDataset | None, resume: bool) -> None:
    """Write ``config.json`` into a new folder, or check that the one there is of this very run."""
    identity = {"config": config.to_json(), "own_dataset": None if dataset is None else dataset.fingerprint}
    file = run / "config.json"
    if resume:
        _files.sweep(run)
        _files.sweep(run / "evaluation")
    if file.exists():
        if not resume:
            raise CheckpointError(f"run_dir: {run} holds a run already; resume it or choose another folder")
        there = _files.read_json(file, CheckpointError)
        if difference := first_difference({name: there.get(name) for name in identity}, identity):
            raise CheckpointError(f"run_dir: {run} is another run: {difference}")
        return
    if run.exists() and any(entry.name != LOCK for entry in run.iterdir()):
        raise CheckpointError(f"run_dir: {run} is not an empty folder and holds no run; choose another")
    run.mkdir(parents=True, exist_ok=True)
    _files.write_json(file, {"format": FORMAT, "kind": "coffee_fast_run", **identity, "versions": versions()})


def _dataset_stage(
    run: Path,
    config: RunConfig,
    dataset: TrajectoryDataset | None,
    num_threads: int,
    progress: ProgressCallback | None,
) -> TrajectoryDataset:
    wanted = config.dataset
    with _clocked(run, "dataset"):
        if dataset is None:
            if not (run / "dataset").exists():
                generate_dataset(
                    load_game(wanted.game, **wanted.game_parameters),
                    behavior=wanted.behavior,
                    num_trajectories=wanted.num_trajectories,
                    seed=derive_seed(config.seed, "dataset"),
                    mirrored=wanted.is_mirrored,
                    num_threads=num_threads,
                ).save(run / "dataset")
            dataset = TrajectoryDataset.load(run / "dataset")
        card = dataset.describe()
        _files.write_json(run / "dataset.json", {"text": str(card), "figures": plain(card.to_json())})
    if progress:
        progress("dataset", dataset.num_trajectories, dataset.num_trajectories, {})
    return dataset


def _model_stage(
    run: Path, config: RunConfig, dataset: TrajectoryDataset, num_threads: int, progress: ProgressCallback | None
) -> DynamicsEnsemble:
    with _clocked(run, "model"):
        if not (run / "model").exists():
            seed = derive_seed(config.seed, "model")
            DynamicsEnsemble.fit(dataset, config.model, seed, num_threads=num_threads, progress=progress).save(
                run / "model"
            )
        return DynamicsEnsemble.load(run / "model")


def _evaluation_stage(
    run: Path,
    config: RunConfig,
    dataset: TrajectoryDataset,
    result: PSROResult,
    num_threads: int,
    progress: ProgressCallback | None,
) -> None:
    """Write ``evaluation.json``: ``status``, regret by iteration, fidelity."""
    file = run / EVALUATION
    if file.exists():
        return
    file.parent.mkdir(exist_ok=True)
    try:
        game: Game = load_game(dataset.spec.name, **dataset.spec.parameters)
    except InvalidGameError as error:
        reason = f"skipped, since there is no true game to play in ({error})"
        _files.write_json(file, {"status": reason, "regret": {}, "fidelity": None})
        return
    wanted, last = config.evaluation, result.num_iterations
    iterations = [0, *range(max(1, last + 1 - wanted.num_last_iterations), last + 1)]
    with _clocked(run, "evaluation"):
        reports = true_regret(
            game,
            [result.solution_at(iteration, wanted.meta_solver) for iteration in iterations],
            derive_seed(config.seed, "evaluation"),
            response=wanted.response,
            num_simulations=wanted.num_simulations,
            num_threads=num_threads,
            cache_dir=file.parent,
            progress=progress,
        )
        fidelity = model_fidelity(
            game,
            result,
            derive_seed(config.seed, "fidelity"),
            num_simulations=wanted.num_simulations,
            num_threads=num_threads,
            progress=progress,
        )
        regret = {str(iteration): report.to_json() for iteration, report in zip(iterations, reports, strict=True)}
        _files.write_json(file, {"status": "done", "regret": regret, "fidelity": fidelity.to_json()})


def _summary(run: Path, evaluation: Mapping[str, Any]) -> RunSummary:
    regret = {int(iteration): report for iteration, report in evaluation["regret"].items()}
    first, last = (regret[0], regret[max(regret)]) if regret else ({}, {})
    return RunSummary(
        run_dir=str(run),
        initial_sum_regret=first.get("sum_regret"),
        final_sum_regret=last.get("sum_regret"),
        initial_debiased_sum_regret=first.get("debiased_sum_regret"),
        final_debiased_sum_regret=last.get("debiased_sum_regret"),
        seconds=sum(_seconds(run).values()),
        evaluation=evaluation["status"],
    )


def _seconds(run: Path) -> dict[str, float]:
    file = run / "seconds.json"
    return _files.read_json(file, CheckpointError) if file.exists() else {}


@contextmanager
def _clocked(run: Path, stage: str) -> Iterator[None]:
    """Add the time of the block to the stage's in ``seconds.json``, however the block ends."""
    start = time.perf_counter()
    try:
        yield
    finally:
        seconds = _seconds(run)
        seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - start
        _files.write_json(run / "seconds.json", seconds)
