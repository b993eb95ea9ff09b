"""Games of OpenSpiel that are played move by move, held against the same games as trees."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf

pyspiel = pytest.importorskip("pyspiel")

from coffee_fast.games.openspiel_moves import play_move_by_move  # noqa: E402

SMALL = [
    "kuhn_poker(players=3)",
    "leduc_poker",
    "goofspiel(num_cards=3,imp_info=True)",
    "matrix_pd",
    "blotto(coins=3,fields=2)",
]


@pytest.mark.parametrize("name", SMALL)
def test_play_is_that_of_the_tree(name):
    """The same streams choose the same moves of players; returns agree on average, and all that logs show in form."""
    tree, played = cf.GameTree(f"openspiel:{name}"), play_move_by_move(pyspiel.load_game(name))
    players = ["uniform_random"] * tree.spec.num_players
    ours, theirs = (cf.simulate(game, players, num_episodes=2000, seed=3) for game in (played, tree))
    error = np.hypot(ours.returns.std(axis=0), theirs.returns.std(axis=0)) / np.sqrt(2000)
    assert (np.abs(ours.returns.mean(axis=0) - theirs.returns.mean(axis=0)) <= 5 * error + 1e-12).all()
    assert ours.lengths.max() <= played.spec.max_episode_length
    for field in ("num_players", "num_actions", "num_chance_actions", "rewards", "observation_size"):
        assert getattr(played.spec, field) == getattr(tree.spec, field), field


def test_a_log_of_it_passes_its_check():
    game = cf.load_game("openspiel:bargaining")
    assert not isinstance(game, cf.GameTree)
    log = cf.generate_dataset(game, num_trajectories=20, seed=1)
    log.check().require_learnable("fit")
    again = cf.generate_dataset(game, num_trajectories=20, seed=1, num_threads=2)
    np.testing.assert_array_equal(log.action, again.action)


def test_a_game_that_is_asked_for_again_is_not_made_again():
    tree = cf.load_game("openspiel:kuhn_poker", players=3)
    assert cf.load_game("openspiel:kuhn_poker(players=3)") is tree
    assert cf.load_game("openspiel:kuhn_poker") is not tree


def test_a_response_trains_in_it():
    game = cf.load_game("openspiel:tic_tac_toe")  # of which players see the board, and OpenSpiel has no tensor of more
    oracle = cf.DDQN(hidden_sizes=(8,), num_steps=200, replay_capacity=200, min_replay=64)
    report = cf.true_regret(game, "uniform_random", 1, response=oracle, num_simulations=20)
    assert report.regret.shape == (2,)
    assert not report.is_exact


@pytest.mark.parametrize("name", ["negotiation", "mfg_crowd_modelling"])
def test_what_cannot_be_played_is_refused(name):
    with pytest.raises(cf.InvalidGameError, match=r"chance|mean-field|tensors|players"):
        cf.load_game(f"openspiel:{name}")
