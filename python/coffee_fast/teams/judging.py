"""What the log says of the policies that were found: by episodes that nothing was learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coffee_fast.seeding import derive_seed
from coffee_fast.teams.learner import Behavior, divergence, is_likely
from coffee_fast.teams.sweeps import LocalValues, Team, Turn
from coffee_fast.typing import Float32, Float64

_NUM_DRAWN = 10_000  # decisions


@dataclass(frozen=True, eq=False)
class Figures:
    """See :class:`TeamPolicies`."""

    expected_return: Float64
    gap: Float64
    divergence: float
    off_log_probability: float
    effective_sample_size: Float64
    training_error: Float64
    held_out_error: Float64


def judge(team: Team, held_out: Behavior, weights: tuple[float, float], seed: int) -> Figures:
    """Return figures of a team's policies about the episodes kept out."""
    players, log = range(len(team.networks)), held_out.log
    play = np.stack([team.networks[player].play(log, player) for player in players], axis=1)
    rng = np.random.Generator(np.random.PCG64(derive_seed(seed, "draws")))
    reward, discount = np.asarray(log.reward / team.scale, dtype=np.float32), team.config.discount
    gaps, estimates, sizes = [], [], []
    for player in players:
        turn = Turn.of(held_out, play, player, reward, weights, discount, team.worst, rng)
        wanted = np.log(np.maximum(turn.wanted(team.critics[player].leads_to(turn)), 1e-12))
        gap = turn.temperature * divergence(turn.own, wanted)[log.rows[player]].mean()
        gaps.append(team.scale * max(float(gap), 0.0))
        alone = Turn.of(held_out, play, player, reward, (0.0, 0.0), discount, team.worst, rng)
        estimates.append(team.scale * _expected_return(team, alone, derive_seed(seed, "returns", player)))
        ratio = held_out.ratio(play, player)
        sizes.append(ratio.sum() ** 2 / (ratio**2).sum() / len(ratio))
    away, off = _joint(held_out, play, rng)
    returns, training_error, held_out_error = np.array(estimates).T
    return Figures(
        returns, np.array(gaps), float(away.mean()), float(off.mean()), np.array(sizes), training_error, held_out_error
    )


def _expected_return(team: Team, judged: Turn, seed: int) -> Float64:
    """Rewards alone from the first decisions of the episodes kept out, by values learned from the others.

    And the root mean squared errors of those values, of decisions that they were learned from and of those kept out.
    """
    critic = LocalValues.of(team.behavior, team.config, team.start, seed)
    rng = np.random.Generator(np.random.PCG64(derive_seed(seed, "batches")))
    learned = team.turn(judged.player, (0.0, 0.0))
    critic.learn(learned, team.config.num_judging_steps, rng)
    first = judged.behavior.log.first
    p = np.exp(judged.own[first].astype(np.float64))
    expected = (p * critic.leads_to(judged)[first]).sum(axis=1).mean()
    errors = [np.sqrt(critic.loss(turn, turn.draw(_NUM_DRAWN, rng)).item()) for turn in (learned, judged)]
    return np.array([expected, *errors])


def _joint(behavior: Behavior, play: Float32, rng: np.random.Generator) -> tuple[Float64, Float64]:
    """``f64 [R]`` each: divergence of joint play from the log's, and how likely it is something the log does not show.

    Of the first player exact, of each other beside one draw of those before it.
    """
    log, rows = behavior.log, np.arange(behavior.log.num_rows)
    told, acts = np.full((log.num_rows, log.num_players), -1), log.acts
    away, kept = np.zeros(log.num_rows), np.ones(log.num_rows)
    for player in range(log.num_players):
        there = behavior.network.log_probabilities(log, rows, player, told)
        p = np.exp(play[:, player].astype(np.float64))
        away += divergence(play[:, player], there)
        kept *= (p * is_likely(there, behavior.share)).sum(axis=1)
        drawn = np.minimum((rng.random(log.num_rows)[:, None] >= p.cumsum(axis=1)).sum(axis=1), p.shape[1] - 1)
        told[:, player] = np.where(acts[:, player], drawn, -1)
    return away, np.maximum(1.0 - kept, 0.0)
