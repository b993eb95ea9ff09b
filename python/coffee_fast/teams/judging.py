"""What the log says of the policies that were found: by episodes that nothing was learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from coffee_fast.teams.behavior import others
from coffee_fast.teams.learner import Behavior, restricted
from coffee_fast.teams.sweeps import LocalValues, Team, Turn
from coffee_fast.seeding import derive_seed
from coffee_fast.typing import Float32, Float64


@dataclass(frozen=True, eq=False)
class Figures:
    """See :class:`TeamPolicies`."""

    expected_return: Float64
    gap: Float64
    divergence: float
    off_log_probability: float
    effective_sample_size: Float64


def judge(team: Team, held_out: Behavior, weights: tuple[float, float], seed: int) -> Figures:
    """Return figures of a team's policies about the episodes kept out."""
    players, log = range(len(team.networks)), held_out.log
    play = np.stack([team.networks[player].play(log, player) for player in players], axis=1)
    reward = np.asarray(log.reward / team.scale, dtype=np.float32)
    rng = np.random.Generator(np.random.PCG64(derive_seed(seed, "draws")))
    gaps, returns, sizes = [], [], []
    for player in players:
        turn = Turn.of(held_out, play, player, reward, weights, team.config.discount, rng)
        wanted = turn.wanted(team.critics[player].leads_to(log.features))
        gaps.append(team.scale * turn.temperature * _divergence(turn.own, wanted)[log.rows[player]].mean())
        returns.append(team.scale * _expected_return(team, held_out, play, player, derive_seed(seed, "returns", player)))
        ratio = held_out.ratio(play, player)
        sizes.append(ratio.sum() ** 2 / (ratio**2).sum() / len(ratio))
    divergence, kept = _joint(held_out, play, rng)
    return Figures(
        np.array(returns), np.array(gaps), float(divergence.mean()), float(1.0 - kept.mean()), np.array(sizes)
    )


def _expected_return(team: Team, held_out: Behavior, play: Float32, player: int, seed: int) -> float:
    """Rewards alone from the first decisions of the episodes kept out, by values learned from the others."""
    start = team.behavior.log.mean_to_come(team.config.discount) / team.scale
    critic = LocalValues.of(team.behavior, team.config, start, seed)
    rng = np.random.Generator(np.random.PCG64(derive_seed(seed, "batches")))
    critic.learn(team.turn(player, (0.0, 0.0)), team.config.num_judging_steps, rng)
    first = held_out.log.first
    p = np.exp(restricted(play[first, player], held_out.support[first, player]).astype(np.float64))
    return float((p * critic.leads_to(held_out.log.features[first])).sum(axis=1).mean())


def _divergence(log_p: Float32, q: Float32) -> Float64:
    """``f64 [R]``: KL divergence of ``p`` from ``q``, where ``q`` is 0 as if it were least."""
    p = np.exp(log_p.astype(np.float64))
    log_q = np.log(np.maximum(q.astype(np.float64), 1e-12))
    return np.asarray(np.where(p > 0.0, p * (np.maximum(log_p, -1e3) - log_q), 0.0).sum(axis=1))


def _joint(behavior: Behavior, play: Float32, rng: np.random.Generator) -> tuple[Float64, Float64]:
    """``f64 [R]`` each: divergence of joint play from the log's, and how likely it keeps to what the log shows.

    Of the first player exact, of each other beside one draw of those before it.
    """
    log, rows = behavior.log, np.arange(behavior.log.num_rows)
    told, acts = np.full((log.num_rows, log.num_players), -1), log.acts
    divergence, kept = np.zeros(log.num_rows), np.ones(log.num_rows)
    for player in range(log.num_players):
        log_mu = behavior.network.log_probabilities(log, rows, player, told).astype(np.float64)
        p = np.exp(play[:, player].astype(np.float64))
        likely = log_mu >= log_mu.max(axis=1, keepdims=True) + np.log(behavior.share)
        gain = np.where(p > 0.0, np.maximum(play[:, player], -1e3), 0.0) - np.where(p > 0.0, log_mu, 0.0)
        divergence += np.where(p > 0.0, p * gain, 0.0).sum(axis=1)
        kept *= (p * likely).sum(axis=1)
        drawn = np.minimum((rng.random(log.num_rows)[:, None] >= p.cumsum(axis=1)).sum(axis=1), p.shape[1] - 1)
        told[:, player] = np.where(acts[:, player], drawn, -1)
    return divergence, kept
