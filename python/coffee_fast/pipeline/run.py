"""A whole run in one folder, from dataset to report.

::

    run/config.json     configuration, dataset and versions: a folder continues only the run it was made for
    run/dataset/        the logged play (absent when the run was given a dataset of one's own)
    run/model/          the dynamics ensemble
    run/self_play/      the checkpoint of self-play and what judges its policies
    run/psro/           checkpoints, one an iteration
    run/mixed/0.2/      those of OEF-BC with weight 0.2, and run/cloned_policy/
    run/evaluation/     best responses, then evaluation.json
    run/solution/       the final solution, of the first weight and solver, to play or to evaluate elsewhere
    run/results.json    the figures of report.md
    run/report.md, run/report.html (the same with its pictures inside), run/*.png

Of a log solved as a table ``run/solution/`` holds the policies, and ``run/policies.csv`` shows them to people.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coffee_fast import _files
from coffee_fast._provenance import first_difference, machine, plain, same_machine, versions
from coffee_fast._sealed import read_sealed_json, write_sealed_json
from coffee_fast.checks import check_count, check_path, check_progress, check_resume
from coffee_fast.data import TrajectoryDataset
from coffee_fast.errors import CheckpointError, InvalidArgumentError
from coffee_fast.models import DynamicsEnsemble
from coffee_fast.pipeline import self_play, stages
from coffee_fast.pipeline.config import SELF_PLAY, RunConfig
from coffee_fast.pipeline.judge import EVALUATION, evaluate, extraction_solvers, read_evaluation
from coffee_fast.pipeline.summary import RunSummary
from coffee_fast.pipeline.tabular import load_table_solution, solve_table, tabulate
from coffee_fast.psro import Solution, load_result
from coffee_fast.psro.checkpoint import has_trained
from coffee_fast.psro.loop import check_arguments
from coffee_fast.reports.run import write_report
from coffee_fast.reports.table import write_table_report
from coffee_fast.self_play.checkpoint import has_trained as has_played
from coffee_fast.self_play.checkpoint import load_history
from coffee_fast.self_play.judging import check_judgeable
from coffee_fast.typing import ProgressCallback, Resume

LOCK = ".lock"
CACHE_VARIABLE = "COFFEE_FAST_CACHE_DIR"
CONFIG = "config.json"
CONFIG_KIND = "coffee_fast_run"
CONFIG_FORM = {
    "config": dict,
    "own_dataset?": (str, None),
    "versions": {...: str},
    "machines?": [{...: str}],
}
# What a run leaves, in the order of its stages, and where those stand that a part of the configuration has a say in.
_RESULTS = ("dataset", "model", "self_play", "psro", "cloned_policy", "mixed", "solution", "evaluation")
_FIRST = {
    "model": 1,
    "algorithm": 2,
    "self_play": 2,
    "psro": 3,
    "behavior_cloning": 4,
    "cloning_weights": 5,
    "evaluation": 6,
    "table": 6,
}
_PASSING = frozenset({LOCK, CONFIG, "dataset.json", "seconds.json"})


def run_pipeline(
    config: RunConfig,
    run_dir: str | Path,
    dataset: str | Path | TrajectoryDataset | None = None,
    *,
    resume: Resume = False,
    cache_dir: str | Path | None = None,
    num_threads: int = 1,
    progress: ProgressCallback | None = None,
) -> RunSummary:
    """Learn a model from logged play, find strategies in it, judge them in the true game and write a report.

    With the algorithm ``"table"`` the log itself is solved instead, as a table of the states that it visits.

    Parameters
    ----------
    config
        The stages' sizes and parts, for instance ``RunConfig.preset("quick")``.
    run_dir
        The folder that receives everything; new or empty, unless ``resume``.
    dataset
        A dataset of one's own, or its folder; by default ``config.dataset.path``, and if that is None a dataset is
        generated. If its manifest names no game that ``load_game`` knows, there is nothing to evaluate in, and the
        report says so.
    resume
        Continue the run that is in ``run_dir``; finished stages are not repeated. Parts of the configuration that no
        finished stage has used may be others now. ``"anyway"`` also continues a run that was begun on an unlike machine
        or build, whose results are then of both.
    cache_dir
        Folder for what several runs share, the equilibrium profiles of the true game; any number of processes may use
        it at once. By default the one that the environment variable ``COFFEE_FAST_CACHE_DIR`` names, else the folder
        ``cache`` beside the run's.
    num_threads
        Threads, 0 for all cores; no result but the time depends on it.
    progress
        Called by every stage.

    Raises
    ------
    CheckpointError
        If ``run_dir`` holds another run (the message names the field that differs), a damaged one, one begun on an
        unlike machine, or any run with results while ``resume`` is false; or if another process is at work in it.
    DatasetError
        If no model can be learned from the dataset, as :meth:`TrajectoryDataset.check` finds.
    InvalidGameError
        If the game is not of the kind that the search solves. Both are asked before anything is written or learned.
    """
    if not isinstance(config, RunConfig):
        raise InvalidArgumentError(f"run_pipeline: config must be a RunConfig, got {type(config).__name__}")
    run, resume = _files.as_path(run_dir), check_resume("run_pipeline: resume", resume)
    num_threads = check_count("run_pipeline: num_threads", num_threads)
    check_progress("run_pipeline: progress", progress)
    if cache_dir is None:
        cache_dir = os.environ.get(CACHE_VARIABLE) or run.absolute().parent / "cache"
    cache = check_path("run_pipeline: cache_dir", cache_dir)
    dataset = config.dataset.path if dataset is None else dataset
    if dataset is not None and not isinstance(dataset, TrajectoryDataset):
        dataset = TrajectoryDataset.load(dataset)
    if dataset is not None and config.is_online:
        raise InvalidArgumentError(f"run_pipeline: dataset must not be given, {config.algorithm} learns from none")
    _require_solvable(config, dataset)
    if run.exists() and not run.is_dir():
        raise CheckpointError(f"run_dir: {run} is a file, expected a folder")
    at = stages.Workplace(run, config, cache, num_threads, progress, resume or True)
    with _files.lock(run / LOCK):
        _claim(run, config, dataset, resume)
        if config.is_online:
            logged = model = None
            search = self_play.play_in_game if config.algorithm in SELF_PLAY else stages.search_in_game
            spec, variants = stages.true_game(config).spec, search(at)
        elif config.algorithm == "table":
            solve_table(at, stages.log_play(at, dataset))
            return rewrite_report(run)
        else:
            logged = stages.log_play(at, dataset)
            model = stages.fit_model(at, logged)
            find = self_play.play_in_model if config.algorithm in SELF_PLAY else stages.search_in_model
            spec, variants = logged.spec, find(at, logged, model)
        if not (run / "solution").exists() and (result := variants[0].result) is not None:
            result.solve(extraction_solvers(at)[0]).save(run / "solution")
        evaluate(at, spec, variants, logged, model)
        return rewrite_report(run)


def _require_solvable(config: RunConfig, dataset: TrajectoryDataset | None) -> None:
    """Ask what fit and search will ask, before minutes are spent and a folder is claimed."""
    if config.algorithm == "table":
        if dataset is not None:
            tabulate(config.table, dataset)
        return
    spec = stages.true_game(config).spec if dataset is None else dataset.spec
    if config.algorithm in ("self_play", "online_self_play"):
        check_judgeable("run_pipeline", spec)
    else:
        check_arguments("run_pipeline", spec, config.psro)
    if dataset is not None:
        dataset.check(config.model.terminal_threshold).require_learnable("run_pipeline")


def rewrite_report(run_dir: str | Path) -> RunSummary:
    """Write ``results.json``, the report and the plots of a finished run anew, from what lies in its folder.

    Raises
    ------
    CheckpointError
        If the run is not finished, or a file is damaged; the message names it.
    """
    run = _files.as_path(run_dir)
    about = read_sealed_json(run / CONFIG, CONFIG_KIND, CONFIG_FORM)
    if not (run / EVALUATION).exists():
        raise CheckpointError(f"{run}: the run is not finished, resume it; there is no {EVALUATION}")
    evaluation = read_evaluation(run)
    fit = DynamicsEnsemble.load(run / "model").fit_report if (run / "model").exists() else None
    card: dict[str, Any] = {"text": None, "figures": None}
    is_table = about["config"].get("algorithm") == "table"
    if fit or is_table:
        card = read_sealed_json(run / "dataset.json", "dataset_card", {"text": str, "figures": dict})
    summary = RunSummary.of(run, evaluation)
    results = {
        "summary": summary.to_json(),
        "dataset": card["figures"],
        "model": fit.to_json() if fit else None,
        "evaluation": evaluation,
        "machines": about.get("machines", []),
    }
    write_sealed_json(run / "results.json", "run_results", plain(results))
    seconds = stages.seconds_by_stage(run)
    if is_table:
        solution, arrays = load_table_solution(run)
        write_table_report(run, dataset=card["text"], solution=solution, arrays=arrays, seconds=seconds)
        return summary
    folder = stages.variant_folder(evaluation["solutions"][0]["cloning_weight"])
    write_report(
        run,
        dataset=card["text"],
        fit=fit,
        result=load_result(run / folder) if (run / folder).exists() else None,
        solution=Solution.load(run / "solution"),
        history=load_history(run / self_play.FOLDER) if (run / self_play.FOLDER).exists() else None,
        evaluation=evaluation,
        seconds=seconds,
    )
    return summary


def _claim(run: Path, config: RunConfig, dataset: TrajectoryDataset | None, resume: Resume) -> None:
    """Write ``config.json`` into a new folder, or check that the one there is of this very run."""
    about: dict[str, Any] = {
        "config": config.to_json(),
        "own_dataset": None if dataset is None else dataset.fingerprint,
    }
    file = run / CONFIG
    if resume:
        _files.sweep(run, is_deep=True)
    machines = [machine()]
    if file.exists():
        there = read_sealed_json(file, CONFIG_KIND, CONFIG_FORM)
        if any(entry.name not in _PASSING for entry in run.iterdir()):
            if not resume:
                raise CheckpointError(f"run_dir: {run} holds a run already; resume it or choose another folder")
            if difference := _difference(run, there, about):
                raise CheckpointError(f"run_dir: {run} is another run: {difference}")
            if (run / EVALUATION).exists():
                return
            machines = same_machine(there, f"run_dir: {run}", resume)
            if there == {**there, **about, "machines": machines}:
                return
    elif run.exists() and any(entry.name != LOCK for entry in run.iterdir()):
        raise CheckpointError(f"run_dir: {run} is not an empty folder and holds no run; choose another")
    run.mkdir(parents=True, exist_ok=True)
    write_sealed_json(file, CONFIG_KIND, {**about, "versions": versions(), "machines": machines})


def _difference(run: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> str | None:
    """Return in words the first part that is another there and that some result there depends on."""
    of_search = {"psro": has_trained, "self_play": has_played}
    is_there = [of_search.get(name, Path.exists)(run / name) for name in _RESULTS]
    theirs, ours = _identity(there), _identity(here)
    # The dataset first: without it, what the configuration says of data differs too.
    if any(is_there) and (found := first_difference(theirs.pop("own_dataset"), ours.pop("own_dataset"))):
        return f"own_dataset{found}"
    for name in sorted({*theirs["config"], *ours["config"]}):
        parts = ({"config": {name: part["config"].get(name, "absent")}} for part in (theirs, ours))
        if any(is_there[_FIRST.get(name, 0) :]) and (found := first_difference(*parts)):
            return found
    return None


def _identity(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes a run this run: a dataset of one's own by its content alone, wherever it lies."""
    own, config = about.get("own_dataset"), about["config"]
    if own is not None:  # nothing else that the configuration says of data is used
        config = {**config, "dataset": None}
    return {"own_dataset": own, "config": config}
