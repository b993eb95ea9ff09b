"""COffeE-PSRO: policy-space response oracles inside a learned model of the game."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coffee_fast._provenance import versions
from coffee_fast.empirical import EmpiricalGame
from coffee_fast.empirical.estimate import strategies_by_role
from coffee_fast.empirical.profiles import check_number
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.policy_files import policy_fingerprint
from coffee_fast.psro.checkpoint import RunFolder, RunIdentity, RunState
from coffee_fast.psro.config import PSROConfig
from coffee_fast.psro.execution import Execution
from coffee_fast.psro.iteration import NewStrategies, add_strategies, respond, timed, uniform_play
from coffee_fast.psro.result import PSROResult
from coffee_fast.seeding import check_seed
from coffee_fast.simulation import check_dynamics
from coffee_fast.typing import ProgressCallback, Resume

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.games import GameSpec, GameTree
    from coffee_fast.models import DynamicsEnsemble
    from coffee_fast.policies import Policy


def coffee_psro(
    model: DynamicsEnsemble | GameTree,
    config: PSROConfig,
    seed: int,
    run_dir: str | Path | None = None,
    resume: Resume = False,
    num_threads: int = 1,
    progress: ProgressCallback | None = None,
    start: Sequence[Policy] | Sequence[Sequence[Policy]] | None = None,
) -> PSROResult:
    """Find strategies and a low-regret mixture over them using nothing but a model learned from logged play.

    Iteration ``t = 1 .. K``: for each role train a response in the model against the meta-strategies of iteration
    ``t - 1`` under the conservative objective; simulate the new profiles; solve the empirical game; save; anneal the
    coverage weight. Iteration 0 holds uniform random play alone. Players of one role share strategies: responses are
    trained, and payoffs simulated, in each of its seats alike, so that what a seat is worth is averaged out.

    Parameters
    ----------
    model
        The dynamics ensemble, or a tree of the log (:meth:`coffee_fast.GameTree.from_dataset`): has ``core``, ``spec``,
        ``fingerprint`` and ``reward_scale``.
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
    start
        Strategies of each role, as many for each, that are there already, such as those of
        :func:`coffee_fast.self_play_snapshots`: one an iteration takes the place of a trained response, from the first
        iteration on. At most ``num_iterations``. Of a single role the list alone.

    Returns
    -------
    PSROResult
        Strategies of each role, empirical game and a record of each iteration.

    Raises
    ------
    InvalidArgumentError
        For something that is no model, or strategies to start from that are too many or no policies of this game.
    CheckpointError
        If ``run_dir`` holds another run, a damaged one, one of an unlike machine, or any run while ``resume`` is false.
    InvalidGameError
        If the table of the last iteration would have more than 2**24 profiles.

    Notes
    -----
    Cost: a response a role and iteration; of ``N`` players ``num_simulations`` episodes for each of some ``K**N``
    profiles, divided by ``n!`` for each role of ``n``.

    References
    ----------
    Nguyen and Wellman 2026, Algorithm 1; Li et al. 2022 for offline PSRO without the conservative terms.
    """
    execution = Execution.of("coffee_psro", run_dir, resume, num_threads, progress)
    return run_psro("coffee_psro", model, config, seed, execution, start)


def run_psro(
    caller: str, model: Dynamics, config: PSROConfig, seed: int, execution: Execution, start: Any = None
) -> PSROResult:
    """Run the loop in anything that can be played; ``caller`` is the function that messages name."""
    check_model(caller, model)
    check_arguments(caller, model.spec, config)
    seed, given = check_seed(seed), _given(caller, start, config, model.spec)
    fingerprints = [[policy_fingerprint(policy) for policy in new.strategies] for new in given] or None
    folder, state = begin(RunIdentity(config.to_json(), seed, model.fingerprint, fingerprints), model, execution)
    first = [uniform_play(model.spec), *given]
    while (iteration := len(state.records)) <= config.num_iterations:
        seconds: dict[str, float] = {}
        with timed(seconds, "response"):
            is_given = iteration < len(first)
            new = first[iteration] if is_given else respond(state, model, config, seed, folder, execution)
        state = add_strategies(state, new, model, config, seed, execution.num_threads, seconds)
        if folder:
            folder.save(state)
        record = state.records[-1]
        figures = {"model_regret": float(record.model_regret.sum()), "disagreement": record.mean_disagreement}
        execution.tell("psro", record.iteration, config.num_iterations, figures)
    return finished(state, model, config, seed)


def begin(identity: RunIdentity, model: Dynamics, execution: Execution) -> tuple[RunFolder | None, RunState]:
    """Return the folder of a run, if it has one, and what is there already."""
    roles = model.spec.roles
    state = RunState(((),) * len(roles), EmpiricalGame(model.core.num_members, roles), ())
    if execution.run_dir is None:
        return None, state
    folder = RunFolder.open(execution.run_dir, identity, versions(), resume=execution.resume, spec=model.spec)
    return folder, folder.load() or state


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


def _given(caller: str, start: Any, config: PSROConfig, spec: GameSpec) -> list[NewStrategies]:
    """The strategies that are there already, one a role for each iteration."""
    if start is None:
        return []
    by_role = strategies_by_role(f"{caller}: start", start, spec.num_roles)
    if not 0 < len(by_role[0]) <= config.num_iterations:
        raise InvalidArgumentError(
            f"{caller}: start must be of at least one strategy a role, and of no more than the {config.num_iterations} "
            f"of config.num_iterations, got {len(by_role[0])}"
        )
    return [NewStrategies(strategies, {}, {}) for strategies in zip(*by_role, strict=True)]


def check_arguments(caller: str, spec: GameSpec, config: PSROConfig) -> None:
    """Raise unless this loop can solve the game; to be asked before minutes are spent on a model of it."""
    if not isinstance(config, PSROConfig):
        raise InvalidArgumentError(f"{caller}: config must be a PSROConfig, got {shown(config)}")
    check_number(caller, [config.num_iterations + 1] * spec.num_players)


def check_model(caller: str, model: Dynamics) -> None:
    """Raise unless there is something to play in that has a name and a unit of reward."""
    check_dynamics(caller, "model", model)
    if not (hasattr(model, "fingerprint") and hasattr(model, "reward_scale")):
        raise InvalidArgumentError(
            f"{caller}: model must be a DynamicsEnsemble, got {shown(model)}; online_psro plays in a true game"
        )
