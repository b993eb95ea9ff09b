"""Backward induction over a tabular game whose stage games are solved by one of the anchored kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coffee_fast.regularized.anchored.anchors import Anchors
from coffee_fast.stage_games.kernels import anchored_best_response, contraction, is_zero_sum
from coffee_fast.tabular.game import TabularGame
from coffee_fast.typing import Float64, Int64, Profile


@dataclass(frozen=True, eq=False)
class Stage:
    """What a kernel says of ``G`` stage games: the play, as a distribution of profiles and marginals, and how good.

    ``value [G, N]`` is each player's payoff less its own KL penalty, ``penalty [G, N]`` that penalty.
    """

    joint: Float64
    marginals: Profile
    gap: Float64
    value: Float64
    penalty: Float64
    converged: NDArray[np.bool_]
    num_iterations: Int64


@dataclass(frozen=True, eq=False)
class Induced:
    """What backward induction found: figures NaN and play the reference in states that are not reached.

    ``joint [H, S, A1, ..., An]``, ``policies [H, S, A_i]``, ``values`` and ``stage_gap [N, H, S]``,
    ``gap`` and ``value [N]``, ``contraction [H, S]``, ``stage_payoffs [N, H, S, A1, ..., An]``
    (rewards and what follows).
    """

    joint: Float64
    policies: tuple[Float64, ...]
    values: Float64
    value: Float64
    stage_gap: Float64
    gap: Float64
    stage_payoffs: Float64
    contraction: Float64
    is_unique: bool
    has_converged: bool
    num_iterations: int


def induce(game: TabularGame, anchors: Anchors, solve: Callable[[Profile, Profile, Float64], Stage]) -> Induced:
    """Solve all stage games from the last step to the first; ``solve`` takes payoffs, log-references and weights.

    ``gap`` is what each player could gain in the whole game, from its first states, by any policy of its own: a second
    induction, of best responses to the play found, gives it exactly.
    """
    H, S, N = game.horizon, game.num_states, game.num_players
    policies = tuple(np.exp(x) for x in anchors.reference)
    joint = product(policies)
    values, stage_gap, factor = np.full((N, H, S), np.nan), np.full((N, H, S), np.nan), np.full((H, S), np.nan)
    stage_payoffs = np.full(game.rewards.shape, np.nan)
    following, best_following = np.zeros((N, S)), np.zeros((N, S))
    reached, fill = game.reached, _Fill(game, anchors)
    num_iterations, has_converged, is_unique = 0, True, True
    for step in reversed(range(H)):
        rows = np.flatnonzero(reached[step])
        payoffs, reference = fill(step, rows, following), [x[step, rows] for x in anchors.reference]
        weights = np.tile(anchors.kl_weight, (len(rows), 1))
        stage = solve(payoffs, reference, weights)
        joint[step, rows] = stage.joint
        for policy, marginal in zip(policies, stage.marginals, strict=True):
            policy[step, rows] = marginal
        # In the zero-sum convention the other's penalty is a gain.
        gain = stage.penalty[:, ::-1] if anchors.kl_value == "zero_sum" else np.zeros_like(stage.value)
        best = _best_values(fill(step, rows, best_following), stage.joint, reference, weights) + gain
        following, best_following = np.zeros((N, S)), np.zeros((N, S))
        following[:, rows], best_following[:, rows] = (stage.value + gain).T, best.T
        values[:, step, rows], stage_gap[:, step, rows] = following[:, rows], stage.gap.T
        stage_payoffs[:, step, rows] = np.stack(payoffs)
        factor[step, rows] = contraction(payoffs, weights)
        is_unique &= bool(((factor[step, rows] < 1.0) | is_zero_sum(payoffs, weights)).all())
        has_converged &= bool(stage.converged.all())
        num_iterations += int(stage.num_iterations.sum())
    gap = np.maximum((best_following - following) @ game.initial, 0.0)
    value = following @ game.initial
    return Induced(
        joint,
        policies,
        values,
        value,
        stage_gap,
        gap,
        stage_payoffs,
        factor,
        is_unique,
        has_converged,
        num_iterations,
    )


class _Fill:
    """Payoffs of stage games: rewards and what follows, with numbers for cells that are unseen or not legal."""

    def __init__(self, game: TabularGame, anchors: Anchors) -> None:
        self.game, self.unseen = game, game.unseen
        self.unseen_value = anchors.unseen_value

    def __call__(self, step: int, rows: Int64, following: Float64) -> Profile:
        """Return one ``[G, A1, ..., An]`` a player, for the value ``following [N, S]`` of the next step's states."""
        unseen, num_players = self.unseen[step, rows], self.game.num_players
        filled = []
        for player in range(num_players):
            q = self.game.rewards[player, step, rows]
            if step + 1 < self.game.horizon and self.game.transitions is not None:
                q = q + self.game.transitions[step, rows] @ following[player]
            q = np.where(unseen, self.unseen_value[player], q)
            # Nobody plays what is not legal: there, what a player gets on average elsewhere widens no certificate.
            for axis, legal in enumerate(self.game.legal or ()):
                mask = legal[step, rows].reshape(len(rows), *(-1 if i == axis else 1 for i in range(num_players)))
                mean = np.where(mask, q, 0.0).sum(axis=axis + 1, keepdims=True) / mask.sum(axis=axis + 1, keepdims=True)
                q = np.where(mask, q, mean)
            filled.append(q)
        return filled


def product(mixtures: Sequence[Float64]) -> Float64:
    """Return the distribution of profiles ``[..., A1, ..., An]`` of independent mixtures ``[..., A_i]``."""
    joint, lead = mixtures[0], mixtures[0].ndim - 1
    for x in mixtures[1:]:
        joint = joint[..., None] * x.reshape(*x.shape[:lead], *[1] * (joint.ndim - lead), -1)
    return np.array(joint)


def _best_values(payoffs: Profile, joint: Float64, reference: Profile, weights: Float64) -> Float64:
    """Return ``[G, N]``: the best regularized payoff of each player against the others' part of ``joint``."""
    values = []
    for player, q in enumerate(payoffs):
        own = player + 1
        others = tuple(axis for axis in range(1, q.ndim) if axis != own)
        expected = (q * joint.sum(axis=own, keepdims=True)).sum(axis=others)
        values.append(anchored_best_response(expected, reference[player], weights[:, player])[1])
    return np.stack(values, axis=1)
