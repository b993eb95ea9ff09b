"""Trees are the games they were made from, and games that have none are refused with what to do."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _core
from coffee_fast.games import openspiel_tree, tree_arrays

pyspiel = pytest.importorskip("pyspiel")

SMALL = "python_generalized_bargaining(max_offers=2,num_valuations=2,pool=1 1 1)"
GOOFSPIEL = "goofspiel(num_cards=3,imp_info=True,points_order=descending)"
SIZES = {
    "kuhn_poker": (58, 12),
    "kuhn_poker(players=3)": (617, 48),
    "leduc_poker": (9457, 936),
    GOOFSPIEL: (67, 16),
    "first_sealed_auction(max_value=4)": (291, 8),
    "sheriff(num_rounds=2)": (437, 73),
    SMALL: (649, 36),
    "matching_pennies_3p": (15, 3),
}


@pytest.fixture(scope="module")
def trees():
    return {name: cf.load_game(f"openspiel:{name}") for name in SIZES}


def played_in_openspiel(name):
    game = pyspiel.load_game(name)
    if game.get_type().dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
        return pyspiel.convert_to_turn_based(game)
    return game


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_known(trees, name):
    assert (trees[name].num_nodes, trees[name].num_information_sets) == SIZES[name]


@pytest.mark.parametrize("name", SIZES)
def test_core_and_specification_agree(trees, name):
    tree = trees[name]
    spec = tree.spec
    for size in ("num_players", "num_actions", "state_size", "observation_size", "max_episode_length"):
        assert getattr(tree.core, size) == getattr(spec, size), size
    assert spec.information_state_size == tree.core.information_state_size == spec.history_start
    assert spec.num_chance_actions == tree.core.num_chance_outcomes
    assert spec.roles == (1,) * spec.num_players
    assert cf.GameSpec.from_json(spec.to_json()) == spec
    assert cf.load_game(spec.name, **spec.parameters).fingerprint == tree.fingerprint
    assert tree.is_markov


@pytest.mark.parametrize("name", SIZES)
def test_episodes_are_openspiels(trees, name):
    """Moves of recorded episodes, made in OpenSpiel, meet the same players, knowledge, legal moves and payoffs."""
    tree, game = trees[name], played_in_openspiel(name)
    N = tree.spec.num_players
    result = cf.simulate(tree, ["uniform_random"] * N, num_episodes=30, seed=5, record=True)
    steps = result.trajectories
    masks = np.unpackbits(steps["legal_mask"], axis=1, count=tree.spec.num_actions, bitorder="little")
    for episode, (first, end) in enumerate(itertools.pairwise(steps["trajectory_offsets"])):
        state = game.new_initial_state()
        for step in range(first, end):
            assert steps["acting_player"][step] == state.current_player()
            seen = np.array([state.information_state_tensor(i) for i in range(N)], np.float32)
            np.testing.assert_array_equal(steps["observation"][step], seen)
            np.testing.assert_array_equal(steps["state"][step][: seen.size], seen.ravel())
            if not state.is_chance_node():
                assert np.flatnonzero(masks[step]).tolist() == state.legal_actions()
            else:
                assert not masks[step].any()
                assert dict(state.chance_outcomes())[steps["action"][step]] > 0.0
            state.apply_action(int(steps["action"][step]))
        assert state.is_terminal()
        np.testing.assert_allclose(result.returns[episode], state.returns(), rtol=1e-12)


@pytest.mark.parametrize("name", ["kuhn_poker(players=3)", "leduc_poker", SMALL])
def test_uniform_play_earns_the_exact_values(trees, name):
    tree, num_episodes = trees[name], 40_000
    uniform = ["uniform_random"] * tree.spec.num_players
    returns = cf.simulate(tree, uniform, num_episodes=num_episodes, seed=1).returns
    exact = cf.exact_regret(tree, uniform).values
    assert (np.abs(returns.mean(axis=0) - exact) < 4 * returns.std(axis=0) / np.sqrt(num_episodes)).all()
    assert tree.reward_scale == pytest.approx(returns.std(), rel=0.02)


def test_information_sets_are_openspiels(trees):
    tree, game = trees["leduc_poker"], pyspiel.load_game("leduc_poker")
    found = {}

    def visit(state):
        if not state.is_terminal():
            if not state.is_chance_node():
                player = state.current_player()
                found[player, state.information_state_string()] = (
                    state.information_state_tensor(),
                    state.legal_actions_mask(),
                )
            for action in state.legal_actions():
                visit(state.child(action))

    visit(game.new_initial_state())
    keys = list(zip(tree.information_set_players.tolist(), tree.information_set_names, strict=True))
    assert len(set(keys)) == len(keys)
    assert set(keys) == set(found)
    np.testing.assert_array_equal(tree.information_states, np.array([found[key][0] for key in keys], np.float32))
    np.testing.assert_array_equal(tree.legal_masks, [found[key][1] for key in keys])


def test_specifications_say_who_moves_and_when_it_pays(trees, scripted_game):
    orders = {name: tree.spec.turn_order for name, tree in trees.items()}
    assert {name for name, order in orders.items() if order == "cyclic"} == {GOOFSPIEL, "matching_pennies_3p"}
    assert {tree.spec.rewards for tree in trees.values()} == {"at_end"}
    early = ("move", 0, "a", ("pay", [1.0, 0.5], ("move", 1, "b", ("end", [2.0, 0.0]), ("end", [0.0, 0.0]))))
    tree = cf.GameTree(scripted_game(early, reward_model="REWARDS"))
    assert tree.spec.rewards == "every_step"
    steps = cf.simulate(tree, ["uniform_random"] * 2, num_episodes=20, seed=0, record=True).trajectories
    assert {tuple(row) for row in steps["reward"][::2].tolist()} == {(1.0, 0.5)}
    assert {tuple(row) for row in steps["reward"][1::2].tolist()} == {(2.0, 0.0), (0.0, 0.0)}


def test_chance_draws_by_its_probabilities(scripted_game):
    ends = [("end", [value, 0.0]) for value in (0.0, 1.0, 2.0)]
    script = ("move", 0, "a", ("chance", (0.7, ends[0]), (0.1, ends[1]), (0.2, ends[2])))
    returns = cf.simulate(
        cf.GameTree(scripted_game(script)), ["uniform_random"] * 2, num_episodes=20_000, seed=3
    ).returns
    np.testing.assert_allclose(np.bincount(returns[:, 0].astype(int)) / 20_000, [0.7, 0.1, 0.2], atol=0.02)


def test_what_tells_states_apart_is_added_to_them_and_no_more(trees, scripted_game):
    """Observations alone; with who is on move; with the moves of a round; with the latest moves."""
    extra = {
        name: tree.spec.state_size - tree.spec.num_players * tree.spec.observation_size for name, tree in trees.items()
    }
    assert extra["leduc_poker"] == extra["kuhn_poker"] == 0
    assert extra[SMALL] == 2
    assert extra["matching_pennies_3p"] == 3 * 2
    assert extra[GOOFSPIEL] == 2 * 3
    ends = [("end", [value, 0.0]) for value in (0.0, 1.0)]
    hidden_coin = ("chance", *((0.5, ("move", 0, "same", end, ends[0])) for end in ends))
    tree = cf.GameTree(scripted_game(hidden_coin))
    assert tree.is_markov
    assert tree.spec.state_size == 2 * 2 + 2 + 2 * 3 + 3
    two_coins = ("chance", *((0.5, ("chance", (0.5, node[1]), (0.5, node[1]))) for node in hidden_coin[1:]))
    tree = cf.GameTree(scripted_game(two_coins))
    assert not tree.is_markov
    assert "do not tell all nodes with unlike futures apart" in repr(tree)


def test_states_of_rounds_end_with_the_choices_so_far(trees):
    tree = trees["matching_pennies_3p"]
    steps = cf.simulate(tree, ["uniform_random"] * 3, num_episodes=20, seed=0, record=True).trajectories
    chosen = steps["action"].reshape(20, 3)
    pending = steps["state"].reshape(20, 3, -1)[:, :, -6:].reshape(20, 3, 3, 2)
    for seat in range(3):
        expected = np.eye(2)[chosen] * (np.arange(3) < seat)[None, :, None]
        np.testing.assert_array_equal(pending[:, seat], expected)


def test_moves_have_vectors_that_differ():
    for count in (1, 2, 256, 257, 1000):
        vectors = tree_arrays.move_vectors(count)
        assert len(np.unique(vectors, axis=0)) == count
        assert vectors.any(axis=1).all()  # zeros stand for no move
        assert vectors.shape[1] <= 256


def test_one_seed_is_one_game(trees):
    tree = trees["leduc_poker"]
    first, second = (
        cf.simulate(tree, ["uniform_random"] * 2, num_episodes=500, seed=4, num_threads=threads).returns
        for threads in (1, 3)
    )
    np.testing.assert_array_equal(first, second)
    assert trees["kuhn_poker"].fingerprint != tree.fingerprint
    assert cf.GameTree(pyspiel.load_game("leduc_poker")).fingerprint == tree.fingerprint


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("chess", "does not say what its players know .*take a game that provides them"),
        ("negotiation", "only samples what chance does .*with explicit chance"),
        ("phantom_ttt", r"has about \de\+\d+ nodes by a guess .* more than 10000000 \(max_nodes\): take a smaller"),
        ("leduc_pokr", "OpenSpiel has no game 'leduc_pokr'; did you mean 'openspiel:leduc_poker'?"),
        ("kuhn_poker(cards=9)", r"does not load 'kuhn_poker\(cards=9\)': Unknown parameter 'cards'"),
        ("mfg_crowd_modelling", "mean-field game|does not say what its players know"),
        ("x" * 100_000, "OpenSpiel has no game"),
    ],
)
def test_games_without_a_tree_are_refused(name, message):
    with pytest.raises(cf.InvalidGameError, match=message) as caught:
        cf.GameTree(f"openspiel:{name}")
    assert len(str(caught.value)) < 600


def test_a_game_beyond_the_limit_says_how_large_it_got():
    with pytest.raises(cf.InvalidGameError, match=r"more than 9456 nodes \(max_nodes\): 94\d\d were met when move"):
        cf.GameTree("openspiel:leduc_poker", max_nodes=9456)
    assert cf.GameTree("openspiel:leduc_poker", max_nodes=9457).num_nodes == 9457
    with pytest.raises(cf.InvalidGameError, match="has about .* nodes by a guess"):
        cf.GameTree("openspiel:leduc_poker", max_nodes=100)


def test_a_tree_beyond_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(openspiel_tree, "MOST_BYTES", 2**20)
    with pytest.raises(cf.InvalidGameError, match=r"takes more than 0.000976562 GB: \d+ nodes and \d+ information"):
        cf.GameTree("openspiel:leduc_poker")


def test_parameters_are_given_in_the_name_or_as_arguments():
    named, given = cf.load_game("openspiel:kuhn_poker(players=3)"), cf.load_game("openspiel:kuhn_poker", players=3)
    assert named.fingerprint == given.fingerprint
    with pytest.raises(cf.InvalidGameError, match="load_game: OpenSpiel does not load"):
        cf.load_game("openspiel:kuhn_poker", players="three")


@pytest.mark.parametrize("game", [3, None, "leduc_poker", cf.UniformRandom(), pyspiel])
def test_what_is_no_game_is_refused(game):
    with pytest.raises(cf.InvalidGameError, match='game must be "openspiel:" and the name of a game'):
        cf.GameTree(game)


def test_our_own_game_has_a_small_variant():
    with pytest.raises(cf.InvalidGameError, match="valuations are real numbers") as caught:
        cf.GameTree(cf.load_game("generalized_bargaining"))
    name = str(caught.value).split('"')[1]
    assert cf.GameTree(name).num_nodes > 0


def test_without_openspiel_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(openspiel_tree, "pyspiel", None)
    with pytest.raises(cf.InvalidGameError, match=r"pip install 'coffee-fast\[openspiel\]'"):
        cf.load_game("openspiel:kuhn_poker")


END = ("end", [0.0, 0.0])
WRONG = {
    "cannot be walked through: there is no legal action after []": ("move", 0, "a"),
    "cannot be walked through: player 5 is on move, of 2": ("move", 5, "a", END),
    "cannot be walked through: the probabilities of chance sum to 0.5 after []": ("chance", (0.25, END), (0.25, END)),
    "payoffs must be finite": ("move", 0, "a", ("end", [np.nan, 0.0])),
    "must have one player, what it observes and its actions in common": (
        "move",
        0,
        "a",
        ("move", 1, "same", END),
        ("move", 1, "same", END, END),
    ),
    "two information state tensors for one information state string of player 1, 'same'": (
        "move",
        0,
        "a",
        ("move", 1, "same|1", END),
        ("move", 1, "same|2", END),
    ),
}


@pytest.mark.parametrize("message", WRONG)
def test_games_that_contradict_themselves_are_refused(message, scripted_game):
    with pytest.raises(cf.CoffeeError) as caught:
        cf.GameTree(scripted_game(WRONG[message]))
    assert message in str(caught.value)


def test_players_who_forget_can_play_but_not_be_computed_with(scripted_game):
    """Player 0 moves twice and does not know the second time what it did the first."""
    ends = [("end", [value, 0.0]) for value in (1.0, 2.0, 3.0, 5.0)]
    tree = cf.GameTree(scripted_game(("move", 0, "a", ("move", 0, "b", *ends[:2]), ("move", 0, "b", *ends[2:]))))
    assert cf.simulate(tree, ["uniform_random"] * 2, num_episodes=50, seed=0).returns[:, 0].max() == 5.0
    assert tree.core.profile_values(np.full(4, 0.5)).tolist() == [2.75, 0.0]
    message = "needs perfect recall, but in .* player 0 does not know at information set 'b' what it did or knew before"
    with pytest.raises(cf.InvalidArgumentError, match=message):
        cf.exact_regret(tree, "uniform_random")
    two = cf.Mixture((cf.UniformRandom(), cf.UniformRandom()), [0.5, 0.5])
    with pytest.raises(cf.InvalidArgumentError, match=f"behavior: {message}"):
        tree.behavior(0, two)


def test_behavior_is_that_of_the_policy(trees):
    tree = trees["kuhn_poker"]
    table = tree.behavior(0, "uniform_random")
    own = tree.information_set_players == 0
    np.testing.assert_array_equal(table[own], tree.legal_masks[own] / 2)
    assert not table[~own].any()
    with pytest.raises(cf.InvalidArgumentError, match="behavior: player must be an integer >= 0 and <= 1"):
        tree.behavior(2, "uniform_random")


def test_the_core_holds_what_the_tree_says(trees):
    core = trees["leduc_poker"].core
    assert isinstance(core, _core.GameTree)
    assert core.forgetful_set == -1
    assert core.num_sequences == trees["leduc_poker"].legal_masks.sum()
