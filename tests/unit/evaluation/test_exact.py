"""Exact regret: known values, OpenSpiel's own figures, and what it refuses."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _core

pyspiel = pytest.importorskip("pyspiel")

GOOFSPIEL = "goofspiel(num_cards=3,imp_info=True,points_order=descending)"
GAMES = ("kuhn_poker", "kuhn_poker(players=3)", "leduc_poker", GOOFSPIEL, "first_sealed_auction(max_value=4)")


@pytest.fixture(scope="module")
def trees():
    return {name: cf.GameTree(f"openspiel:{name}") for name in GAMES}


def network(tree, seed, kind="softmax"):
    rng = np.random.default_rng(seed)
    sizes = (tree.spec.information_state_size, 8, tree.spec.num_actions)
    layers = tuple(
        (rng.normal(size=(outputs, inputs)).astype(np.float32), rng.normal(size=outputs).astype(np.float32))
        for inputs, outputs in itertools.pairwise(sizes)
    )
    return cf.NetworkPolicy(layers, kind)


def strategies(tree):
    """A network, a mixture of networks and uniform play, one or more a player."""
    mixture = cf.Mixture((network(tree, 1), network(tree, 2, "greedy"), cf.UniformRandom()), [0.5, 0.3, 0.2])
    per_step = cf.PerStepMixture((network(tree, 3), cf.UniformRandom()), (0.6, 0.4))
    return [mixture, per_step, network(tree, 4)][: tree.spec.num_players]


class Table:
    """A policy that is written down by information state."""

    core = _core.Policy.uniform_random()

    def __init__(self, table):
        self.table = table

    def probabilities(self, information_states, legal_masks):
        return np.array([self.table[row.tobytes()] for row in np.asarray(information_states)])


def kuhn_equilibrium(tree, alpha):
    """The known equilibria of Kuhn poker, one for each alpha in [0, 1/3]; action 1 is to bet."""
    bets = {"0": alpha, "1": 0.0, "2": 3 * alpha, "0pb": 0.0, "1pb": alpha + 1 / 3, "2pb": 1.0}
    replies = {"0p": 1 / 3, "1p": 0.0, "2p": 1.0, "0b": 0.0, "1b": 1 / 3, "2b": 1.0}
    table = {}
    named = zip(tree.information_states, tree.information_set_names, tree.information_set_players, strict=True)
    for row, name, player in named:
        bet = (bets, replies)[player][name]
        table[row.tobytes()] = (1 - bet, bet)
    return [Table(table)] * 2


@pytest.mark.parametrize("alpha", [0.0, 0.2, 1 / 3])
def test_kuhn_pokers_equilibria_leave_nothing_to_gain(trees, alpha):
    result = cf.exact_regret(trees["kuhn_poker"], kuhn_equilibrium(trees["kuhn_poker"], alpha))
    np.testing.assert_allclose(result.values, [-1 / 18, 1 / 18], atol=1e-12)
    assert result.nash_conv == pytest.approx(0.0, abs=1e-12)
    one_sided = cf.exact_regret(
        trees["kuhn_poker"], [kuhn_equilibrium(trees["kuhn_poker"], alpha)[0], "uniform_random"]
    )
    assert one_sided.regret[1] == pytest.approx(1 / 18 - one_sided.values[1], abs=1e-12)
    assert one_sided.regret.min() > 0.1


def test_uniform_play_is_worth_what_is_known(trees):
    kuhn = cf.exact_regret(trees["kuhn_poker"], ["uniform_random"] * 2)
    assert kuhn.nash_conv == pytest.approx(11 / 12, abs=1e-12)
    assert cf.exact_regret(trees["leduc_poker"], "uniform_random").nash_conv == pytest.approx(4.747222, abs=1e-6)
    np.testing.assert_allclose(kuhn.regret, kuhn.best_response_values - kuhn.values, atol=1e-12)


@pytest.mark.parametrize("name", GAMES)
def test_figures_are_openspiels(trees, name):
    from open_spiel.python.algorithms import expected_game_score, exploitability
    from open_spiel.python.policy import Policy

    tree, game = trees[name], pyspiel.load_game(name)
    if game.get_type().dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
        game = pyspiel.convert_to_turn_based(game)
    from coffee_fast.games.openspiel import to_openspiel_policy

    each = strategies(tree)
    brought = [to_openspiel_policy(game, strategy) for strategy in each]

    class Joint(Policy):
        def __init__(self):
            super().__init__(game, list(range(game.num_players())))

        def action_probabilities(self, state, player_id=None):
            player = state.current_player() if player_id is None else player_id
            return brought[player].action_probabilities(state, player)

    found = cf.exact_regret(tree, each)
    values = expected_game_score.policy_value(game.new_initial_state(), brought)
    np.testing.assert_allclose(found.values, values, atol=1e-6)  # their networks see one row at a time, ours a batch
    if name != "leduc_poker":  # where mixtures take OpenSpiel minutes
        nash_conv = exploitability.nash_conv(game, Joint(), return_only_nash_conv=False)
        assert found.nash_conv == pytest.approx(nash_conv.nash_conv, abs=1e-6)
        np.testing.assert_allclose(found.regret, nash_conv.player_improvements, atol=1e-6)


def test_behavior_of_a_mixture_is_openspiels(trees):
    from coffee_fast.games.openspiel import to_openspiel_policy

    tree, game = trees["kuhn_poker(players=3)"], pyspiel.load_game("kuhn_poker(players=3)")
    mixture = strategies(tree)[0]
    brought = to_openspiel_policy(game, mixture)
    tables = [tree.behavior(player, mixture) for player in range(3)]
    places = {
        key: row for row, key in enumerate(zip(tree.information_set_players, tree.information_set_names, strict=True))
    }
    compared = 0

    def visit(state):
        nonlocal compared
        if state.is_terminal():
            return
        if not state.is_chance_node():
            player = state.current_player()
            row = tables[player][places[player, state.information_state_string()]]
            for action, probability in brought.action_probabilities(state).items():
                assert row[action] == pytest.approx(probability, abs=1e-6)
                compared += 1
        for action in state.legal_actions():
            visit(state.child(action))

    visit(game.new_initial_state())
    assert compared > 500


def test_a_mixture_earns_its_parts_weighted(trees):
    tree = trees["leduc_poker"]
    mixture, other = strategies(tree)
    drawn = sum(
        probability * cf.exact_regret(tree, [policy, other]).values
        for policy, probability in zip(mixture.policies, mixture.probabilities, strict=True)
    )
    np.testing.assert_allclose(cf.exact_regret(tree, [mixture, other]).values, drawn, atol=1e-12)


def test_solutions_are_taken_and_those_of_other_games_refused(trees):
    tree = trees["kuhn_poker"]
    first, second = strategies(tree)
    expected = cf.exact_regret(tree, [first, cf.Mixture((second,), [1.0])])
    by_seats = SimpleNamespace(spec=tree.spec, mixtures=(first, cf.Mixture((second,), [1.0])))
    np.testing.assert_array_equal(cf.exact_regret(tree, by_seats).regret, expected.regret)
    np.testing.assert_array_equal(cf.exact_regret(tree, [by_seats, by_seats]).regret, expected.regret)
    shared = SimpleNamespace(spec=None, mixture=first)
    np.testing.assert_array_equal(cf.exact_regret(tree, shared).regret, cf.exact_regret(tree, [first, first]).regret)
    elsewhere = SimpleNamespace(spec=trees["leduc_poker"].spec, mixture=first)
    message = "policies must be of 'openspiel:kuhn_poker' .* got a solution of 'openspiel:leduc_poker'; .* its mixtures"
    for policies in (elsewhere, [elsewhere, "uniform_random"]):
        with pytest.raises(cf.InvalidArgumentError, match=message):
            cf.exact_regret(tree, policies)
    fields = tree.spec.to_json() | {"max_episode_length": 9}
    longer = SimpleNamespace(spec=cf.GameSpec.from_json(fields), mixture=first)
    with pytest.raises(cf.InvalidArgumentError, match="with another max_episode_length, 9 instead of 5"):
        cf.exact_regret(tree, longer)


def test_what_the_main_loop_finds_is_judged(trees, tiny_ddqn):
    tree = trees["kuhn_poker(players=3)"]
    config = cf.PSROConfig(num_iterations=1, num_simulations=20, response=tiny_ddqn)
    solution = cf.online_psro(tree, config, seed=0).solve()
    found = cf.exact_regret(tree, solution)
    np.testing.assert_array_equal(found.regret, cf.exact_regret(tree, list(solution.mixtures)).regret)
    assert found.nash_conv > 0.0
    with pytest.raises(cf.InvalidArgumentError, match=r"got a solution of 'openspiel:kuhn_poker\(players=3\)'"):
        cf.exact_regret(trees["leduc_poker"], solution)


class Silent:
    core = _core.Policy.uniform_random()


class Wrong(Silent):
    def __init__(self, answer):
        self.answer = answer

    def probabilities(self, information_states, legal_masks):
        return self.answer(np.asarray(legal_masks, float))


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        (["uniform_random"], "policies must name one strategy a player, 2 in all, got 1"),
        (["uniform_random", "unform"], "there is no policy 'unform'"),
        (["uniform_random", 3], "a strategy must be a known name"),
        (["uniform_random", Silent()], "Silent, a policy of player 1, must have a method probabilities"),
        ([Wrong(lambda masks: masks), "uniform_random"], "a policy of player 0 must give distributions over legal"),
        ([Wrong(lambda masks: masks[:1] / 2), "uniform_random"], "must give distributions over legal actions, shape"),
        ([Wrong(lambda masks: masks * np.nan), "uniform_random"], "must give distributions over legal actions"),
    ],
)
def test_what_cannot_be_judged_is_refused(trees, policies, message):
    with pytest.raises(cf.InvalidArgumentError, match=message):
        cf.exact_regret(trees["kuhn_poker"], policies)


def test_a_network_of_another_game_is_refused(trees):
    wrong = network(trees["leduc_poker"], 0)
    with pytest.raises(cf.InvalidArgumentError, match=r"a policy of player 0 does not fit 'openspiel:kuhn_poker'.*30"):
        cf.exact_regret(trees["kuhn_poker"], wrong)


def test_a_result_says_that_it_is_exact_and_of_which_game(trees):
    result = cf.exact_regret(trees["kuhn_poker"], "uniform_random")
    assert repr(result) == (
        "ExactRegret('openspiel:kuhn_poker', exact over 58 nodes: NashConv 0.916667, regret [0.375, 0.541667], "
        "values [0.125, -0.125])"
    )
    assert (result.game, result.num_nodes, result.num_information_sets) == ("openspiel:kuhn_poker", 58, 12)
