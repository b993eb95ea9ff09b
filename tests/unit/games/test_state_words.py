"""States that were worked out from a log can be read: every column, move and mover of the log is in their words."""

from __future__ import annotations

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.games.state_words import StateWords

read = cf.TrajectoryDataset.from_transitions


def words_of(dataset):
    words = StateWords(dataset.spec)
    assert words.is_known
    entries = range(dataset.spec.state_size)
    return [words.say(entries, row) for row in dataset.state.tolist()]


def test_of_turns():
    log = {
        "episode": ["a", "a", "a", "b", "b", "b"],
        "player": ["seller", "buyer", "seller"] * 2,
        "action": ["hi", "no", "lo", "lo", "yes", "hi"],
        "reward": [[0, 0], [0, 0], [1, 2], [0, 0], [0, 0], [3, 4]],
        "cost": [1.5, 4.0, 1.5, 2.5, 8.0, 2.5],
        "day": ["mon", "tue", "mon", "tue", "mon", "tue"],
    }
    dataset = read(None, log, columns={"observation": ["cost", "day"]}, public_moves=True)
    told = words_of(dataset)
    assert told[0].startswith("seller moves, seller: cost 1.5, seller: day = mon, buyer: cost 4, buyer: day = tue")
    assert "last: hi" in told[1]
    assert "buyer moves" in told[1]
    assert "last: no" in told[2]
    assert "last" not in told[3]
    assert "seller: cost 2.5" in told[3]
    assert len(set(told)) == 6


def test_of_rounds():
    log = {"episode": [1, 1, 2, 2], "move_n": ["x", "y", "y", "x"], "move_s": ["y", "y", "x", "x"], "pay": [0, 1, 0, 2]}
    columns = {"episode": "episode", "action": "move_", "reward": ["pay", "pay"]}
    told = words_of(read(None, log, columns=columns))
    assert told[0] == "the start"
    assert told[1] == "n chose x"  # before the second chooses in the same round, which it does not see
    assert told[2] == "last: n x, last: s y"
    assert told[6] == "last: n y, last: s x"


def test_of_cards_that_chance_deals():
    log = {
        "episode": [1, 1, 1, 2, 2, 2],
        "player": ["dealer", "ann", "bob"] * 2,
        "action": ["ace", "bet", "fold", "king", "fold", "bet"],
        "reward": [[0, 0], [0, 0], [1, -1]] * 2,
    }
    told = words_of(read(None, log, chance="dealer", public_moves=True))
    assert told[0] == "chance moves"
    assert "last: ace" in told[1]
    assert told[1] != told[4]


def test_states_of_ones_own_have_no_words():
    spec = cf.GameSpec("own", 1, 2, np.eye(2), 1, 1, 0, 1)
    assert not StateWords(spec).is_known


@pytest.mark.parametrize("seed", range(3))
def test_unlike_states_have_unlike_words(seed):
    rng = np.random.default_rng(seed)
    log = {
        "episode": np.repeat(np.arange(30), 4),
        "player": np.tile(["a", "b"], 60),
        "action": rng.integers(3, size=120),
        "reward": rng.normal(size=120),
        "seen": rng.integers(5, size=120),
    }
    dataset = read(None, log, columns={"observation": "seen"})
    told = words_of(dataset)
    states = {tuple(row) for row in dataset.state.tolist()}
    # The time alone is left out of the words.
    assert len(set(told)) == len({state[1:] for state in states})
