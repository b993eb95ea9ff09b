"""Policy gradients as a response oracle: exact responses in a small tree, schedules, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from tests.games import VOLUNTEER

import coffee_fast as cf
from coffee_fast.policies import as_mixture
from coffee_fast.responses import PolicyGradient, ResponseObjective, from_config

SMALL = PolicyGradient(hidden_sizes=(32,), num_updates=100, num_episodes=1000, batch_size=256, learning_rate=5e-3)


@pytest.fixture(scope="module")
def kuhn():
    pytest.importorskip("pyspiel")
    return cf.GameTree("openspiel:kuhn_poker")


@pytest.mark.parametrize("update", ["clipped", "mirror_descent"])
@pytest.mark.parametrize("player", [0, 1])
def test_it_learns_an_exact_best_response_to_uniform_play(kuhn, player, update):
    oracle = PolicyGradient(**{**SMALL.__dict__, "update": update})
    response = oracle.respond(
        kuhn, as_mixture("uniform_random"), ResponseObjective(), seed=1, reward_scale=1.0, player=player
    )
    players = ["uniform_random"] * 2
    best = cf.exact_regret(kuhn, players).best_response_values[player]
    players[player] = response.policy
    assert cf.exact_regret(kuhn, players).values[player] == pytest.approx(best, abs=1e-9)


def test_a_role_of_several_seats_learns_in_each_of_them():
    """An episode each in turn: what it decides and earns is halfway between the seats."""
    game, oracle = cf.load_game("generalized_bargaining"), PolicyGradient(num_updates=1, num_episodes=400)
    of_both, of_first, of_second = (
        oracle.respond(
            game, as_mixture("uniform_random"), ResponseObjective(), seed=3, reward_scale=5.0, player=player
        ).report
        for player in (None, 0, 1)
    )
    assert of_both["num_episodes"] == of_first["num_episodes"] == 400
    half = (of_first["mean_return"] + of_second["mean_return"]) / 2
    assert of_both["mean_return"] == pytest.approx(half, abs=1.0)
    assert of_both["num_steps"] == pytest.approx((of_first["num_steps"] + of_second["num_steps"]) / 2, rel=0.15)


def always(action, spec):
    bias = np.zeros(spec.num_actions)
    bias[action] = 1.0
    return cf.NetworkPolicy([(np.zeros((spec.num_actions, spec.information_state_size)), bias)], kind="greedy")


@pytest.mark.parametrize(("risk_aversion", "works"), [(0.0, 0.0), (2.0, 0.509585), (5.0, 0.803834)])
def test_the_wary_work_more_with_who_might_rest(tmp_path, risk_aversion, works):
    """Who works 4 times of 5: -log(.8 exp(-t (1 - .4 p)) + .2 exp(-t .6 p)) / t is best at p = 1 - log(8/3) / t."""
    (tmp_path / "volunteer.efg").write_text(VOLUNTEER)
    tree = cf.GameTree(f"gambit:{tmp_path}/volunteer.efg")
    partner = cf.Mixture((always(0, tree.spec), always(1, tree.spec)), [0.8, 0.2])
    oracle = PolicyGradient(
        hidden_sizes=(),
        num_updates=300,
        num_episodes=1000,
        batch_size=500,
        learning_rate=2e-2,
        learning_rate_end=1e-3,
        kl_weight_end=1e-3,
        averaging=0.98,
        update="mirror_descent",
        play="softmax",
    )
    found = oracle.respond(
        tree, partner, ResponseObjective(risk_aversion=risk_aversion), seed=0, reward_scale=1.0, player=0
    )
    own = tree.information_set_players == 0
    play = found.policy.probabilities(tree.information_states[own], tree.legal_masks[own])[0, 0]
    assert play == pytest.approx(works, abs=0.03)
    if risk_aversion:
        left = 0.8 * np.exp(-risk_aversion * (1 - 0.4 * works)) + 0.2 * np.exp(-risk_aversion * 0.6 * works)
        assert found.report["certainty_equivalent"] == pytest.approx(-np.log(left) / risk_aversion, abs=0.02)
    else:
        assert "certainty_equivalent" not in found.report


def test_who_cannot_learn_beside_an_adversary_says_so():
    game, wary = cf.load_game("generalized_bargaining"), ResponseObjective(risk_aversion=1.0)
    for oracle in (cf.DDQN(), cf.DDQNTorch(), cf.responses.RPQ()):
        with pytest.raises(cf.errors.ConfigError, match="risk_aversion must be 0 for this oracle"):
            oracle.respond(game, as_mixture("uniform_random"), wary, seed=1, reward_scale=1.0)
    three = cf.GameTree("openspiel:kuhn_poker(players=3)")
    with pytest.raises(cf.errors.ConfigError, match="in a game of other than two players"):
        SMALL.respond(three, as_mixture("uniform_random"), wary, seed=1, reward_scale=1.0, player=0)


def test_weights_fall_as_they_are_told():
    oracle = PolicyGradient(num_updates=3, kl_weight=0.4, kl_weight_end=0.1, learning_rate=1e-2, learning_rate_end=1e-3)
    found = [(oracle.kl_weight_at(update), oracle.learning_rate_at(update)) for update in range(3)]
    np.testing.assert_allclose(found, [(0.4, 1e-2), (0.2, 5.5e-3), (0.1, 1e-3)])
    only = PolicyGradient(num_updates=1)
    assert (only.kl_weight_at(0), only.learning_rate_at(0)) == (only.kl_weight, only.learning_rate)
    assert PolicyGradient(kl_weight=0, kl_weight_end=0).kl_weight_at(7) == 0.0


def test_the_response_plays_as_it_is_told():
    for play in ("softmax", "greedy"):
        oracle = PolicyGradient(hidden_sizes=(4,), num_updates=1, num_episodes=4, play=play)
        game = cf.load_game("generalized_bargaining")
        response = oracle.respond(game, as_mixture("uniform_random"), ResponseObjective(), seed=1, reward_scale=5.0)
        assert response.policy.kind == play


def test_its_configuration_survives_json():
    oracle = PolicyGradient(num_updates=7, update="mirror_descent", averaging=0.25)
    assert from_config(oracle.to_config()) == oracle


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_updates": 0}, "PolicyGradient: num_updates must be an integer >= 1"),
        ({"hidden_sizes": (4, 0)}, r"PolicyGradient: hidden_sizes\[1\] must be an integer >= 1"),
        ({"update": "trpo"}, "update must be one of clipped, mirror_descent, got 'trpo'"),
        ({"averaging": 1.0}, "averaging must be below 1"),
        ({"kl_weight_end": 0.0}, "must both be above 0, .* or both 0, got 0.05 and 0"),
    ],
)
def test_impossible_values_are_refused(changes, message):
    with pytest.raises(cf.ConfigError, match=message):
        PolicyGradient(**changes)


def test_psro_takes_responses_that_are_wary(tmp_path):
    tiny = PolicyGradient(hidden_sizes=(8,), num_updates=3, num_episodes=40, batch_size=64)
    wary = cf.ConservativeObjective(0.0, 0.0, risk_aversion=2.0)
    config = cf.PSROConfig(num_iterations=2, num_simulations=20, objective=wary, response=tiny)
    found = cf.coffee_psro(cf.load_game("generalized_bargaining"), config, seed=0)
    assert [record.objective["risk_aversion"] for record in found.records[1:]] == [2.0, 2.0]
    assert all(np.isfinite(record.response_report["certainty_equivalent"]) for record in found.records[1:])
    with pytest.raises(cf.errors.ConfigError, match=r"risk_aversion must be 0 with DDQN.*take PolicyGradient"):
        cf.PSROConfig(objective=wary)
