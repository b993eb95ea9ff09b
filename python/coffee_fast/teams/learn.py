"""Teammates from a log, with networks: the deep forms of InSPO and AlberDICE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from coffee_fast.checks import check_progress
from coffee_fast.errors import InvalidArgumentError, shown
from coffee_fast.models import BehaviorCloningConfig, clone_behavior
from coffee_fast.models.arguments import check_dataset
from coffee_fast.seeding import check_seed, derive_seed
from coffee_fast.teams.config import InSPOConfig, TeamConfig
from coffee_fast.teams.log import TeamLog, read, split_log
from coffee_fast.teams.solution import TeamPolicies
from coffee_fast.typing import Float64, ProgressCallback

if TYPE_CHECKING:
    from coffee_fast.data import TrajectoryDataset
    from coffee_fast.policies import NetworkPolicy

_OFF_LOG = 0.05  # of the probability of a decision that the log does not show, above which the figures are a guess


def learn_team(
    dataset: TrajectoryDataset,
    config: TeamConfig | None = None,
    seed: int = 0,
    *,
    progress: ProgressCallback | None = None,
) -> TeamPolicies:
    from coffee_fast.models.steps import single_threaded
    from coffee_fast.teams.behavior import JointBehavior
    from coffee_fast.teams.judging import judge
    from coffee_fast.teams.learner import Behavior, PolicyNetwork
    from coffee_fast.teams.sweeps import Team

    caller = "learn_team"
    config = InSPOConfig() if config is None else config
    check_dataset(caller, dataset)
    if not isinstance(config, TeamConfig) or not hasattr(config, "kind"):
        raise InvalidArgumentError(f"{caller}: config must be an InSPOConfig or AlberDICEConfig, got {shown(config)}")
    progress, seed = check_progress(f"{caller}: progress", progress), check_seed(seed)
    training, kept_out = split_log(caller, dataset, config.holdout_fraction, derive_seed(seed, "holdout"))
    (log, view), clones = read(training), _clones(dataset, config, seed)
    held_out, _ = read(kept_out, view)
    scale = _scale(log, config.discount)
    with single_threaded():
        network = JointBehavior(log, config, derive_seed(seed, "behavior"))
        network.fit(log, held_out, config, derive_seed(seed, "behavior"))
        behavior = Behavior.of(log, network, config.support)
        team = Team.of(behavior, [PolicyNetwork(one, config.learning_rate) for one in clones], config, scale, seed)
        history = []
        for number in range(config.num_sweeps):
            history.append(team.sweep(number))
            if progress:
                figures = {name: float(np.mean(values)) for name, values in history[-1].items()}
                progress("learn team", number + 1, config.num_sweeps, figures)
        judged = Behavior.of(held_out, network, config.support)
        figures_ = judge(team, judged, team.weights(config.num_sweeps - 1), derive_seed(seed, "judging"))
    return TeamPolicies(
        policies=tuple(one.policy() for one in team.networks),
        clones=tuple(clones),
        spec=dataset.spec,
        config=config,
        expected_return=figures_.expected_return,
        logged_return=float(held_out.returns(config.discount).mean()),
        gap=figures_.gap,
        divergence=figures_.divergence,
        off_log_probability=figures_.off_log_probability,
        effective_sample_size=figures_.effective_sample_size,
        status="off_log" if figures_.off_log_probability > _OFF_LOG else "complete",
        history=_stacked(history),
        num_episodes=(len(log.first), len(held_out.first)),
    )


def _clones(dataset: TrajectoryDataset, config: TeamConfig, seed: int) -> list[NetworkPolicy]:
    """Each player's own play, cloned."""
    cloning = BehaviorCloningConfig(
        hidden_sizes=config.hidden_sizes,
        num_steps=config.num_cloning_steps,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        holdout_fraction=config.holdout_fraction,
    )
    # The same episodes are kept out as by all else: that seed is derived from this one.
    return [clone_behavior(dataset, cloning, seed, seats=[player]) for player in range(dataset.spec.num_players)]


def _scale(log: TeamLog, discount: float) -> float:
    """The size of returns, by which rewards are divided."""
    returns = log.returns(discount)
    deviation, size = float(returns.std()), float(np.abs(returns).max())
    return deviation if deviation > 1e-6 * size else size or 1.0


def _stacked(history: list[dict[str, Float64]]) -> Mapping[str, Float64]:
    return {name: np.stack([figures[name] for figures in history]) for name in history[0]}
