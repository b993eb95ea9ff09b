"""What a log must satisfy before a model is learned from it, on small logs that break one rule each."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.data import from_transitions, tried
from coffee_fast.data.check import free_terminal_value
from coffee_fast.errors import DatasetError, InvalidArgumentError, InvalidGameError

QUICK = cf.EnsembleConfig(num_members=2, hidden_sizes=(4,), num_steps=5, num_reward_steps=5)
ARRAYS = ("state", "observation", "action", "acting_player", "reward", "legal_mask")


def haggle(num_episodes=60, *, seed=0, opener=None, actions=(range(3), range(3)), masks=None, bonus=0.0, **changes):
    """Two players name one of ``actions`` in turn, 2 to 4 times; the last number is what the last player gets of 3.

    ``opener`` is who opens, by default a coin; ``masks`` the legal actions of each player; ``bonus`` is paid to player
    0 on top.
    """
    rng = np.random.default_rng(seed)
    rows: dict[str, list] = {name: [] for name in ("trajectory", *ARRAYS)}
    for episode in range(num_episodes):
        first, length = int(rng.integers(2)) if opener is None else opener, int(rng.integers(2, 5))
        named, private = 0.0, rng.random(2)
        for move in range(length):
            player = (first + move) % 2
            action = int(actions[player][rng.integers(len(actions[player]))])
            pay = [0.0, 0.0]
            if move == length - 1:
                pay[player], pay[1 - player] = float(action % 3), 3.0 - action % 3
                pay[0] += bonus
            state = [move, named, *private, player]
            legal = [int(masks is None or number in masks[player]) for number in range(6)]
            row = (episode, state, [[move, private[p], named] for p in range(2)], action, player, pay, legal)
            for column, value in zip(rows.values(), row, strict=True):
                column.append(value)
            named = float(action)
    spec = cf.GameSpec("haggle", 2, 6, np.arange(6)[:, None] / 6, 5, 3, 2, 4, is_symmetric=True)
    return from_transitions(dataclasses.replace(spec, **changes), rows)


EXCHANGE = {"state_swap": (0, 1, 3, 2, 4), "state_flip": (4,)}


def kinds(dataset, severity, **options):
    return [finding.kind for finding in dataset.check(**options).findings if finding.severity == severity]


def with_arrays(dataset, **arrays):
    return cf.TrajectoryDataset(dataset.spec, dataset.arrays | arrays)


def refused(dataset, kind, *words):
    """The log is refused by check and fit alike, in words; the message is of bounded length."""
    (found,) = (finding for finding in dataset.check().refused if finding.kind == kind)
    with pytest.raises(DatasetError) as error:
        cf.DynamicsEnsemble.fit(dataset, QUICK)
    assert str(error.value).startswith("DynamicsEnsemble.fit: ")
    assert len(str(error.value)) < 900
    for word in words:
        assert word in str(found)
    return found


@pytest.mark.parametrize("changes", [{}, {"opener": 1, "is_symmetric": False}, EXCHANGE])
def test_an_honest_log_raises_no_alarm(changes):
    for seed in range(5):
        assert haggle(200, seed=seed, **changes).check().findings == ()


@pytest.mark.parametrize("mirrored", [True, False])
@pytest.mark.parametrize("num_trajectories", [40, 200, 1000])
def test_generated_bargaining_raises_no_alarm(num_trajectories, mirrored):
    game = cf.load_game("generalized_bargaining")
    for seed in range(3):
        log = cf.generate_dataset(game, num_trajectories=num_trajectories, seed=seed, mirrored=mirrored)
        assert log.check().findings == ()
        assert log.check().is_learnable


def test_rewards_before_the_end_are_refused_with_their_place():
    log = haggle()
    reward = np.array(log.reward)
    reward[[3, 8], 1] = 0.5
    log = with_arrays(log, reward=reward)
    rows = int(((log.reward != 0).any(axis=1) & (log.terminal == 0)).sum())
    first = int(np.flatnonzero((log.reward != 0).any(axis=1) & (log.terminal == 0))[0])
    trajectory = int(np.searchsorted(log.trajectory_offsets, first, side="right")) - 1
    step = first - log.trajectory_offsets[trajectory]
    refused(log, "rewards before the end", f"trajectory {trajectory}, step {step}: ", f"in {rows} rows", "last row")


def test_rewards_before_the_end_hinder_neither_tables_nor_cloning():
    log = haggle()
    log = with_arrays(log, reward=np.ones_like(log.reward))
    config = cf.BehaviorCloningConfig(hidden_sizes=(4,), num_steps=5)
    assert cf.clone_behavior(log, config, seed=1).kind == "softmax"
    game = cf.TabularGame.from_dataset(log, state_key=lambda state: tuple(state[[0, 4]]), is_fully_observed=True)
    assert game.horizon == 4


@pytest.mark.parametrize("movers", [(0, 0, 1, 1), (0, 0, 0, 0), (1, 1, 0, 0), (0, 1, 1, 0)])
def test_another_turn_order_is_refused_with_its_place(movers):
    state = np.random.default_rng(0).random((40, 2))
    log = from_transitions(
        cf.GameSpec("turns", 2, 2, [[0], [1]], 2, 2, 1, 4),
        {
            "trajectory": np.repeat(np.arange(10), 4),
            "state": state,
            "observation": np.repeat(state[:, None], 2, axis=1),
            "action": np.arange(40) % 2,
            "acting_player": np.tile(movers, 10),
            "reward": np.outer((np.arange(40) % 4 == 3) * np.arange(40), [1, -1]),
        },
    )
    step = next(step for step in range(1, 4) if movers[step] == movers[step - 1])
    refused(
        log,
        "turn order",
        f"trajectory 0, step {step}: ",
        f"player {movers[step]} moves after",
        "turn_order='predicted'",
    )


def test_three_players_move_in_turn_or_are_refused():
    def log(movers):
        state = np.random.default_rng(0).random((60, 1))
        return from_transitions(
            cf.GameSpec("three", 3, 2, [[0], [1]], 1, 1, 1, 3),
            {
                "trajectory": np.repeat(np.arange(20), 3),
                "state": state,
                "observation": np.repeat(state[:, None], 3, axis=1),
                "action": np.arange(60) % 2,
                "acting_player": np.tile(movers, 20),
                "reward": np.outer((np.arange(60) % 3 == 2) * np.arange(60), [1, -1, 0]),
            },
        )

    assert log([2, 0, 1]).check().findings == ()
    assert kinds(log([0, 2, 1]), "refused") == ["turn order"]


def test_states_that_look_like_the_end_are_refused_and_another_value_helps():
    log = haggle()
    state = np.array(log.state)
    state[4] = -1.2  # the end of another log is at -1
    next_state = np.array(log.next_state)
    next_state[:-1] = np.where(log.terminal[:-1, None] == 1, next_state[:-1], state[1:])
    log = with_arrays(log, state=state, next_state=next_state)
    found = refused(log, "states like the end", "is 0.2 from terminal_state_value -1", "terminal_state_value=-3.0")
    trajectory = int(np.searchsorted(log.trajectory_offsets, 4, side="right")) - 1
    assert found.place == f"trajectory {trajectory}, step {4 - log.trajectory_offsets[trajectory]}"
    assert log.check(terminal_threshold=0.1).is_learnable  # what is near is the model's to say

    moved = np.where(log.terminal[:, None] == 1, np.float32(-3), log.next_state)
    spec = dataclasses.replace(log.spec, terminal_state_value=-3.0)
    assert cf.TrajectoryDataset(spec, log.arrays | {"next_state": moved}).check().findings == ()


def test_states_near_the_threshold_are_warned_of():
    log = haggle(terminal_state_value=-0.6)
    state, next_state = np.array(log.state), np.array(log.next_state)
    state[log.trajectory_offsets[3]] = 0.0
    log = with_arrays(log, state=state, next_state=next_state)
    assert kinds(log, "warning") == ["states like the end"]
    assert kinds(log, "refused", terminal_threshold=0.7) == ["states like the end"]


@pytest.mark.parametrize("least", [-1.0, 0.0, 7.3, -1e4, 1e6, -3e30])
@pytest.mark.parametrize("threshold", [0.5, 3.0])
def test_the_proposed_end_is_two_thresholds_from_every_state(least, threshold):
    value = free_terminal_value(least, threshold)
    assert value == np.float32(value) or least < -1e6
    assert np.float32(least) - np.float32(value) >= 2 * threshold
    assert free_terminal_value(-3.4e38, threshold) is None


def test_payoffs_that_never_differ_are_refused():
    log = haggle()
    silent = with_arrays(log, reward=np.zeros_like(log.reward))
    refused(silent, "equal payoffs", "every trajectory of the dataset pays the same, 0.0 at its end")
    fixed = np.where(log.terminal[:, None] == 1, np.float32([1, 2]), 0).astype(np.float32)
    refused(with_arrays(log, reward=fixed), "equal payoffs", "nothing to learn")


def test_large_states_are_warned_of():
    log = haggle()
    state, next_state = log.state * 1000, np.where(log.terminal[:, None] == 1, log.next_state, 1000 * log.next_state)
    large = with_arrays(log, state=state, next_state=next_state)
    assert kinds(large, "warning") == ["scale of states"]
    assert kinds(large, "warning", terminal_threshold=50.0) == []


def test_what_teaches_nothing_is_warned_of():
    log = haggle()
    constant = with_arrays(
        log,
        state=np.zeros_like(log.state),
        next_state=np.where(log.terminal[:, None] == 1, log.next_state, 0).astype(np.float32),
    )
    assert kinds(constant, "warning") == ["constant state"]
    assert kinds(haggle(9), "warning") == ["few episodes"]
    # With one number an action, the networks know 3, 4, 5 from 0, 1, 2; with a number of its own for each, they do not.
    (found,) = haggle(action_vectors=np.eye(6)).check().warnings
    assert found.kind == "actions nobody took"
    assert "action 3 was legal and never taken, as 3 actions of 6" in found.message


def test_a_log_that_was_pasted_in_twice_is_warned_of():
    log = haggle(50)
    twice = log.select(np.r_[:50, :50])
    (found,) = twice.check().warnings
    assert (found.kind, found.place) == ("repeated trajectories", "trajectory 50")
    assert "it is trajectory 0 once more, and so 50 trajectories" in found.message
    assert kinds(log.select(np.r_[:50, 20:50]), "warning") == ["repeated trajectories"]
    assert kinds(log.select(np.repeat(np.arange(50), 2)), "warning") == ["repeated trajectories"]
    assert kinds(log.select(np.r_[:50, 3, 8, 3]), "warning") == []


def test_short_plays_repeat_by_themselves():
    rng = np.random.default_rng(1)
    action = rng.integers(5, size=600)
    log = from_transitions(
        cf.GameSpec("bid", 1, 5, np.eye(5), 1, 1, 1, 1),
        {
            "trajectory": np.arange(600),
            "state": np.zeros((600, 1)),
            "observation": np.zeros((600, 1, 1)),
            "action": action,
            "acting_player": np.zeros(600),
            "reward": action[:, None],
        },
    )
    assert log.check().findings == ()


@pytest.mark.parametrize("opener", [0, 1])
def test_a_seat_that_always_opens_is_refused_and_mirroring_helps(opener):
    log = haggle(opener=opener, **EXCHANGE)
    refused(log, "who moves first", f"player {opener} moves first in 60 of 60", "dataset.mirrored()")
    both = log.mirrored()
    assert (both.num_trajectories, both.num_independent_episodes, both.is_mirrored) == (120, 60, True)
    assert both.check().findings == ()
    plain = haggle(opener=opener)
    refused(plain, "who moves first", "state_swap", "is_symmetric=False")
    assert haggle(opener=opener, is_symmetric=False).check().findings == ()


def test_few_episodes_prove_nothing_of_who_opens():
    assert kinds(haggle(12, opener=0), "refused") == []
    assert kinds(haggle(18, opener=0), "warning") == ["who moves first"]
    # The same five episodes over and over are still five.
    assert kinds(haggle(5, opener=0).select(np.tile(np.arange(5), 20)), "refused") == []


def test_a_slight_bias_of_a_long_log_is_no_reason_to_refuse_it():
    log = haggle(2000, seed=1)
    by_opener = [np.flatnonzero(log.acting_player[log.trajectory_offsets[:-1]] == player) for player in range(2)]
    skewed = log.select(np.sort(np.r_[by_opener[0][:950], by_opener[1][:780]]))
    assert kinds(skewed, "refused") == []
    assert "who moves first" in kinds(skewed, "warning")


def test_roles_show_in_the_legal_actions():
    buyer, seller = (0, 1, 2), (3, 4, 5)
    log = haggle(actions=(buyer, seller), masks=(buyer, seller))
    refused(log, "legal actions by seat", "is legal at the first move here, and never is for player 0")


def test_roles_show_in_what_is_done_where_masks_do_not_tell():
    log = haggle(actions=((0, 1, 2), (3, 4, 5)))
    assert kinds(log, "refused") == ["actions taken by seat"]
    refused(log, "actions taken by seat", "trajectory 0, step 0", "never take the same action")
    assert kinds(haggle(12, actions=((0, 1, 2), (3, 4, 5))), "refused") == []


def test_unlike_players_of_a_symmetric_game_are_no_fault():
    """One who always takes all, one who always gives: their seats earn unequally, and the game is fair."""
    log = haggle(200, actions=((2,), (0,)), **EXCHANGE)
    assert log.check().is_learnable
    assert set(kinds(log, "warning")) <= {"actions taken by seat", "payoffs by seat"}
    log = haggle(200, actions=((1, 2), (0, 3)), masks=(range(5), range(5)), **EXCHANGE)
    assert kinds(log, "refused") == []  # each does what both may do
    log = haggle(400, actions=((1, 2), (0, 1)), **EXCHANGE)
    assert kinds(log, "refused") == []
    assert kinds(log, "warning") == ["payoffs by seat"]


def test_a_seat_that_is_paid_more_for_the_same_is_refused():
    log = haggle(300, bonus=1.0, **EXCHANGE)
    state = np.array(log.state)
    state[:, 2:4] = 0.5  # nothing private, so that ends come up again in the other seat
    next_state = np.where(log.terminal[:, None] == 1, log.next_state, np.roll(state, -1, axis=0)).astype(np.float32)
    alike = with_arrays(log, state=state, next_state=next_state)
    refused(alike, "payoffs by seat", "its mirror image", "is_symmetric=False")
    fair = haggle(300, **EXCHANGE)
    fair = with_arrays(fair, state=state, next_state=next_state)
    assert fair.check().findings == ()


def test_mirroring_is_refused_where_it_makes_no_sense():
    log = haggle(**EXCHANGE)
    with pytest.raises(DatasetError, match="mirrored already"):
        log.mirrored().mirrored()
    for plain in (haggle(), haggle(is_symmetric=False)):
        with pytest.raises(InvalidGameError, match=r"exchange of states \(state_swap\), got 'haggle'"):
            plain.mirrored()


def test_episodes_too_long_for_any_network_are_refused():
    log = haggle(max_episode_length=2**31 - 1)
    refused(log, "size of information states", "the longest logged episode has 4 actions")
    with pytest.raises(DatasetError, match=r"information_states: .* would take .* GB"):
        log.information_states()


def test_a_check_can_be_read_and_written():
    found = haggle(opener=0).check()
    assert not found.is_learnable
    assert json.loads(json.dumps(found.to_json()))["findings"][0]["severity"] == "refused"
    assert "refused: who moves first" in str(found)
    assert found.refused + found.warnings == found.findings
    with pytest.raises(DatasetError, match=r"^fit: the log: player 0 moves first"):
        found.require_learnable("fit")
    assert "check            1 refused" in str(haggle(opener=0).describe())
    for threshold in (0, -1, np.nan, "x", None, True):
        with pytest.raises(InvalidArgumentError, match="check: terminal_threshold must be"):
            haggle().check(threshold)


def prices(second):
    """Two sellers name one of two prices at once, 60 times; the second one as it is told."""
    rng = np.random.default_rng(0)
    log = {
        "episode": range(60),
        "observation": np.tile([[[0.0], [1.0]]], (60, 1, 1)),
        "action": rng.integers(2, size=(60, 2)),
    }
    log["action"][:, 1] = second
    log |= {"legal_mask": np.ones((60, 2, 2)), "reward": rng.random((60, 2))}
    return cf.TrajectoryDataset.from_transitions(None, log, num_actions=2)


def test_moves_that_nobody_tried_where_situations_come_often_are_warned_of():
    (found,) = [finding for finding in prices(1).check().warnings if finding.kind == "moves nobody tried"]
    assert "took 1 of 2 legal actions, each time of 60" in found.message
    assert "25% of the legal actions were never taken" in found.message
    assert "moves nobody tried" not in kinds(prices(np.arange(60) % 2), "warning")
    assert "moves nobody tried" not in kinds(haggle(actions=(range(1), range(1))), "warning")  # none came often enough


def test_of_a_large_log_the_first_episodes_are_looked_at(monkeypatch):
    monkeypatch.setattr(tried, "MOST_NUMBERS", 100)
    (found,) = [finding for finding in prices(1).check().warnings if finding.kind == "moves nobody tried"]
    assert "each time of 60" not in found.message
