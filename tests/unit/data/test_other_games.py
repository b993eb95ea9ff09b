"""Datasets of games with chance, rounds at once, pay at every step, roles, and episodes that broke off."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _files
from coffee_fast._sealed import seal_of

CHANCE = cf.GameSpec(
    "dice", 2, 2, np.eye(2), 3, 1, 1, 4, turn_order="predicted", num_chance_actions=2, rewards="every_step"
)
ROUNDS = cf.GameSpec("rounds", 2, 2, np.eye(2), 5, 1, 1, 4, moves="simultaneous", rewards="every_step")


def chance_arrays():
    """Twenty games: a coin is thrown and pays, player 0 moves, then player 1."""
    rng = np.random.default_rng(0)
    coin, moves = rng.integers(2, size=20), rng.integers(2, size=(20, 2))
    state = np.zeros((60, 3), np.float32)
    state[:, 0] = np.tile([0, 1, 2], 20)
    state[:, 1] = np.repeat(coin, 3) * (state[:, 0] > 0)
    state[2::3, 2] = moves[:, 0]
    reward = np.zeros((60, 2), np.float32)
    reward[::3, 0] = coin
    reward[2::3] = np.stack([moves[:, 0], moves[:, 1] - coin], axis=1)
    return finished(state, np.stack([coin, *moves.T], 1).ravel(), np.tile([-1, 0, 1], 20), reward, 3)


def rounds_arrays(num_games=20, seed=0):
    """Games of two rounds."""
    rng = np.random.default_rng(seed)
    action = rng.integers(2, size=(2 * num_games, 2))
    state = np.zeros((4 * num_games, 5), np.float32)
    state[:, 0] = np.tile([0, 0, 1, 1], num_games)
    state[1::2, 1:3] = np.eye(2)[action[:, 0]]
    reward = np.zeros((4 * num_games, 2), np.float32)
    reward[1::2] = np.stack([action[:, 0] * action[:, 1], 1 - action[:, 0]], axis=1)
    return finished(state, action.ravel(), np.tile([0, 1], 2 * num_games), reward, 4)


def finished(state, action, player, reward, length):
    T = len(state)
    next_state, terminal = np.roll(state, -1, axis=0), np.zeros(T, np.uint8)
    next_state[length - 1 :: length], terminal[length - 1 :: length] = -1, 1
    return {
        "trajectory_offsets": np.arange(0, T + 1, length),
        "state": state,
        "observation": np.repeat(state[:, None, :1], 2, axis=1),
        "action": action.astype(np.int32),
        "acting_player": player.astype(np.int8),
        "legal_mask": np.where(player[:, None] < 0, 0, 0b11).astype(np.uint8),
        "reward": reward,
        "next_state": next_state,
        "terminal": terminal,
    }


def put(name, place, value):
    def change(arrays):
        arrays[name][place] = value

    return change


def test_chance_is_a_player_of_its_own():
    dataset = cf.TrajectoryDataset(CHANCE, chance_arrays())
    assert dataset.check().findings == ()
    card = dataset.describe()
    assert (card.num_chance_events, card.mean_legal_actions, card.num_actions_seen) == (20, 2.0, 2)
    assert "60, 20 of chance" in str(card)
    assert dataset.information_states().shape == (60, 1)
    training, held_out = dataset.split(0.25, 1)
    assert (training.num_trajectories, held_out.num_trajectories) == (15, 5)
    spec = dataclasses.replace(CHANCE, is_symmetric=True, state_swap=(0, 1, 2))
    with pytest.raises(cf.InvalidGameError, match="moves of chance"):
        cf.TrajectoryDataset(spec, chance_arrays()).mirrored()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("action", 3, 2), r"trajectory 1, step 0: action of chance .* must lie in \[0, 2\)"),
        (put("legal_mask", 3, 1), r"trajectory 1, step 0: legal_mask of chance .* must be zero"),
        (put("acting_player", 3, -2), r"trajectory 1, step 0: acting_player must lie in \[0, 2\)"),
        (put("legal_mask", 4, 0), "trajectory 1, step 1: the action is not legal"),
    ],
)
def test_moves_of_chance_have_rules(change, message):
    arrays = chance_arrays()
    change(arrays)
    with pytest.raises(cf.DatasetError, match=message):
        cf.TrajectoryDataset(CHANCE, arrays)


def test_chance_in_a_game_without_is_refused():
    spec = cf.GameSpec("dice", 2, 2, np.eye(2), 3, 1, 1, 4)
    with pytest.raises(cf.DatasetError, match=r"trajectory 0, step 0: acting_player .*-1 is chance.*num_chance"):
        cf.TrajectoryDataset(spec, chance_arrays())


def test_an_outcome_that_never_came_is_warned_of():
    spec = dataclasses.replace(CHANCE, num_chance_actions=3, chance_vectors=np.eye(3))
    (found,) = cf.TrajectoryDataset(spec, chance_arrays()).check().warnings
    assert found.kind == "outcomes never seen"
    assert "outcome 2 of chance never came up" in found.message


def test_rounds_lie_seat_by_seat():
    dataset = cf.TrajectoryDataset(ROUNDS, rounds_arrays())
    assert dataset.check().findings == ()
    spec = dataclasses.replace(ROUNDS, is_symmetric=True, state_swap=(0, 3, 4, 1, 2))
    with pytest.raises(cf.InvalidGameError, match="moves at once"):
        cf.TrajectoryDataset(spec, rounds_arrays()).mirrored()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("acting_player", 5, 0), "trajectory 1, step 1: moves at once lie seat by seat"),
        (put("state", (5, 3), 1), "trajectory 1, step 0: next_state must be|trajectory 1, step 1: the last 4 entries"),
        (put("observation", (5, 0, 0), 7), "trajectory 1, step 1: observations must not change within a round"),
        (put("reward", (4, 0), 7), "trajectory 1, step 0: a round of moves at once pays in its last row alone"),
    ],
)
def test_rounds_have_rules(change, message):
    arrays = rounds_arrays()
    change(arrays)
    arrays["next_state"][:-1] = np.where(arrays["terminal"][:-1, None] == 1, -1, arrays["state"][1:])
    with pytest.raises(cf.DatasetError, match=message):
        cf.TrajectoryDataset(ROUNDS, arrays)


def test_half_a_round_is_refused():
    arrays = rounds_arrays()
    keep = np.arange(80) != 3
    arrays = {name: array[keep] if len(array) == 80 else array for name, array in arrays.items()}
    arrays["trajectory_offsets"] = np.concatenate([[0], np.arange(3, 80, 4)])
    arrays["terminal"][2] = 1
    arrays["next_state"][2] = -1
    with pytest.raises(cf.DatasetError, match="trajectory 0, step 2: a trajectory of moves at once ends with a whole"):
        cf.TrajectoryDataset(ROUNDS, arrays)


def truncated(arrays, *trajectories):
    arrays = {name: array.copy() for name, array in arrays.items()}
    ends = arrays["trajectory_offsets"][1:] - 1
    flags = np.zeros(len(ends), bool)
    flags[list(trajectories)] = True
    arrays["terminal"][ends[flags]] = 0
    arrays["next_state"][ends[flags]] = 0.5
    return arrays | {"truncated": flags}


def test_episodes_may_break_off():
    spec = dataclasses.replace(CHANCE, rewards="every_step")
    dataset = cf.TrajectoryDataset(spec, truncated(chance_arrays(), 1, 4))
    assert np.flatnonzero(dataset.truncated).tolist() == [1, 4]
    assert dataset.check().is_learnable
    assert dataset.describe().num_truncated == 2
    assert np.flatnonzero(dataset.select([4, 0, 1]).truncated).tolist() == [0, 2]
    assert not cf.TrajectoryDataset(spec, chance_arrays()).truncated.any()
    arrays = truncated(chance_arrays(), 1)
    for wrong, message in (
        (
            {"truncated": None},
            "trajectory 1, step 2: the last transition of a trajectory must be terminal, unless",
        ),
        ({"truncated": np.zeros(3, bool)}, r"truncated must be bool, or uint8 of 0 and 1, of shape \[20\]"),
        ({"truncated": np.full(20, 2, np.uint8)}, "truncated must be bool"),
        ({"truncated": np.arange(20) < 2}, "trajectory 0, step 2: a trajectory that is truncated has no terminal"),
    ):
        with pytest.raises(cf.DatasetError, match=message):
            cf.TrajectoryDataset(spec, arrays | wrong)


def test_format_2_holds_what_format_1_did_not_know(tmp_path):
    spec = cf.GameSpec("plain", 2, 2, np.eye(2), 5, 1, 1, 4, turn_order="predicted")
    plain = cf.GameSpec("plain", 2, 2, np.eye(2), 5, 1, 1, 4)
    arrays = rounds_arrays()
    for number, (game, form) in enumerate([
        (plain, arrays), (spec, arrays), (plain, truncated(arrays, 3)), (ROUNDS, arrays),
        (dataclasses.replace(plain, player_names=("a", "b")), arrays),
    ]):  # fmt: skip
        dataset = cf.TrajectoryDataset(game, form)
        dataset.save(tmp_path / str(number))
        manifest = json.loads((tmp_path / str(number) / "manifest.json").read_bytes())
        assert manifest["format"] == (1 if number == 0 else 2)
        loaded = cf.TrajectoryDataset.load(tmp_path / str(number))
        assert loaded.fingerprint == dataset.fingerprint
        np.testing.assert_array_equal(loaded.truncated, dataset.truncated)
    folder = tmp_path / "2"
    manifest["game"] = plain.to_json()
    manifest |= {"format": 1, "sha256": _files.sha256_of(folder / "data.safetensors")}
    manifest["manifest_sha256"] = seal_of(manifest, "manifest_sha256")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(cf.DatasetError, match="holds what format 1 does not know"):
        cf.TrajectoryDataset.load(folder)


def three_sellers(num_episodes=200, seed=0, favored=None):
    """A buyer asks, one of three sellers, drawn, answers; they share a role."""
    rng = np.random.default_rng(seed)
    seller = rng.integers(1, 4, size=num_episodes)
    action = rng.integers(2, size=2 * num_episodes)
    state = np.zeros((2 * num_episodes, 2), np.float32)
    state[1::2, 0], state[1::2, 1] = seller, action[::2]
    reward = np.zeros((2 * num_episodes, 4), np.float32)
    reward[1::2, 0] = action[1::2]
    reward[np.arange(num_episodes) * 2 + 1, seller] = 1.0 - action[1::2] + 3 * (seller == favored)
    player = np.stack([np.zeros(num_episodes), seller], 1).ravel()
    arrays = finished(state, action, player, reward, 2)
    arrays["observation"] = np.repeat(state[:, None, :1], 4, axis=1)
    return arrays


def test_seats_are_compared_within_their_role():
    sizes = {"num_players": 4, "num_actions": 2, "state_size": 2, "observation_size": 1, "history_start": 1}
    kind = {"max_episode_length": 2, "action_vectors": np.eye(2), "turn_order": "predicted"}
    roles = cf.GameSpec(name="market", **sizes, **kind, roles=(1, 3))
    assert cf.TrajectoryDataset(roles, three_sellers()).check().findings == ()
    found = cf.TrajectoryDataset(roles, three_sellers(favored=2)).check().findings
    assert [finding.kind for finding in found] == ["payoffs by seat"]
    assert "a role that is said to have the like seats 1 to 3" in found[0].message
    all_alike = cf.GameSpec(name="market", **sizes, **kind, is_symmetric=True)
    refused = {finding.kind for finding in cf.TrajectoryDataset(all_alike, three_sellers()).check().refused}
    assert "who moves first" in refused
    masked = three_sellers()
    third = masked["acting_player"] == 3
    masked["acting_player"][:] = np.where(np.arange(400) % 2, 0, np.repeat(np.arange(200) % 3 + 1, 2))
    masked["legal_mask"][masked["acting_player"] == 1] = 0b01
    masked["action"][masked["acting_player"] == 1] = 0
    kinds = {finding.kind for finding in cf.TrajectoryDataset(roles, masked).check().refused}
    assert "legal actions by seat" in kinds
    assert third.any()


def test_what_is_paid_and_whose_turn_it_is_are_no_fault_where_the_game_says_so():
    arrays = rounds_arrays()
    arrays["acting_player"][:] = np.tile([0, 0, 1, 0], 20)
    cyclic = cf.GameSpec("any", 2, 2, np.eye(2), 5, 1, 1, 4)
    kinds = [finding.kind for finding in cf.TrajectoryDataset(cyclic, arrays).check().refused]
    assert kinds == ["rewards before the end", "turn order"]
    said = dataclasses.replace(cyclic, turn_order="predicted", rewards="every_step")
    assert cf.TrajectoryDataset(said, arrays).check().is_learnable
    arrays["reward"][:] = 0
    found = cf.TrajectoryDataset(said, arrays).check().refused
    assert [finding.kind for finding in found] == ["equal payoffs"]
    assert "pays the same, 0.0 in all" in found[0].message


def test_frames_name_players_and_moves(tmp_path):
    pandas = pytest.importorskip("pandas")
    names = {"player_names": ("ann", "bob"), "action_names": ("low", "high"), "chance_names": ("head", "tail")}
    dataset = cf.TrajectoryDataset(dataclasses.replace(CHANCE, **names), truncated(chance_arrays(), 1))
    frame = dataset.to_frame()
    assert frame["player"].tolist()[:3] == ["chance", "ann", "bob"]
    assert set(frame["action"]) == {"head", "tail", "low", "high"}
    assert frame["truncated"].sum() == 3
    assert {"reward_ann", "reward_bob"} <= set(frame.columns)
    for name in ("log.csv", "log.parquet"):
        cf.data.export_table(dataset, tmp_path / name)
        cf.data.export_table(dataset, tmp_path / name)  # in the place of the first
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "log.parquet"), frame)
    assert len(pandas.read_csv(tmp_path / "log.csv")) == 60
    with pytest.raises(cf.DatasetError, match="ends in .csv or .parquet"):
        cf.data.export_table(dataset, tmp_path / "log.xls")
    with pytest.raises(cf.InvalidArgumentError, match="to_frame: features must be True or False"):
        dataset.to_frame(features=3)


def test_a_frame_with_chance_is_the_dataset_again():
    pytest.importorskip("pandas")
    for spec, arrays in ((CHANCE, truncated(chance_arrays(), 1)), (CHANCE, chance_arrays())):
        dataset = cf.TrajectoryDataset(spec, arrays)
        again = cf.TrajectoryDataset.from_transitions(spec, dataset.to_frame(features=True), chance="chance")
        assert again.fingerprint == dataset.fingerprint
