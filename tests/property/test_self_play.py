"""What self-play comes to in games whose solutions are known."""

from __future__ import annotations

import numpy as np
import pytest
from tests.games import VOLUNTEER

import coffee_fast as cf

# Rock, paper, scissors with stakes that differ, as OpenSpiel's matrix_brps has it; its equilibrium is (1, 10, 5) / 16.
ROW = np.array([[0.0, -25.0, 50.0], [25.0, 0.0, -5.0], [-50.0, 5.0, 0.0]])


def logit_equilibrium(payoffs, temperature):
    """The fixed point of play by the softmax of payoffs, both players alike in a zero-sum game of two who are."""
    play = np.full(len(payoffs), 1.0 / len(payoffs))
    for _ in range(20_000):
        values = payoffs @ play / temperature
        response = np.exp(values - values.max())
        play = 0.98 * play + 0.02 * response / response.sum()
    return play


@pytest.mark.parametrize("update", ["clipped", "mirror_descent"])
def test_a_matrix_game_ends_near_its_logit_equilibrium(update):
    """KL to uniform play is entropy, so the weight is the temperature, in units of the reward scale."""
    tree = cf.GameTree("openspiel:matrix_brps")
    config = cf.SelfPlayConfig(
        hidden_sizes=(),
        num_updates=60,
        num_episodes=2000,
        batch_size=1000,
        update=update,
        kl_weight=0.3,
        kl_weight_end=0.3,
        learning_rate=5e-3,
        learning_rate_end=5e-4,
        averaging=0.95,
        num_snapshots=1,
    )
    (policies,) = cf.self_play_snapshots(tree, config, seed=0).snapshots
    expected = logit_equilibrium(ROW, 0.3 * tree.reward_scale)
    assert np.abs(expected - np.array([1.0, 10.0, 5.0]) / 16).max() > 0.1
    for role, policy in enumerate(policies):
        own = tree.information_set_players == role
        (play,) = policy.probabilities(tree.information_states[own], tree.legal_masks[own])
        np.testing.assert_allclose(play, expected, atol=0.05)


@pytest.mark.parametrize(
    ("risk_aversion", "expected"), [(0.0, (0.883280, 0.195226)), (2.0, (0.648553,) * 2), (5.0, (0.726801,) * 2)]
)
def test_risk_aversion_ends_free_riding(tmp_path, risk_aversion, expected):
    """Fixed points at a temperature of .2, as the closed form of the worst partner has them."""
    (tmp_path / "volunteer.efg").write_text(VOLUNTEER)
    tree = cf.GameTree(f"gambit:{tmp_path}/volunteer.efg")
    config = cf.SelfPlayConfig(
        hidden_sizes=(),
        num_updates=300,
        num_episodes=3000,
        batch_size=1500,
        update="mirror_descent",
        step_size=0.5,
        kl_weight=0.2 / tree.reward_scale,
        kl_weight_end=0.2 / tree.reward_scale,
        risk_aversion=risk_aversion * tree.reward_scale,
        learning_rate=1e-2,
        learning_rate_end=5e-4,
        averaging=0.97,
        num_snapshots=1,
    )
    found = cf.self_play_snapshots(tree, config, seed=0)
    works = []
    for role, policy in enumerate(found.snapshots[0]):
        own = tree.information_set_players == role
        works.append(policy.probabilities(tree.information_states[own], tree.legal_masks[own])[0, 0])
    np.testing.assert_allclose(sorted(works), sorted(expected), atol=0.02)
    if risk_aversion:
        # Against its adversaries a player earns less, and what they pay is their divergence by the closed form.
        work, reward = expected[0], np.array([[0.6, 0.6], [1.0, 0.0]])
        values = np.array([work, 1 - work]) @ reward
        worst = np.array([work, 1 - work]) * np.exp(-risk_aversion * values)
        worst /= worst.sum()
        late = {name: rows[-50:].mean(axis=0) for name, rows in found.history.items()}
        np.testing.assert_allclose(late["returns"], worst @ values, atol=0.02)
        divergence = (worst * np.log(worst / [work, 1 - work])).sum()
        np.testing.assert_allclose(late["adversary_kl"], divergence, rtol=0.15)


def test_kuhn_poker_is_nearly_solved():
    """Uniform random play has a NashConv of 0.917."""
    tree = cf.GameTree("openspiel:kuhn_poker")
    config = cf.SelfPlayConfig(
        hidden_sizes=(32,),
        num_updates=400,
        num_episodes=1000,
        batch_size=1000,
        update="mirror_descent",
        step_size=0.1,
        kl_weight=0.3,
        kl_weight_end=0.05,
        learning_rate=3e-3,
        averaging=0.97,
        num_snapshots=2,
    )
    solution = cf.anchored_self_play(tree, config, seed=0)
    assert cf.exact_regret(tree, solution).nash_conv < 0.1
    assert solution.history["snapshot_pessimistic_regret"].shape == (2, 2)
