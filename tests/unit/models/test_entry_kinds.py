"""Kinds of entries: what stays, what the move tells, what takes few values, and what proves nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.games import bargaining, poker

import coffee_fast as cf
from coffee_fast.models.copies import Copies, are_among, few_values
from coffee_fast.models.entry_kinds import EntryKinds, Values, _is_exact, _Moves

VECTORS = np.array([[0.0, 0.3], [0.5, 0.1], [1.0, 0.7]], dtype=np.float32)


def log(num_games=60, *, seed=0, change=None, length=4):
    """Two players in turn; entries: worth (stays), last offer (the action's), offer before, moves made, a drift."""
    rng, rows = np.random.default_rng(seed), []
    for game in range(num_games):
        worth, last, before, drift = rng.random(), 0.0, 0.0, 0.0
        for move in range(length):
            action = int(rng.integers(3))
            state = np.array([worth, last, before, move, drift, 1.0], dtype=np.float32)
            if change:
                state = change(state, game, move)
            views = [[state[3], state[1], worth, drift], [state[3], state[1], 0.0, drift]]
            is_over = move == length - 1
            reward = [float(action), worth] if is_over else [0.0, 0.0]
            rows.append((game, state, views, action, move % 2, reward, [1, 1, 1]))
            before, last, drift = last, VECTORS[action, 1], drift + rng.normal()
    spec = cf.GameSpec("offers", 2, 3, VECTORS, state_size=6, observation_size=4, history_start=4, max_episode_length=4)
    names = ("trajectory", "state", "observation", "action", "acting_player", "reward", "legal_mask")
    columns = {name: np.array([row[place] for row in rows]) for place, name in enumerate(names)}
    return cf.TrajectoryDataset.from_transitions(spec, columns)


def test_each_kind_is_found():
    kinds = EntryKinds.of(log(), log(seed=1))
    D, size = 6, 4
    told = D + 1  # the second entry of the action's vector
    np.testing.assert_array_equal(kinds.state_source, [[0, told, 1, -1, -1, 5]] * 2)
    np.testing.assert_array_equal(kinds.state_values.counts, [0, 0, 0, 3, 0, 0])
    np.testing.assert_array_equal(kinds.state_values.values, [1, 2, 3])
    in_state, in_action = size + 3, size + D + 1
    own = [[in_state, in_action, 2, -1, in_state, in_action, 2, -1]] * 2  # the drift is a number, so it is predicted
    np.testing.assert_array_equal(kinds.observation_source, own)
    assert kinds.asks_state.tolist() == [[False, False, False, True, True, False]] * 2
    assert kinds.asks_observation.tolist() == [[False, False, False, True] * 2] * 2
    assert any(
        "state entries: 0 stays as it was; 1 told by the last move; 2 copied" in line for line in kinds.sentences
    )


def test_predictions_are_kept_to_the_range_seen():
    kinds, dataset = EntryKinds.of(log()), log()
    seen = dataset.next_state[dataset.terminal == 0]
    room = 0.1 * np.ptp(seen, axis=0)
    np.testing.assert_allclose(kinds.state_least, seen.min(axis=0) - room, rtol=1e-5)
    np.testing.assert_allclose(kinds.state_most, seen.max(axis=0) + room, rtol=1e-5)


def test_what_held_out_games_contradict_is_predicted():
    def moves_late(state, game, move):
        state[5] = 1.0 + (game == 3 and move > 1)
        return state

    kinds = EntryKinds.of(log(), log(seed=1, change=moves_late))
    assert kinds.state_source[:, 5].tolist() == [5, -1]  # it is after a move of player 1 that it changed
    assert "1 entry of the state (5)" in kinds.sentences[-1]
    assert "not in those held out" in kinds.sentences[-1]
    assert "predicted after all" not in " ".join(EntryKinds.of(log(), log(seed=1)).sentences)


def test_values_not_met_before_make_a_number_of_an_entry():
    def counts_twice(state, game, move):
        state[3] *= 1 + game % 2
        return state

    kinds = EntryKinds.of(log(), log(seed=1, change=counts_twice))
    assert kinds.state_source[:, 3].tolist() == [-1, -1]
    assert kinds.state_values.counts[3] == 0


def test_arrays_are_of_the_kinds_that_the_core_takes():
    arrays = EntryKinds.of(log()).to_arrays()
    shapes = {"state.source": (2, 6), "observation.source": (2, 8), "state.least": (6,), "state.most": (6,)}
    shapes |= {"state.values_offsets": (7,), "observation.values_offsets": (9,)}
    for name, shape in shapes.items():
        assert arrays[name].shape == shape, name
    for name, array in arrays.items():
        assert array.dtype == (np.int32 if "source" in name or "offsets" in name else np.float32), name
    for name in ("state", "observation"):
        assert arrays[f"{name}.values_offsets"][-1] == len(arrays[f"{name}.values"])


def test_rare_movers_are_believed_only_what_holds_for_all():
    rng = np.random.default_rng(0)
    before, after = rng.normal(size=(300, 3)).astype(np.float32), rng.normal(size=(300, 3)).astype(np.float32)
    mover = (np.arange(300) >= 290).astype(np.int64)
    after[:, 0] = before[:, 0]  # stays, whoever moves
    after[290:, 1] = before[290:, 1]  # stays after moves of the rare one alone, as far as its ten rows go
    after[:, 2] = before[:, 1]
    found = Copies(after, before, np.arange(3), np.arange(3), mover).sources(2)
    np.testing.assert_array_equal(found, [[0, -1, 1], [0, -1, 1]])


def test_what_hardly_varies_proves_nothing():
    before = np.zeros((100, 2), dtype=np.float32)
    before[7] = 1.0
    after = np.zeros((100, 2), dtype=np.float32)
    after[7, 0] = 1.0
    after[8, 1] = 1.0
    own = np.arange(2)
    found = Copies(after, before[:, [1, 1]] * [[0, 1]], own, own, np.zeros(100, dtype=np.int64)).sources(1)
    np.testing.assert_array_equal(found, [[-1, -1]])  # entry 0 equals the second candidate, which is one in one row
    stays = Copies(before, before, own, own, np.zeros(100, dtype=np.int64)).sources(1)
    np.testing.assert_array_equal(stays, [[0, 1]])


def test_searching_by_sums_finds_what_comparing_all_pairs_finds():
    rng = np.random.default_rng(1)
    candidates = rng.integers(0, 3, (400, 30)).astype(np.float32)
    picked = rng.integers(0, 30, 25)
    targets = candidates[:, picked] + (rng.random(25) < 0.3) * (rng.random((400, 25)) < 0.05)
    mover = rng.integers(0, 2, 400)
    order = rng.permutation(30)
    copies = Copies(targets.astype(np.float32), candidates, np.zeros(25, dtype=np.int64), order, mover)
    equal = (targets[:, :, None] == candidates[:, None, :])[:, :, order]
    first = np.where(equal.all(axis=0).any(axis=1), order[equal.all(axis=0).argmax(axis=1)], -1)
    np.testing.assert_array_equal(copies.sources(2), [first, first])
    assert copies.holds(copies.sources(2)).all()
    wrong = np.where(first >= 0, (first + 1) % 30, -1)
    np.testing.assert_array_equal(copies.holds(np.stack([wrong, first])), [first < 0, first > -2])


def test_numbers_within_rounding_are_the_same():
    column = np.array([0.1, 1 / 3, np.float32(1 / 3) + 1e-7, 2.0] * 5, dtype=np.float32)
    found = few_values(column, 3, 4)
    np.testing.assert_allclose(found, [0.1, 1 / 3, 2.0], rtol=1e-6)
    assert not len(few_values(column, 2, 4))
    assert not len(few_values(column, 3, 10))
    assert are_among(np.array([0.1, 0.2, 2.0, 3.0]), found).tolist() == [True, False, True, False]


@pytest.mark.parametrize("make", [bargaining, poker])
def test_copies_are_right_in_games_never_seen(make):
    """Kinds found in one log hold in another of the same game."""
    kinds = EntryKinds.of(cf.generate_dataset(make(), num_trajectories=300, seed=0))
    other = EntryKinds.of(
        cf.generate_dataset(make(), num_trajectories=300, seed=0),
        cf.generate_dataset(make(), num_trajectories=100, seed=1),
    )
    np.testing.assert_array_equal(kinds.state_source, other.state_source)
    np.testing.assert_array_equal(kinds.observation_source, other.observation_source)
    assert not kinds.has_views  # all of it is in the state or was told


def test_no_copy_of_predicted_numbers_reaches_a_player():
    kinds = EntryKinds.of(log())
    size, D = 4, 6
    source = kinds.observation_source
    in_state = source[(source >= size) & (source < size + D)] - size
    assert not (kinds.asks_state.any(axis=0) & (kinds.state_values.counts == 0))[in_state].any()


def test_no_copy_of_a_copy_of_a_predicted_number_is_exact():
    """The fifth entry takes few values, the sixth is told by the move."""
    source = np.array([[-1, 0, 1, 2, -1, 6]], dtype=np.int32)
    values = Values.of({4: np.array([0.0, 1.0], dtype=np.float32)}, 6)
    assert _is_exact(source, values).tolist() == [False, False, False, False, True, True]


def test_what_the_move_tells_is_believed_before_what_stood_beside():
    moves = _Moves.of(log())
    plans = moves.state.copy()
    plans[:, 4] = moves.action[:, 1]  # whoever moves has written down the offer beforehand
    sources = dataclasses.replace(moves, state=plans).states().sources(2)
    assert sources[:, 1].tolist() == [6 + 1] * 2
