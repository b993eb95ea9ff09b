"""The methods that COffeE-PSRO is compared with: the same loop without its conservative terms, or in the true game."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coffee_fast.checks import check_number
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.games import GameSpec
from coffee_fast.policies import PerStepMixture, Policy
from coffee_fast.policy_files import policy_fingerprint
from coffee_fast.psro.checkpoint import RunIdentity
from coffee_fast.psro.config import PSROConfig
from coffee_fast.psro.execution import Execution
from coffee_fast.psro.iteration import NewStrategies, add_strategies
from coffee_fast.psro.loop import begin, check_arguments, check_model, finished, run_psro
from coffee_fast.psro.result import PSROResult
from coffee_fast.responses import ConservativeObjective
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.simulation import check_dynamics, reward_scale
from coffee_fast.typing import ProgressCallback, Resume

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.models import DynamicsEnsemble


def oef(
    model: DynamicsEnsemble,
    config: PSROConfig,
    seed: int,
    run_dir: str | Path | None = None,
    resume: Resume = False,
    num_threads: int = 1,
    progress: ProgressCallback | None = None,
) -> PSROResult:
    """Offline equilibrium finding: PSRO in the learned model as if the model were the game.

    The same bits as :func:`coffee_psro` with ``uncertainty_penalty`` and ``coverage_weight`` 0; whatever the
    configuration has as its objective is replaced by that. Parameters, result and errors are those of
    :func:`coffee_psro`.

    References
    ----------
    Li et al. 2022; Nguyen and Wellman 2026, Section 5.2.
    """
    execution = Execution.of("oef", run_dir, resume, num_threads, progress)
    return run_psro("oef", model, _plain("oef", config), seed, execution)


def online_psro(
    game: Dynamics,
    config: PSROConfig,
    seed: int,
    run_dir: str | Path | None = None,
    resume: Resume = False,
    num_threads: int = 1,
    progress: ProgressCallback | None = None,
) -> PSROResult:
    """PSRO in the true game: what could be found if the game itself were at hand.

    The loop of :func:`coffee_psro` on a game without members to disagree; whatever the configuration has as its
    objective is replaced by plain returns. Rewards are scaled by their deviation under uniform random play. Other
    parameters and errors are those of :func:`coffee_psro`; ``model_fingerprint`` of the result names the game.

    References
    ----------
    Lanctot et al. 2017; Nguyen and Wellman 2026, Section 5.2 and Appendix C.

    >>> import coffee_fast as cf
    >>> config = cf.PSROConfig(num_iterations=1, num_simulations=20, response=cf.DDQN(num_steps=200, min_replay=64))
    >>> result = cf.online_psro(cf.load_game("generalized_bargaining"), config, seed=1)
    >>> len(result.strategies[0]), result.table.num_members
    (2, 1)
    """
    check_dynamics("online_psro", "game", game)
    check_arguments("online_psro", game.spec, config)
    seed, execution = check_seed(seed), Execution.of("online_psro", run_dir, resume, num_threads, progress)
    scale = reward_scale(game, derive_seed(seed, "reward_scale"), execution.num_threads)
    true_game = _TrueGame(game.core, game.spec, game_fingerprint(game), scale)
    return run_psro("online_psro", true_game, _plain("online_psro", config), seed, execution)


def oef_bc(
    result: PSROResult,
    model: DynamicsEnsemble,
    cloned_policy: Policy | Sequence[Policy],
    weight: float,
    run_dir: str | Path | None = None,
    resume: Resume = False,
    num_threads: int = 1,
    progress: ProgressCallback | None = None,
) -> PSROResult:
    """Mix the strategies of a run with a policy cloned from the log, so that they keep near what was seen (OEF-BC).

    At every decision a strategy acts by ``cloned_policy`` with probability ``weight``, else as it was. Nothing is
    trained; the empirical game among the mixed strategies is simulated in the model anew, with the seeds of the run,
    and solved after each iteration. So one run of :func:`oef` serves any number of weights.

    Parameters
    ----------
    result
        The run, usually of :func:`oef`.
    model
        The model it was made in.
    cloned_policy
        From :func:`coffee_fast.clone_behavior`: a policy, or where the game has several roles one a role.
    weight
        In ``[0, 1]``. With 0 the result is that of ``result`` to the bit; with 1 all strategies play alike.
    run_dir, resume, num_threads, progress
        As in :func:`coffee_psro`.

    Returns
    -------
    PSROResult
        To be solved and evaluated like any other.

    Raises
    ------
    InvalidArgumentError
        For a weight out of range, another model than the run's, or a run whose configuration is not at hand.

    References
    ----------
    Li et al. 2022; Nguyen and Wellman 2026, Appendix D.2.
    """
    weight = check_number("oef_bc: weight", weight, at_most=1.0)
    if not isinstance(result, PSROResult) or result.config is None:
        raise InvalidArgumentError("oef_bc: result must be a PSROResult with its configuration")
    check_model("oef_bc", model)
    cloned = _cloned_by_role(cloned_policy, model.spec.num_roles)
    execution = Execution.of("oef_bc", run_dir, resume, num_threads, progress)
    if result.model_fingerprint != model.fingerprint:
        raise InvalidArgumentError("oef_bc: model must be the one that result was made in, got another")
    config, seed = result.config, result.seed
    fingerprint = _digest([model.fingerprint, *(policy_fingerprint(policy) for policy in cloned), weight])
    folder, state = begin(RunIdentity(config.to_json(), seed, fingerprint), model, execution)
    for record in result.records[len(state.records) :]:
        mixed = tuple(
            mix_per_step(policy, role[record.iteration], weight)
            for policy, role in zip(cloned, result.strategies, strict=True)
        )
        new = NewStrategies(mixed, record.objective, record.response_report)
        state = add_strategies(state, new, model, config, seed, execution.num_threads, seconds={})
        if folder:
            folder.save(state)
        execution.tell("oef_bc", record.iteration, result.num_iterations, {"weight": weight})
    return dataclasses.replace(finished(state, model, config, seed), status=result.status)


def _cloned_by_role(cloned_policy: Any, num_roles: int) -> tuple[Policy, ...]:
    policies = (cloned_policy,) if isinstance(cloned_policy, Policy) and num_roles == 1 else cloned_policy
    is_right = isinstance(policies, tuple | list) and len(policies) == num_roles
    if not is_right or not all(isinstance(policy, Policy) for policy in policies):
        what = "a policy" if num_roles == 1 else f"{num_roles} policies, one a role"
        raise InvalidArgumentError(f"oef_bc: cloned_policy must be {what}, got {shown(cloned_policy)}")
    return tuple(policies)


def mix_per_step(cloned_policy: Policy, strategy: Policy, weight: float) -> Policy:
    """Return the policy that acts by ``cloned_policy`` with probability ``weight`` at each decision.

    At weight 0 it is the strategy itself, which plays the same bits as it did before.
    """
    return PerStepMixture((cloned_policy, strategy), (weight, 1.0 - weight)) if weight else strategy


def game_fingerprint(game: Dynamics) -> str:
    """Return what tells a game from others: the sha256 (hex) of its specification where it does not say itself."""
    return getattr(game, "fingerprint", None) or _digest(game.spec.to_json())


@dataclasses.dataclass(frozen=True)
class _TrueGame:
    """A true game with the attributes by which the loop knows a model."""

    core: Any
    spec: GameSpec
    fingerprint: str
    reward_scale: float


def _plain(caller: str, config: PSROConfig) -> PSROConfig:
    if not isinstance(config, PSROConfig):
        raise InvalidArgumentError(f"{caller}: config must be a PSROConfig, got {shown(config)}")
    return dataclasses.replace(config, objective=ConservativeObjective(uncertainty_penalty=0.0, coverage_weight=0.0))


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
