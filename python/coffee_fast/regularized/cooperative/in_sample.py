"""What the in-sample cooperative solvers share: joint play, its value, and one player's share of both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coffee_fast.tabular.common_payoff import CommonPayoffGame
from coffee_fast.tabular.visits import state_transitions, values_of
from coffee_fast.typing import Float64

Policies = list[Float64]  # one f64[S, A_i] a player


def marginals(joint: Float64) -> Policies:
    """Return each player's marginal ``[S, A_i]`` of ``[S, A1, ..., An]``."""
    axes = range(1, joint.ndim)
    return [joint.sum(axis=tuple(a for a in axes if a != player)) for player in axes]


def joint_play(policies: Sequence[Float64], skip: int | None = None) -> Float64:
    """Return the product ``[S, A1, ..., An]``, with an axis of length 1 for the player ``skip``."""
    num_players = len(policies)
    joint = np.ones((len(policies[0]), *[1] * num_players))
    for player, policy in enumerate(policies):
        if player != skip:
            joint = joint * policy.reshape(len(policy), *(-1 if i == player else 1 for i in range(num_players)))
    return joint


def against(others: Float64, values: Float64, player: int) -> Float64:
    """Return ``[S, A_i]``: ``values [S, A1, ..., An]`` expected over the play ``others`` of all but one."""
    axes = tuple(axis for axis in range(1, values.ndim) if axis != player + 1)
    return np.asarray((others * values).sum(axis=axes))


def expected_return(game: CommonPayoffGame, joint: Float64) -> float:
    """Return the discounted rewards of joint play ``[S, A1, ..., An]`` from the first state."""
    rewards = (joint * game.rewards).reshape(game.num_states, -1).sum(axis=1)
    return float(values_of(rewards, state_transitions(joint, game.transitions), game.discount) @ game.initial)


def unseen_probability(game: CommonPayoffGame, joint: Float64) -> float:
    """Return how likely joint play leaves the log, which ends the game; later steps discounted."""
    here = (joint * game.unseen).reshape(game.num_states, -1).sum(axis=1)
    return float(values_of(here, state_transitions(joint, game.transitions), game.discount) @ game.initial)


def next_values(game: CommonPayoffGame, values: Float64) -> Float64:
    """Return ``discount E V`` of each cell, ``[S, A1, ..., An]``."""
    if game.discount == 0.0:
        return np.zeros(game.rewards.shape)
    return np.asarray(game.discount * (game.transitions @ values).reshape(game.rewards.shape))


def spread(game: CommonPayoffGame, policies: Sequence[Float64]) -> tuple[Float64, ...]:
    """Return policies in the caller's terms, uniform over the caller's actions in states that are not in the game."""
    found = []
    for policy in policies:
        whole = np.full((int(np.prod(game.policy_shape)), policy.shape[1]), 1.0 / policy.shape[1])
        whole[game.rows] = policy
        whole = whole.reshape(*game.policy_shape, policy.shape[1])
        whole.flags.writeable = False
        found.append(whole)
    return tuple(found)


def xlogx(p: Float64) -> Float64:
    """Return ``p log p``, 0 at 0."""
    return np.asarray(p * np.log(np.where(p > 0.0, p, 1.0)))
