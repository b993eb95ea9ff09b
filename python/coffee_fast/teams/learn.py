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


def learn_team(
    dataset: TrajectoryDataset,
    config: TeamConfig | None = None,
    seed: int = 0,
    *,
    progress: ProgressCallback | None = None,
) -> TeamPolicies:
    """Learn policies of teammates, who act without talking, from a log of play that all were paid alike for.

    Each player's own play is cloned, and with it what all did together. Then player after player, beside the others'
    newest policies, learns what its actions lead to from the decisions of the log, weighted by how much likelier the
    others now make them, and clones its play again, weighted by what it leads to. What the log's players never did
    together costs its KL divergence, so that teammates agree on one of the ways that the log shows. No model is
    learned.

    Parameters
    ----------
    dataset
        The log: of any number of players, who move at once or in turn, and all get the same. Values are learned from
        states and all that players saw; each policy sees what its player knew.
    config
        :class:`InSPOConfig`, the default, or :class:`AlberDICEConfig`, which also weighs how often the log visits what.
    seed
        In ``[0, 2**63)``. Same seed, same bits: torch computes on one thread.
    progress
        Called with ``("learn team", sweeps done, num_sweeps, figures)`` after every sweep, and while play is cloned.

    Returns
    -------
    TeamPolicies
        To be played, saved, and judged in the game itself, where there is one, as any solution. A policy a player:
        :func:`coffee_fast.true_regret` asks for a game in which each is a role of its own.

    Raises
    ------
    DatasetError
        For rewards that differ between players, naming the first, a log in which somebody never acts, or one whose
        episodes all break off at once.
    InvalidArgumentError
        For arguments of the wrong kind, or fewer than four episodes, of which some must be kept out.
    NumericalError
        If values leave the finite numbers.

    Notes
    -----
    Cost: some milliseconds a step of 256 decisions, for each player ``num_value_steps + num_policy_steps`` a sweep, and
    a pass over the log for each other player and action. Rewards of chance's moves count with the decision before. The
    last decision of an episode that broke off teaches what was done, and not what it led to. Where everything is tied,
    the seed decides.

    References
    ----------
    Liu et al. 2024 (in-sample sequential policy optimization); Matsunaga et al. 2023 (AlberDICE). Values of joint
    actions are local, and what the others do is weighted, in place of their networks' architecture.

    >>> import coffee_fast as cf
    >>> log = cf.data.xor_log("b") | {"episode": range(5100)}  # half did AB, half BA
    >>> dataset = cf.TrajectoryDataset.from_transitions(None, log)
    >>> sizes = {"hidden_sizes": (8,), "num_sweeps": 2, "num_value_steps": 5, "num_policy_steps": 5}
    >>> sizes |= {"num_cloning_steps": 20, "num_judging_steps": 20}
    >>> team = learn_team(dataset, cf.InSPOConfig(**sizes, kl_weight=0.1))
    >>> len(team.policies), team.about
    (2, 'the game that 4590 logged episodes show, by 510 others, with learned values; nothing is known of what the log \
never shows')
    """
    from coffee_fast._torch_threads import learning_in_torch
    from coffee_fast.teams.behavior import JointBehavior
    from coffee_fast.teams.judging import judge
    from coffee_fast.teams.learner import Behavior, PolicyNetwork
    from coffee_fast.teams.sweeps import Team

    config = InSPOConfig() if config is None else config
    check_dataset("learn_team", dataset)
    if not isinstance(config, TeamConfig) or type(config) is TeamConfig:
        raise InvalidArgumentError(f"learn_team: config must be an InSPOConfig or AlberDICEConfig, got {shown(config)}")
    progress, seed = check_progress("learn_team: progress", progress), check_seed(seed)
    training, kept_out = split_log("learn_team", dataset, config.holdout_fraction, derive_seed(seed, "holdout"))
    (log, view), clones = read(training), _clones(dataset, config, seed, progress)
    held_out, _ = read(kept_out, view)
    with learning_in_torch():
        network = JointBehavior(log, config, derive_seed(seed, "behavior"))
        network.fit(log, held_out, config, derive_seed(seed, "behavior"))
        behavior = Behavior.of(log, network, config.support)
        networks = [PolicyNetwork(clone, config.learning_rate) for clone in clones]
        scale = _scale(log, config.discount)
        team = Team.of(behavior, networks, config, scale, seed)
        history = []
        for number in range(config.num_sweeps):
            history.append(team.sweep(number))
            if progress:
                figures = {name: float(np.mean(values)) for name, values in history[-1].items()}
                progress("learn team", number + 1, config.num_sweeps, figures)
        judges = Behavior.of(held_out, network, config.support)
        found = judge(team, judges, team.weights(config.num_sweeps - 1), derive_seed(seed, "judging"))
    return TeamPolicies(
        policies=tuple(one.policy() for one in networks),
        clones=tuple(clones),
        spec=dataset.spec,
        config=config,
        expected_return=found.expected_return,
        logged_return=float(held_out.returns(config.discount).mean()),
        return_scale=scale,
        gap=found.gap,
        divergence=found.divergence,
        off_log_probability=found.off_log_probability,
        effective_sample_size=found.effective_sample_size,
        training_error=found.training_error,
        held_out_error=found.held_out_error,
        num_episodes=len(log.first),
        num_held_out=len(held_out.first),
        history=_stacked(history),
    )


def _clones(
    dataset: TrajectoryDataset, config: TeamConfig, seed: int, progress: ProgressCallback | None
) -> list[NetworkPolicy]:
    """Each player's own play, cloned."""
    cloning = BehaviorCloningConfig(
        hidden_sizes=config.hidden_sizes,
        num_steps=config.num_cloning_steps,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        holdout_fraction=config.holdout_fraction,
    )
    # With this seed the same episodes are kept out as by all else.
    players = range(dataset.spec.num_players)
    return [clone_behavior(dataset, cloning, seed, seats=[player], progress=progress) for player in players]


def _scale(log: TeamLog, discount: float) -> float:
    """The size of returns, by which rewards are divided."""
    returns = log.returns(discount)
    deviation, size = float(returns.std()), float(np.abs(returns).max())
    return deviation if deviation > 1e-6 * size else size or 1.0


def _stacked(history: list[dict[str, Float64]]) -> Mapping[str, Float64]:
    return {name: np.stack([figures[name] for figures in history]) for name in history[0]}
