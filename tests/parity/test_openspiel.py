"""The game registered in OpenSpiel is ours, move by move, and policies brought over play as they do here."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _core
from coffee_fast._reference.rng import Stream

pyspiel = pytest.importorskip("pyspiel")
from open_spiel.python.algorithms import expected_game_score  # noqa: E402

from coffee_fast.games import openspiel  # noqa: E402

NAME = "python_generalized_bargaining"
SMALL = {"pool": "1 1 1", "max_offers": 3, "num_valuations": 2}


def assert_same(theirs, ours):
    assert theirs.is_terminal() == ours.is_terminal()
    assert theirs.current_player() == ours.current_player()
    assert theirs.legal_actions() == ours.legal_actions()
    assert theirs.returns() == pytest.approx(ours.returns(), rel=1e-14)
    for player in range(2):
        np.testing.assert_array_equal(theirs.information_state_tensor(player), ours.information_state(player))
        np.testing.assert_array_equal(theirs.observation_tensor(player), ours.observation(player))


@pytest.mark.parametrize("parameters", [{"seed": 3}, {"seed": 4, "only_feasible_offers": True, "discount": 0.9}])
def test_random_episodes_are_those_of_the_same_seed(parameters):
    seed, rest = parameters["seed"], {name: value for name, value in parameters.items() if name != "seed"}
    game, ours = pyspiel.load_game(NAME, parameters), cf.load_game("generalized_bargaining", **rest)
    assert game.num_distinct_actions() == ours.num_actions
    assert game.max_game_length() == ours.spec.max_episode_length
    stream = Stream(0, 3)
    for episode in range(30):
        state = game.new_initial_state()
        ((outcome, probability),) = state.chance_outcomes()
        assert (outcome, probability) == (episode, 1.0)
        state.apply_action(outcome)
        drawn = ours.core.new_state(seed, episode)
        same = ours.new_state(drawn.pool, drawn.valuations, drawn.first_player)
        while not same.is_terminal():
            assert_same(state, same)
            legal = same.legal_actions()
            action = legal[stream.next_below(len(legal))]
            state.apply_action(action)
            same.apply_action(action)
        assert_same(state, same)


@pytest.mark.parametrize("parameters", [{}, {"num_valuations": 2}, SMALL])
def test_keeps_the_rules_of_open_spiel(parameters):
    is_explicit = "num_valuations" in parameters  # OpenSpiel serializes no Python game of sampled chance
    pyspiel.random_sim_test(pyspiel.load_game(NAME, parameters), num_sims=10, serialize=is_explicit, verbose=False)


def test_explicit_chance_deals_every_pool_order_and_pair_of_valuations():
    game = pyspiel.load_game(NAME, {"num_valuations": 2})
    outcomes = game.new_initial_state().chance_outcomes()
    assert len(outcomes) == 31 * 2 * 2 * 2
    assert sum(probability for _, probability in outcomes) == pytest.approx(1.0)
    deals = [game.new_initial_state().child(outcome).deal for outcome, _ in outcomes]
    assert len(set(deals)) == len(outcomes)
    for deal in deals:  # all of them deals that the compiled rules allow
        cf.load_game("generalized_bargaining").new_state(*deal)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"pool": "4 4 4"}, "pool must be 3 counts whose every part has an action, such as '1 1 1', got '4 4 4'"),
        ({"max_offers": 12}, "max_offers must be an integer >= 1 and <= 11, got 12"),
        ({"num_valuations": -1}, "num_valuations must be an integer >= 0 and <= 1024, got -1"),
        ({"discount": 0.0}, "discount must be a finite number > 0 and <= 1, got 0.0"),
    ],
)
def test_impossible_parameters_are_refused(parameters, message):
    with pytest.raises(cf.InvalidGameError, match=message):
        pyspiel.load_game(NAME, parameters)


def network(seed, kind, temperature=1.0):
    rng = np.random.default_rng(seed)
    shapes = itertools.pairwise((41, 8, 109))
    layers = tuple((rng.normal(size=(o, i)).astype(np.float32), np.zeros(o, np.float32)) for i, o in shapes)
    return cf.NetworkPolicy(layers, kind, temperature)


POLICIES = {
    "uniform": cf.UniformRandom(),
    "greedy": network(0, "greedy"),
    "softmax": network(1, "softmax", temperature=4.0),
    "per step": cf.PerStepMixture((network(0, "greedy"), cf.UniformRandom()), (0.25, 0.75)),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_brought_over_chooses_with_the_same_probabilities(name):
    game = pyspiel.load_game(NAME, {"seed": 5})
    state = game.new_initial_state()
    for action in (0, 1, 2):
        state.apply_action(action)
    player, num_draws = state.current_player(), 20_000
    expected = openspiel.to_openspiel_policy(game, POLICIES[name]).action_probabilities(state)
    assert list(expected) == state.legal_actions()
    assert sum(expected.values()) == pytest.approx(1.0)
    features = np.tile(np.asarray(state.information_state_tensor(player), np.float32), (num_draws, 1))
    masks = np.tile(np.asarray(state.legal_actions_mask(player), np.uint8), (num_draws, 1))
    drawn = _core.choose_actions(POLICIES[name].core, features, masks, 0)
    for action, probability in expected.items():
        error = 4 * np.sqrt(probability * (1 - probability) / num_draws)
        assert np.mean(drawn == action) == pytest.approx(probability, abs=error + 1e-12)


def test_a_mixture_brought_over_earns_what_drawing_one_policy_an_episode_earns():
    """The behavior policy of a mixture is not its average at each decision; its payoffs are the average ones."""
    game = pyspiel.load_game(NAME, SMALL | {"num_valuations": 1})
    opponent = openspiel.to_openspiel_policy(game, network(2, "softmax", 3.0))
    parts, weights = (POLICIES["greedy"], POLICIES["softmax"], cf.UniformRandom()), (0.5, 0.3, 0.2)

    def earns(strategy):
        players = [openspiel.to_openspiel_policy(game, strategy), opponent]
        return expected_game_score.policy_value(game.new_initial_state(), players)[0]

    average = np.dot(weights, [earns(part) for part in parts])
    assert earns(cf.Mixture(parts, weights)) == pytest.approx(average, rel=1e-12)
    assert earns(cf.PerStepMixture(parts, weights)) != pytest.approx(average, rel=1e-3)


def test_policies_that_cannot_be_brought_over_are_refused():
    class Mine:
        core = cf.UniformRandom().core

    game = pyspiel.load_game(NAME)
    with pytest.raises(cf.InvalidArgumentError, match="policies must be UniformRandom.* got Mine"):
        openspiel.to_openspiel_policy(game, Mine())
    with pytest.raises(
        cf.InvalidArgumentError, match="must have 11 inputs and 2 outputs for this game, got 41 and 109"
    ):
        openspiel.to_openspiel_policy(pyspiel.load_game("kuhn_poker"), network(0, "greedy"))
