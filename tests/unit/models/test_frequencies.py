"""What the players of a log did, counted."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf

SPEC = cf.GameSpec(
    name="signs", num_players=2, num_actions=3, action_vectors=np.eye(3), state_size=1, observation_size=1,
    history_start=1, max_episode_length=2,
)  # fmt: skip


def dataset(rows):
    """A log of rows (player, what it sees, action), two an episode."""
    players, seen, actions = zip(*rows, strict=True)
    features = np.array(seen, np.float32)[:, None]
    log = {
        **{"trajectory": np.repeat(np.arange(len(rows) // 2), 2), "acting_player": players, "action": actions},
        **{"state": features, "observation": np.repeat(features[:, None], 2, axis=1)},
        "reward": np.zeros((len(rows), 2)),
    }
    return cf.TrajectoryDataset.from_transitions(SPEC, log)


def test_actions_are_counted_by_who_did_them_and_what_it_knew():
    log = dataset([(0, 0.0, 2), (0, -0.0, 1), (0, 0.0, 2), (0, 0.0, 2), (1, 0.0, 0), (0, 5.0, 0)])
    first, second = cf.behavior_frequencies(log)
    asked = np.float32([[0.0], [-0.0], [5.0], [7.0]])
    shares = np.array([[0, 1, 3], [0, 1, 3], [4, 0, 0], [4 / 3, 4 / 3, 4 / 3]]) / 4
    np.testing.assert_allclose(first.probabilities(asked, np.ones((4, 3))), shares)
    np.testing.assert_allclose(second.probabilities(asked[:1], np.ones((1, 3))), [[1, 0, 0]])


def test_who_never_moved_plays_at_random():
    _, second = cf.behavior_frequencies(dataset([(0, 1.0, 0), (0, 2.0, 1)]))
    np.testing.assert_allclose(second.probabilities([[1.0]], [[1, 0, 1]]), [[0.5, 0.0, 0.5]])


def test_of_enough_games_they_are_what_was_played():
    pytest.importorskip("pyspiel")
    tree, rng = cf.GameTree("openspiel:kuhn_poker"), np.random.default_rng(1)
    played = rng.dirichlet(np.full(2, 3.0), tree.num_information_sets)
    policy = cf.TablePolicy(tree.information_states, played)
    log = cf.generate_dataset(tree, behavior=policy, num_trajectories=20_000, seed=2)
    found = [tree.behavior(player, own) for player, own in enumerate(cf.behavior_frequencies(log))]
    own = tree.information_set_players
    for player in range(2):
        np.testing.assert_allclose(found[player][own == player], played[own == player], atol=0.05)


def test_what_is_no_log_is_refused():
    with pytest.raises(cf.InvalidArgumentError, match="behavior_frequencies: dataset must be a TrajectoryDataset"):
        cf.behavior_frequencies([1, 2])
