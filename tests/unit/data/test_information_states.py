"""What a log says that players knew is what they know while they play."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf


class Sides:
    """Two players choose at once, three times; each is shown its own choice first, or both are shown the same."""

    def __init__(self, own_first):
        self.own_first = own_first

    def reset(self, random):
        return {"round": np.zeros(len(random)), "last": np.zeros((len(random), 2))}

    def legal_actions(self, state):
        return np.ones((len(state["round"]), 2, 3), bool)

    def observe(self, state):
        last = np.repeat(state["last"][:, None], 2, axis=1)
        last[:, 1] = last[:, 1, :: -1 if self.own_first else 1]
        return np.concatenate([np.repeat(state["round"][:, None, None], 2, axis=1), last], axis=2)

    def step(self, state, actions, random):
        after = {"round": state["round"] + 1, "last": actions.astype(float)}
        return after, np.zeros(actions.shape), after["round"] == 3


def game(own_first):
    spec = cf.GameSpec(
        "sides", num_players=2, num_actions=3, action_vectors=np.eye(3), observation_size=3, history_start=1,
        state_size=2 * 3 + 2 * 3, max_episode_length=6, moves="simultaneous",
    )  # fmt: skip
    return cf.games.from_simulator(spec, Sides(own_first))


@pytest.mark.parametrize("own_first", [False, True])
def test_a_table_of_what_was_known_is_followed_to_the_letter(own_first):
    """Whoever plays by a table over the log's information states meets them again, each as the log has it."""
    log = cf.generate_dataset(game(own_first), num_trajectories=3000, seed=0)
    known = [np.unique(log.information_states()[log.acting_player == player], axis=0) for player in (0, 1)]
    assert [len(states) for states in known] == [1 + 9 + 81] * 2
    rng = np.random.default_rng(0)
    tables = [cf.TablePolicy(states, np.eye(3)[rng.integers(3, size=len(states))]) for states in known]
    played = cf.generate_dataset(game(own_first), behavior=[tuple(tables)], num_trajectories=50, seed=1)
    states, masks = played.information_states(), played.legal_masks()
    for player, table in enumerate(tables):
        own = played.acting_player == player
        assert (table.probabilities(states[own], masks[own])[np.arange(own.sum()), played.action[own]] == 1.0).all()
    assert len(np.unique(played.action.reshape(50, 6), axis=0)) == 1  # nobody was left to luck


@pytest.mark.parametrize("own_first", [False, True])
def test_the_check_warns_where_a_move_shows_unlike_things(own_first):
    findings = cf.generate_dataset(game(own_first), num_trajectories=200, seed=0).check().warnings
    found = [finding for finding in findings if finding.kind == "what moves show"]
    assert len(found) == own_first
    if found:
        assert "history_start 1" in found[0].message
        assert found[0].place == "trajectory 0, step 2"
