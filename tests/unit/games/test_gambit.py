"""Extensive games of Gambit: read as OpenSpiel's own are, written so that OpenSpiel and we read the same."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError, InvalidGameError
from coffee_fast.games import save_efg

pyspiel = pytest.importorskip("pyspiel")
GAMES = ("kuhn_poker", "kuhn_poker(players=3)", "leduc_poker", "tiny_hanabi", "goofspiel(num_cards=3,imp_info=True)")

ENTRY = """EFG 2 R "Entry" { "Entrant" "Incumbent" }
"Selten's chain store, one store; a coin says how much is at stake."
c "" 1 "" { "small" 3/4 "large" 0.25 } 0
p "" 1 1 "enter?" { "out" "in" } 0
t "" 1 "" { 1, 5 }
p "" 2 1 "fight?" { "fight" "share" } 0
t "" 2 "" { 0 0 }
t "" 3 "" { 2, 2 }
p "" 1 1 0
t "" 1
p "" 2 2 "fight much?" { "share" "fight" } 4 "license" { -1 0 }
t "" 3
t "" 2
"""


def load(tmp_path, text):
    (tmp_path / "game.efg").write_text(text)
    return cf.load_game(f"gambit:{tmp_path}/game.efg")


def test_a_game_is_read(tmp_path):
    tree = load(tmp_path, ENTRY)
    assert (tree.num_nodes, tree.num_information_sets) == (11, 3)
    assert tree.spec.player_names == ("Entrant", "Incumbent")
    assert tree.spec.action_names == ("out", "in", "fight", "share")
    assert tree.spec.chance_names == ("small", "large")
    assert tree.information_set_names == ("enter?", "fight?", "fight much?")
    assert tree.spec.rewards == "every_step"  # the license is paid on the way
    plays = {"enter?": [0, 1, 0, 0], "fight?": [0, 0, 0, 1], "fight much?": [0, 0, 1, 0]}
    rows = np.array([plays[name] for name in tree.information_set_names], float)
    policy = cf.TablePolicy(tree.information_states, rows)
    found = cf.exact_regret(tree, [policy, policy])
    # 3/4 of the time 2 and 2, else -1 + 0 and 0 + 0; out would earn 1 and 5
    np.testing.assert_allclose(found.values, [0.75 * 2 - 0.25, 0.75 * 2])
    np.testing.assert_allclose(found.regret, [0.0, 0.25 * 2])


@pytest.mark.parametrize("name", GAMES)
def test_games_that_openspiel_wrote_are_openspiels(name, tmp_path):
    gambit = pytest.importorskip("open_spiel.python.algorithms.gambit")
    game = pyspiel.load_game(name)
    if game.get_type().dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
        game = pyspiel.convert_to_turn_based(game)
    ours, theirs = load(tmp_path, gambit.export_gambit(game)), cf.load_game(f"openspiel:{name}")
    assert ours.num_nodes == theirs.num_nodes
    assert ours.num_information_sets == theirs.num_information_sets
    uniform = [cf.exact_regret(tree, "uniform_random") for tree in (ours, theirs)]
    np.testing.assert_allclose(uniform[0].values, uniform[1].values)
    np.testing.assert_allclose(uniform[0].regret, uniform[1].regret)


@pytest.mark.parametrize("name", GAMES)
def test_what_we_write_is_read_again_by_openspiel_too(name, tmp_path):
    tree = cf.load_game(f"openspiel:{name}")
    save_efg(tree, tmp_path / "game.efg")
    again = cf.load_game(f"gambit:{tmp_path}/game.efg")
    assert again.information_set_names == tree.information_set_names
    one, two = (cf.exact_regret(game, "uniform_random") for game in (tree, again))
    np.testing.assert_allclose(one.values, two.values)
    np.testing.assert_allclose(one.regret, two.regret)
    theirs = pyspiel.load_game(f"efg_game(filename={tmp_path}/game.efg)")
    assert theirs.num_players() == tree.spec.num_players
    policies = [pyspiel.UniformRandomPolicy(theirs)] * theirs.num_players()
    expected = pyspiel.expected_returns(theirs.new_initial_state(), policies, -1, True)
    np.testing.assert_allclose(expected, one.values, atol=1e-9)


def test_a_game_of_a_file_is_solved_logged_and_played(tmp_path):
    save_efg(cf.load_game("openspiel:kuhn_poker"), tmp_path / "kuhn.efg")
    tree = cf.load_game(f"gambit:{tmp_path}/kuhn.efg")
    profile = cf.mirror_descent(tree, num_iterations=800)
    assert cf.exact_regret(tree, profile).nash_conv < 0.02
    log = cf.generate_dataset(tree, num_trajectories=300, seed=0)
    of_log = cf.GameTree.from_dataset(log)
    assert of_log.num_information_sets == 12


def test_the_tree_of_a_log_is_written_where_all_was_seen(tmp_path):
    log = cf.generate_dataset(cf.load_game("openspiel:kuhn_poker"), num_trajectories=2000, seed=0)
    tree = cf.GameTree.from_dataset(log)
    save_efg(tree, tmp_path / "log.efg")
    again = cf.load_game(f"gambit:{tmp_path}/log.efg")
    one, two = (cf.exact_regret(game, "uniform_random").nash_conv for game in (tree, again))
    assert one == pytest.approx(two)
    few = cf.GameTree.from_dataset(
        cf.generate_dataset(cf.load_game("openspiel:kuhn_poker"), num_trajectories=9, seed=0)
    )
    with pytest.raises(InvalidGameError, match=r"save_efg: \d+ nodes of the tree were never seen"):
        save_efg(few, tmp_path / "few.efg")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("EFG 2", "NFG 1", "line 1, column 1: expected EFG, the first word of an extensive game of Gambit, got 'NFG'"),
        ('t "" 2\n', "", r"expected c, p or t, as there are moves that have led nowhere yet, got the end of the file"),
        ('t "" 2\n', 't "" 2\nt "" 2\n', "expected the end of the file, as all moves have led to their nodes"),
        ('"large" 0.25', '"large" 0.5', "line 3, column 11: expected probabilities .* sum to 1, not 1.25"),
        ('p "" 1 1 0', 'p "" 1 1 "" { "out" "up" } 0', "the actions of information set 1 of player 1 as at its first"),
        ('p "" 1 1 0', 'p "" 3 1 0', "the number of the player on move, a whole number from 1 to 2, got '3'"),
        ('p "" 1 1 0', 'p "" 1 7 0', "{ before the actions of an information set that is met first"),
        ('t "" 3 "" { 2, 2 }', 't "" 3', "{ before the payoffs of outcome 3, which is met first"),
        ('t "" 1\n', 't "" 1 "" { 0 0 }\n', "the payoffs of outcome 1 as where it was met first"),
        ("{ -1 0 }", "{ -1 }", "expected a payoff"),
    ],
)
def test_what_is_no_game_is_refused_by_line_and_column(old, new, message, tmp_path):
    assert old in ENTRY
    with pytest.raises(InvalidGameError, match=message):
        load(tmp_path, ENTRY.replace(old, new, 1))


def test_names_and_limits(tmp_path):
    with pytest.raises(InvalidGameError, match="no such file|cannot be read|does not exist|No such file"):
        cf.load_game(f"gambit:{tmp_path}/none.efg")
    (tmp_path / "game.efg").write_text(ENTRY)
    with pytest.raises(InvalidGameError, match=r"at most 5 nodes \(max_nodes\)"):
        cf.GameTree(f"gambit:{tmp_path}/game.efg", max_nodes=5)
    with pytest.raises(InvalidGameError, match="has no parameters"):
        cf.load_game(f"gambit:{tmp_path}/game.efg", players=3)
    with pytest.raises(InvalidArgumentError, match="path must end in .efg"):
        save_efg(cf.load_game("openspiel:kuhn_poker"), tmp_path / "kuhn.nfg")
    alike = 'EFG 2 R "" { "" "" } p "" 1 1 "" { "a" "a" "" } 0 t "" 1 "" { 1 2 } t "" 1 t "" 1'
    assert load(tmp_path, alike).spec.action_names == ("a", "a (1)", "3")
