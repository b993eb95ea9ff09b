"""COffeE-PSRO: policy-space response oracles inside a learned model of the game."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coffee_fast._provenance import is_duration, versions
from coffee_fast.checks import check_count, check_path, check_progress, check_resume
from coffee_fast.empirical import EmpiricalGame, simulate_missing
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.policies import Mixture, Policy, UniformRandom
from coffee_fast.psro.checkpoint import RunFolder, RunIdentity, RunState
from coffee_fast.psro.config import PSROConfig
from coffee_fast.psro.result import IterationRecord, PSROResult
from coffee_fast.responses import ResponseRequest
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.simulation import LARGEST_INT, check_dynamics, check_two_alike
from coffee_fast.typing import ProgressCallback, Resume

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.games import GameSpec
    from coffee_fast.models import DynamicsEnsemble


def coffee_psro(
    model: DynamicsEnsemble,
    config: PSROConfig,
    seed: int,
    run_dir: str | Path | None = None,
    resume: Resume = False,
    num_threads: int = 1,
    progress: ProgressCallback | None = None,
) -> PSROResult:
    """Find strategies and a low-regret mixture over them using nothing but a model learned from logged play.

    Iteration ``t = 1 .. K``: train a response in the model against the meta-strategy of iteration ``t - 1`` under the
    conservative objective; simulate the new profiles; solve the empirical game; save; anneal the coverage weight.
    Iteration 0 holds uniform random play alone.

    Parameters
    ----------
    model
        The dynamics ensemble: has ``core``, ``spec``, ``fingerprint`` and ``reward_scale``.
    config
        Sizes and parts.
    seed
        In ``[0, 2**63)``; each part's seed is derived from it, the part's name and the iteration.
    run_dir
        A folder that receives a checkpoint after every iteration and every 30 s within a response; none by default.
    resume
        Continue the run in ``run_dir`` if there is one. The result has the same bits as an uninterrupted run, so one
        that was begun on an unlike machine or build is refused, unless ``"anyway"`` is given.
    num_threads
        Threads for simulation, 0 for all cores; the result does not depend on it.
    progress
        Called with ``("psro", iteration, num_iterations, figures)`` after every iteration, and by the oracle.

    Returns
    -------
    PSROResult
        Strategies, empirical game and a record of each iteration.

    Raises
    ------
    CheckpointError
        If ``run_dir`` holds another run, a damaged one, one of an unlike machine, or any run while ``resume`` is false.
    InvalidGameError
        If the game is not symmetric with two players, the kind this loop solves. What a seat is worth is averaged out:
        responses are trained and payoffs simulated in both seats alike.

    References
    ----------
    Nguyen and Wellman 2026, Algorithm 1; Li et al. 2022 for offline PSRO without the conservative terms.
    """
    return run_psro("coffee_psro", model, config, seed, run_dir, resume, num_threads, progress)


def run_psro(
    caller: str,
    model: Dynamics,
    config: PSROConfig,
    seed: int,
    run_dir: str | Path | None,
    resume: Resume,
    num_threads: int,
    progress: ProgressCallback | None,
) -> PSROResult:
    """Run the loop in anything that can be played; ``caller`` is the function that messages name."""
    check_model(caller, model)
    check_arguments(caller, model.spec, config)
    seed, run_dir, resume, num_threads = check_run(caller, seed, run_dir, resume, num_threads, progress)
    identity = RunIdentity(config.to_json(), seed, model.fingerprint)
    folder = None if run_dir is None else RunFolder.open(run_dir, identity, versions(), resume=resume, spec=model.spec)
    state = (folder and folder.load()) or RunState((), EmpiricalGame(model.core.num_members), ())

    while len(state.records) <= config.num_iterations:
        state = _iterate(state, model, config, seed, folder, num_threads, progress)
        if folder:
            folder.save(state.strategies[-1], state.empirical_game, state.records[-1])
        if progress:
            record = state.records[-1]
            figures = {"model_regret": float(record.model_regret.sum()), "disagreement": record.mean_disagreement}
            progress("psro", record.iteration, config.num_iterations, figures)

    return finished(state, model, config, seed)


def finished(state: RunState, model: Dynamics, config: PSROConfig, seed: int) -> PSROResult:
    """Return the result of a run that has come to its end."""
    return PSROResult(
        strategies=state.strategies,
        empirical_game=state.empirical_game,
        records=state.records,
        config=config,
        seed=seed,
        model_fingerprint=model.fingerprint,
        versions=versions(),
        status="complete",
        spec=model.spec,
    )


def check_arguments(caller: str, spec: GameSpec, config: PSROConfig) -> None:
    """Raise unless this loop can solve the game; to be asked before minutes are spent on a model of it."""
    if not isinstance(config, PSROConfig):
        raise InvalidArgumentError(f"{caller}: config must be a PSROConfig, got {shown(config)}")
    check_two_alike(caller, spec)


def check_model(caller: str, model: Dynamics) -> None:
    """Raise unless there is something to play in that has a name and a unit of reward."""
    check_dynamics(caller, "model", model)
    if not (hasattr(model, "fingerprint") and hasattr(model, "reward_scale")):
        raise InvalidArgumentError(
            f"{caller}: model must be a DynamicsEnsemble, got {shown(model)}; online_psro plays in a true game"
        )


def check_run(
    caller: str,
    seed: int,
    run_dir: str | Path | None,
    resume: Resume,
    num_threads: int,
    progress: ProgressCallback | None,
    *,
    folder: str = "run_dir",
) -> tuple[int, Path | None, Resume, int]:
    """Return seed, folder, whether to resume and the number of threads as plain values, or raise."""
    check_progress(f"{caller}: progress", progress)
    return (
        check_seed(seed),
        None if run_dir is None else check_path(f"{caller}: {folder}", run_dir),
        check_resume(f"{caller}: resume", resume),
        check_count(f"{caller}: num_threads", num_threads, at_most=LARGEST_INT),
    )


def _iterate(
    state: RunState,
    model: Dynamics,
    config: PSROConfig,
    seed: int,
    folder: RunFolder | None,
    num_threads: int,
    progress: ProgressCallback | None,
) -> RunState:
    """One iteration: response, entries, meta-strategy."""
    iteration = len(state.records)
    seconds: dict[str, float] = {}
    objective = config.objective.at(iteration - 1) if iteration else None

    with _timed(seconds, "response"):
        if objective is None:
            strategy: Policy = UniformRandom()
            report: dict[str, float] = {}
        else:
            opponents = Mixture(state.strategies, state.records[-1].mixture)
            response_seed = derive_seed(seed, "response", iteration)
            response = ResponseRequest(
                config.response,
                model,
                opponents,
                objective,
                response_seed,
                model.reward_scale,
                checkpoint=folder.response_file(iteration) if folder else None,
            ).train(progress)
            strategy, report = response.policy, dict(response.report)
    seconds |= {name: report.pop(name) for name in list(report) if is_duration(name)}
    asked = {} if objective is None else dataclasses.asdict(objective)
    return add_strategy(state, strategy, model, config, seed, num_threads, asked, report, seconds)


def add_strategy(
    state: RunState,
    strategy: Policy,
    model: Dynamics,
    config: PSROConfig,
    seed: int,
    num_threads: int,
    objective: Mapping[str, float],
    report: Mapping[str, float],
    seconds: Mapping[str, float],
) -> RunState:
    """The end of an iteration: the new strategy's entries, the meta-strategy, the record."""
    iteration, spent = len(state.records), dict(seconds)
    strategies = (*state.strategies, strategy)
    with _timed(spent, "payoffs"):
        # One seed for all iterations: a profile's random numbers are keyed by its strategies.
        empirical_game = simulate_missing(
            state.empirical_game,
            model,
            strategies,
            config.num_simulations,
            seed=derive_seed(seed, "payoffs"),
            num_threads=num_threads,
        )
    with _timed(spent, "meta_solver"):
        solved = config.meta_solver.solve(empirical_game.table())
    record = IterationRecord(
        iteration=iteration,
        objective=objective,
        response_report=report,
        mixture=np.asarray(solved.mixtures[0], dtype=np.float64),
        model_regret=np.asarray(solved.regret, dtype=np.float64),
        solver_status=solved.status,
        solver_iterations=int(solved.num_iterations),
        disagreement=np.array([empirical_game.disagreement(other, iteration) for other in range(iteration + 1)]),
        seconds=spent,
    )
    return RunState(strategies, empirical_game, (*state.records, record))


@contextmanager
def _timed(seconds: dict[str, float], part: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[part] = time.perf_counter() - start
