"""A model of players who know what to do is not called good: who explores in it leaves its log."""

from __future__ import annotations

import numpy as np

import coffee_fast as cf
from coffee_fast.models import FitReport
from coffee_fast.models.figures_of_exploring import exploring_figures
from coffee_fast.simulation import simulate

QUICK = cf.EnsembleConfig(
    num_members=2, hidden_sizes=(48, 48), num_steps=1200, num_reward_steps=100, learning_rate=2e-3, holdout_fraction=0.2
)


def stubborn(game, share):
    """Players who make one and the same offer until it is taken, but for a share of moves at random."""
    sizes = game.spec.num_actions, game.spec.information_state_size
    bias = np.zeros(sizes[0], np.float32)
    bias[0] = 30.0
    policy = cf.NetworkPolicy(((np.zeros(sizes, np.float32), bias),))
    return [cf.PerStepMixture((policy, cf.UniformRandom()), (1.0 - share, share))] * 2


def test_exploring_leaves_a_log_of_players_who_always_do_the_same():
    game, figures = cf.load_game("generalized_bargaining"), {}
    for name, behavior in {"stubborn": [stubborn(game, 0.1)], "uniform": "uniform_random"}.items():
        log = cf.generate_dataset(game, behavior=behavior, num_trajectories=800, seed=2)
        report = cf.DynamicsEnsemble.fit(log, QUICK, seed=1).fit_report
        figures[name] = report.exploring_near_log
        told = "exploring_near_log" in [reason.figure for reason in report.verdict.reasons]
        assert told == (name == "stubborn"), str(report)
    assert figures["stubborn"] < 0.6
    assert figures["uniform"] > 0.9


def test_the_share_is_that_of_held_out_moves_for_play_like_theirs(longer_log, papers):
    training, held_out = longer_log.split(0.2, 3)
    rest, other = training.split(0.3, 5)
    played = {name: other.arrays[name] for name in ("state", "action", "acting_player")}
    (share,) = exploring_figures(papers, played, rest, held_out, seed=0).values()
    assert share > 0.9  # led on by the model, held-out moves are somewhat further away
    one = {name: array.copy() for name, array in played.items()}
    one["state"] += 10.0 * longer_log.state.std(axis=0)
    assert exploring_figures(papers, one, rest, held_out, seed=0) == {"exploring_near_log": 0.0}


def test_the_same_seed_gives_the_same_and_nothing_is_said_without_held_out_play(longer_log, papers):
    training, held_out = longer_log.split(0.2, 3)
    played = simulate(papers, ["uniform_random"] * 2, num_episodes=200, seed=1, record=True).trajectories
    shares = [exploring_figures(papers, played, training, held_out, seed)["exploring_near_log"] for seed in (0, 0, 1)]
    assert shares[0] == shares[1]
    assert np.isclose(shares[0], shares[2], atol=0.1)
    assert FitReport.of(papers, {}, longer_log, None, seed=0).exploring_near_log is None
