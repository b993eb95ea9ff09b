"""The policies of a run of self-play at several updates, with what happened on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.policies import NetworkPolicy, Policy, UniformRandom
from coffee_fast.policy_files import policy_fingerprint
from coffee_fast.psro.baselines import game_fingerprint
from coffee_fast.psro.execution import Execution
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.self_play.checkpoint import SelfPlayIdentity, open_folder
from coffee_fast.self_play.config import SelfPlayConfig
from coffee_fast.self_play.training import SelfPlayTraining, Snapshot
from coffee_fast.simulation import check_dynamics, reward_scale
from coffee_fast.typing import Float64, ProgressCallback, Resume

if TYPE_CHECKING:
    from coffee_fast.dynamics import Dynamics
    from coffee_fast.games import GameSpec


@dataclass(frozen=True, eq=False)
class SelfPlaySnapshots:
    """What a run of self-play came by.

    Attributes
    ----------
    snapshots
        The averaged policies at each of ``updates``, one a role, as softmax networks.
    updates
        How many updates each snapshot has behind it.
    kl_weights
        What divergence from the reference cost at its last one, or would at the first: f64 ``[num_snapshots]``.
    history
        Figures of each update ``[num_updates, ...]``, those of players ``[., N]``, of roles ``[., R]``: ``returns`` of
        an episode, raw, mean over members; ``disagreement`` of the members, a sum over an episode; over decisions the
        means of ``kl``, the divergence from the reference, ``entropy``, and ``step_kl``, the old policy's divergence
        from the new one; ``kl_per_episode``; ``value_error``, squared, in units of the reward scale; ``clipped``, the
        share of decisions; ``num_decisions``; ``kl_weight`` and ``learning_rate``. With ``risk_aversion`` the returns
        are those of each player among its adversaries, and ``adversary_kl`` ``[., K]`` is how far each of the ``K``
        adversaries leaves the role that it plays, by decision.
    """

    snapshots: tuple[Snapshot, ...]
    updates: tuple[int, ...]
    kl_weights: Float64
    history: Mapping[str, Float64]

    @property
    def by_role(self) -> tuple[Snapshot, ...]:
        """The snapshots of each role, as ``start`` of :func:`coffee_fast.coffee_psro` takes them."""
        return tuple(zip(*self.snapshots, strict=True))


def self_play_snapshots(
    model: Dynamics,
    config: SelfPlayConfig,
    seed: int,
    run_dir: str | Path | None = None,
    resume: Resume = False,
    num_threads: int = 1,
    progress: ProgressCallback | None = None,
    reference: NetworkPolicy | Sequence[NetworkPolicy] | None = None,
) -> SelfPlaySnapshots:
    """Let all players learn at once, each near its reference, and return the policies met on the way, unjudged.

    Parameters are those of :func:`anchored_self_play`, which chooses among these snapshots. All of them may be the
    first strategies of :func:`coffee_fast.coffee_psro`.

    Returns
    -------
    SelfPlaySnapshots

    Raises
    ------
    InvalidArgumentError, CheckpointError, NumericalError
        As :func:`anchored_self_play`.

    >>> import coffee_fast as cf
    >>> sizes = {"hidden_sizes": (8,), "num_updates": 4, "num_episodes": 20, "num_snapshots": 2}
    >>> found = cf.self_play_snapshots(cf.load_game("generalized_bargaining"), cf.SelfPlayConfig(**sizes), seed=0)
    >>> found.updates, found.history["returns"].shape, found.by_role[0][0]
    ((3, 4), (4, 2), NetworkPolicy(41-8-109, softmax, temperature 1))
    """
    execution = Execution.of("self_play_snapshots", run_dir, resume, num_threads, progress)
    return find_snapshots("self_play_snapshots", model, config, seed, execution, reference)


def find_snapshots(
    caller: str, model: Dynamics, config: SelfPlayConfig, seed: int, execution: Execution, reference: Any
) -> SelfPlaySnapshots:
    """Train to the end, from the run folder on if there is one; ``caller`` is the function that messages name."""
    check_dynamics(caller, "model", model)
    if not isinstance(config, SelfPlayConfig):
        raise InvalidArgumentError(f"{caller}: config must be a SelfPlayConfig, got {shown(config)}")
    seed, references = check_seed(seed), _references(caller, reference, config, model.spec)
    checkpoint = None
    if execution.run_dir is not None:
        fingerprints = [policy_fingerprint(policy) for policy in references]
        identity = SelfPlayIdentity(config.to_json(), seed, game_fingerprint(model), fingerprints)
        checkpoint = open_folder(execution.run_dir, identity, model.spec, execution.resume)
    scale = getattr(model, "reward_scale", None) or reward_scale(model, derive_seed(seed, "reward_scale"))
    training = SelfPlayTraining(model, config, seed, scale, references)
    if checkpoint:
        checkpoint.restore(training)
    while training.num_done < config.num_updates:
        num_kept = len(training.snapshots)
        figures = training.advance(execution.num_threads)
        if checkpoint:
            (checkpoint.write if len(training.snapshots) > num_kept else checkpoint.keep)(training)
        execution.tell("self-play", training.num_done, config.num_updates, figures)
    updates = config.snapshot_updates
    kl_weights = np.array([config.kl_weight_at(max(update - 1, 0)) for update in updates])
    return SelfPlaySnapshots(training.snapshots, updates, kl_weights, training.history())


def _references(caller: str, reference: Any, config: SelfPlayConfig, spec: GameSpec) -> tuple[Policy, ...]:
    """The reference of each role."""
    if config.reference == "uniform":
        if reference is not None:
            raise InvalidArgumentError(
                f"{caller}: reference must be None where config.reference is 'uniform', got {shown(reference)}; set "
                "config.reference to 'cloned' to use it"
            )
        return (UniformRandom(),) * spec.num_roles
    policies = [reference] if isinstance(reference, NetworkPolicy) and spec.num_roles == 1 else reference
    what = "a NetworkPolicy" if spec.num_roles == 1 else f"{spec.num_roles} of NetworkPolicy, one a role,"
    wanted = f"{caller}: reference must be {what} of kind 'softmax' where config.reference is 'cloned'"
    if not isinstance(policies, tuple | list) or len(policies) != spec.num_roles:
        raise InvalidArgumentError(f"{wanted}, got {shown(reference)}; clone_roles makes such policies")
    sizes = spec.information_state_size, spec.num_actions
    for policy in policies:
        if not isinstance(policy, NetworkPolicy) or policy.kind != "softmax":
            raise InvalidArgumentError(f"{wanted}, got {shown(policy)}; clone_roles makes such policies")
        if (policy.network.input_size, policy.network.output_size) != sizes:
            raise InvalidArgumentError(f"{wanted}, from {sizes[0]} inputs to {sizes[1]} actions, got {shown(policy)}")
    return tuple(policies)
