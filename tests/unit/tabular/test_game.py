"""Tabular games from arrays, logs and models."""

import numpy as np
import pytest
from tests.unit.regularized.anchored.test_backward_induction import random_game

import coffee_fast as cf
from coffee_fast.errors import DatasetError, InvalidArgumentError, InvalidGameError
from coffee_fast.regularized import gane


def log_of(rng, num_rows, sizes=(2, 3)):
    return {
        "action": np.stack([rng.integers(size, size=num_rows) for size in sizes], axis=1),
        "reward": rng.normal(size=(num_rows, 2)),
    }


def test_a_bandit_log_gives_counts_means_and_variances(rng):
    log = log_of(rng, 200)
    game = cf.TabularGame.from_dataset(log)
    assert (game.horizon, game.num_states, game.num_actions) == (1, 1, (2, 3))
    for a in range(2):
        for b in range(3):
            here = (log["action"] == [a, b]).all(axis=1)
            assert game.counts[0, 0, a, b] == here.sum()
            np.testing.assert_allclose(game.rewards[:, 0, 0, a, b], log["reward"][here].mean(axis=0))
            np.testing.assert_allclose(game.reward_variance[:, 0, 0, a, b], log["reward"][here].var(axis=0, ddof=1))
    straight, through = gane(log, kl_weight=0.5), gane(game, kl_weight=0.5)
    np.testing.assert_array_equal(straight.policies[0], through.policies[0])
    plays = [np.bincount(log["action"][:, i], minlength=size) + 1.0 for i, size in enumerate((2, 3))]
    given = gane(log, kl_weight=0.5, reference=[p / p.sum() for p in plays])
    np.testing.assert_allclose(straight.policies[1], given.policies[1], atol=1e-9)


def test_episodes_give_transitions_by_step_and_mark_what_is_unseen():
    log = {
        "trajectory": ["x", "x", "y", "y", "z"],
        "state": ["home", "away", "home", "home", "away"],
        "action": [[0, 0], [1, 0], [0, 0], [0, 1], [1, 1]],
        "reward": [[1, 0], [2, 0], [3, 0], [4, 0], [5, 0]],
    }
    game = cf.TabularGame.from_dataset(log)
    assert game.state_keys == ("away", "home")
    np.testing.assert_allclose(game.initial, [1 / 3, 2 / 3])
    np.testing.assert_allclose(game.transitions[0, 1, 0, 0], [0.5, 0.5])
    np.testing.assert_allclose(game.transitions[0, 0, 1, 1], [0.0, 0.0])  # the episode ended
    np.testing.assert_allclose(game.rewards[0, 0, 1, 0, 0], 2.0)
    assert np.isnan(game.rewards[0, 0, 1, 1, 1])
    assert game.reached.tolist() == [[True, True], [True, True]]
    assert game.num_unseen == 2 * 2 * 4 - 4
    with pytest.raises(InvalidGameError, match=r"12 cells are empty, the first for actions \(0, 0\) at step 0"):
        gane(game, kl_weight=1.0)
    found = gane(game, kl_weight=1.0, unseen_value=(0.0, -1.0))
    assert found.status == "converged"
    assert np.isinf(found.concentrability).all()
    labels = {**log, "state": [1, 0, 1, 1, 0]}
    same = cf.TabularGame.from_dataset(labels, num_states=3, num_actions=2)
    assert same.state_keys == (0, 1, 2)
    np.testing.assert_array_equal(same.counts[:, :2], game.counts)
    assert not same.reached[:, 2].any()
    again = gane(same, kl_weight=1.0, unseen_value=(0.0, -1.0))
    np.testing.assert_allclose(again.policies[0][:, :2], found.policies[0], atol=1e-12)
    np.testing.assert_array_equal(again.policies[0][:, 2], 0.5)
    assert np.isnan(again.values[:, :, 2]).all()


def ultimatum_log(num_rounds=400, seed=0, **fields):
    """Player 0 offers little or half of 4; player 1, who sees the offer, takes it or leaves it."""
    rng = np.random.default_rng(seed)
    columns = {name: [] for name in ("trajectory", "state", "observation", "action", "acting_player", "reward")}
    masks = []
    for episode in range(num_rounds):
        offer, answer = rng.integers(2, size=2)
        split = [3.0, 1.0] if offer == 0 else [2.0, 2.0]
        for state, action, player, reward, mask in (
            ([0.0, 0.0], offer, 0, [0.0, 0.0], [1, 1, 0]),
            ([1.0, offer], answer + 1, 1, [r * answer for r in split], [0, 1, 1]),
        ):
            row = (episode, state, [state, state], action, player, reward)
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
            masks.append(mask)
    spec = cf.GameSpec("ultimatum", 2, 3, np.eye(3), 2, 2, 1, 2, **fields)
    return cf.TrajectoryDataset.from_transitions(spec, {**columns, "legal_mask": masks})


def test_a_dataset_of_turns_is_a_game_of_cells():
    dataset = ultimatum_log()
    for key in (lambda state: tuple(state.tolist()), lambda state: state.tobytes()):
        game = cf.TabularGame.from_dataset(dataset, state_key=key)
        found = gane(game, kl_weight=0.5, reference="uniform")
        assert (game.horizon, game.num_states, game.num_unseen) == (2, 3, 0)
        assert game.num_actions == (2, 3)
        assert found.status == "converged"
        first = int(np.flatnonzero(game.initial)[0])
        accept = [1 / (1 + np.exp(-share / 0.5)) for share in (1.0, 2.0)]
        answers = sorted(found.policies[1][1, s, 2] for s in range(3) if s != first)
        np.testing.assert_allclose(answers, accept, atol=1e-6)
        scores = np.exp(np.array([3 * accept[0], 2 * accept[1]]) / 0.5)
        np.testing.assert_allclose(found.policies[0][0, first], scores / scores.sum(), atol=1e-6)
        np.testing.assert_array_equal(found.policies[1][0, first], [1, 0, 0])  # not its turn
    labels = [tuple(state) for state in dataset.state.tolist()]
    same = cf.TabularGame.from_dataset(dataset, state_key=labels)
    assert same.state_keys == ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))


def test_cells_must_tell_turns_and_legal_actions_apart():
    dataset = ultimatum_log(20)
    with pytest.raises(InvalidArgumentError, match="state_key must be given: a function from a state"):
        cf.TabularGame.from_dataset(dataset)
    rows = {name: dataset.arrays[name].copy() for name in dataset.arrays}
    rows["legal_mask"][3] |= 1
    mixed = cf.TrajectoryDataset(dataset.spec, rows)
    with pytest.raises(DatasetError, match="state_key must tell which actions are legal: cell 0 at step 1 holds rows"):
        cf.TabularGame.from_dataset(mixed, state_key=lambda state: 0)
    with pytest.raises(DatasetError, match="state must be one label a row, 40 in all, got 2"):
        cf.TabularGame.from_dataset(dataset, state_key=[0, 1])
    with pytest.raises(DatasetError, match=r"hashable labels, got \[0.0, 0.0\] in row 0"):
        cf.TabularGame.from_dataset(dataset, state_key=lambda state: state.tolist())


def test_a_table_too_large_is_refused_before_it_is_made():
    rows = 20_000
    log = {"state": np.arange(rows), "action": np.zeros((rows, 2), dtype=int), "reward": np.zeros((rows, 2))}
    with pytest.raises(DatasetError, match=r"1 steps, 20000 states and 2x1000 actions would hold 8e\+11 probabilities"):
        cf.TabularGame.from_dataset(log, num_actions=(2, 1000))


def test_a_model_is_asked_cell_by_cell(rng):
    game = random_game(rng)
    copy = cf.TabularGame.from_model(
        lambda h, s, a: (game.rewards[(slice(None), h, s, *a)], game.transitions[(h, s, *a)]),
        horizon=3,
        num_actions=(2, 3),
        initial=game.initial,
    )
    np.testing.assert_array_equal(copy.rewards, game.rewards)
    np.testing.assert_array_equal(copy.transitions, game.transitions)
    members = cf.TabularGame.from_model(
        lambda h, s, a: ([[0.0, 2.0], [2.0, 4.0]], [[1.0, 0.0], [0.0, 0.5]]),
        horizon=1,
        num_actions=(1, 1),
        initial=[1.0, 0.0],
    )
    assert members.rewards[:, 0, 0, 0, 0].tolist() == [1.0, 3.0]
    assert members.transitions[0, 0, 0, 0].tolist() == [0.5, 0.25]
    with pytest.raises(InvalidArgumentError, match=r"model must return states of shape \[2\] or \[E, 2\], got \[3\]"):
        cf.TabularGame.from_model(lambda h, s, a: ([0.0], [0.0] * 3), horizon=1, num_actions=(1,), initial=[1.0, 0.0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rewards": np.zeros((2, 1, 1, 2))}, "rewards must have shape"),
        (
            {"rewards": np.full((2, 2, 2, 2, 2), np.nan)},
            "rewards must be finite, got nan of player 0 at step 0",
        ),
        ({"rewards": [[1.0], [2.0, 3.0]]}, "rewards must be a rectangular array"),
        ({"transitions": None}, "transitions must be given for 2 steps"),
        (
            {"transitions": np.full((2, 2, 2, 2, 2), 0.6)},
            "transitions must be probabilities >= 0 that sum to",
        ),
        ({"transitions": np.zeros((2, 2, 2, 2, 3))}, "transitions must have shape"),
        ({"initial": [0.5, 0.6]}, "initial must hold probabilities that sum to 1"),
        ({"initial": [1.0]}, r"initial must have shape \[2\], got \[1\]"),
        ({"counts": -np.ones((2, 2, 2, 2))}, "counts must be integers >= 0"),
        ({"legal": [np.ones((2, 2, 2))]}, "legal must be one array a player, got 1"),
        ({"legal": [np.zeros((2, 2, 2)), np.ones((2, 2, 2))]}, "player 0 has no legal action at step 0, state 0"),
        ({"state_keys": ("one",)}, "state_keys must name 2 states, got 1"),
        ({"reward_variance": -np.ones((2, 2, 2, 2, 2))}, "reward_variance must not be negative"),
    ],
)
def test_arrays_that_are_no_game_are_refused(changes, message):
    arrays = {
        "rewards": np.zeros((2, 2, 2, 2, 2)),
        "transitions": np.full((2, 2, 2, 2, 2), 0.5),
        "initial": [0.5, 0.5],
    }
    with pytest.raises(InvalidGameError, match=f"TabularGame: {message}"):
        cf.TabularGame(**{**arrays, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"action": [[0, -1], [0, 0]]}, r"action must hold integers >= 0, got -1 in row 0"),
        ({"action": [[0, 0.5], [0, 0]]}, "action must hold integers >= 0"),
        ({"action": [[0, 0]]}, "action and reward must have shape"),
        ({"action": np.zeros((0, 2)), "reward": np.zeros((0, 2))}, "the log is empty: it has no rows"),
        ({"reward": [[0, np.nan], [0, 0]]}, "reward must be finite, got nan in row 0"),
        ({"reward": "much"}, "column 'reward' must hold numbers"),
        ({"state": [0]}, "state must be one label a row, 2 in all, got 1"),
        ({"rewards": [0, 0]}, "there is no column 'rewards'; the columns are action, reward, state"),
        ({"terminal": [[1], [1]]}, r"terminal must have shape \[2\]"),
    ],
)
def test_malformed_logs_are_refused(changes, message):
    log = {"action": [[0, 0], [1, 0]], "reward": [[0, 0], [0, 0]], **changes}
    with pytest.raises(DatasetError, match=f"from_dataset: {message}"):
        cf.TabularGame.from_dataset(log)
    with pytest.raises(DatasetError, match="column 'action' is missing"):
        cf.TabularGame.from_dataset({"reward": [[0, 0]]})


def test_roles_of_a_log_may_have_words_of_their_own():
    """A buyer that says no or yes is the same as one that says hi or lo, the seller's words."""
    rng = np.random.default_rng(0)
    choice = rng.integers(2, size=(60, 2))
    columns = {"episode": "deal", "player": "who", "action": "said", "reward": ["seller", "buyer"]}
    found = []
    for words in (["no", "yes"], ["hi", "lo"]):
        log = {
            "deal": np.repeat(np.arange(60), 2),
            "who": ["seller", "buyer"] * 60,
            "said": [word for a, b in choice for word in (["hi", "lo"][a], words[b])],
            "seller": [paid for a, b in choice for paid in (0, 3 * a - 5 * a * (1 - b))],
            "buyer": [paid for a, b in choice for paid in (0, 2 * b - a * b)],
        }
        dataset = cf.TrajectoryDataset.from_transitions(None, log, columns=columns, roles=(1, 1))
        game = cf.TabularGame.from_dataset(dataset, state_key=[tuple(row) for row in dataset.state.tolist()])
        found.append((game, cf.regularized.gane(game, kl_weight=0.3)))
    (own, solved), (shared, wanted) = found
    assert (own.num_actions, shared.num_actions) == ((2, 4), (2, 2))
    asked = shared.legal[1].all(axis=2)  # where the buyer chooses
    np.testing.assert_array_equal(solved.policies[1][asked][:, 2:], wanted.policies[1][asked])
    np.testing.assert_array_equal(solved.value, wanted.value)


def rounds_at_once(num_episodes=80, seed=3):
    """A dataset of two rounds in which both choose at once, of one and two actions' worth, and the same as arrays.

    In the second round player 0 has nothing to do after 0, 0.
    """
    rng = np.random.default_rng(seed)
    vectors = np.eye(3)  # the last one is that there is nothing to do
    spec = cf.GameSpec(
        "rounds", 2, 3, vectors, 2 + 6, 2, 2, 4, moves="simultaneous", rewards="every_step", terminal_state_value=-9.0
    )
    rows = {name: [] for name in ("trajectory", "state", "observation", "action", "acting_player", "reward")}
    masks, arrays = [], {name: [] for name in ("trajectory", "state", "action", "reward")}
    for episode in range(num_episodes):
        state = (0.0, 0.0)
        for step in range(2):
            is_idle = step == 1 and state == (1.0, 0.0)
            chosen = [2 if is_idle else int(rng.integers(2)), int(rng.integers(2))]
            paid = rng.normal(size=2).tolist()
            for seat in range(2):
                pending = np.concatenate([vectors[chosen[0]] if seat else np.zeros(3), np.zeros(3)]).tolist()
                reward = paid if seat else [0.0, 0.0]
                values = (episode, [*state, *pending], [state, state], chosen[seat], seat, reward)
                for column, value in zip(rows.values(), values, strict=True):
                    column.append(value)
                masks.append([0, 0, 1] if is_idle and seat == 0 else [1, 1, 0])
            arranged = (episode, state, [0 if is_idle else chosen[0], chosen[1]], np.float32(paid).tolist())
            for column, value in zip(arrays.values(), arranged, strict=True):
                column.append(value)
            state = (1.0, float(chosen[0] + chosen[1] > 0))
    return cf.TrajectoryDataset.from_transitions(spec, {**rows, "legal_mask": masks}), arrays


def test_rounds_of_moves_at_once_are_steps_of_all_players():
    dataset, arrays = rounds_at_once()
    game = cf.TabularGame.from_dataset(dataset, state_key=lambda state: (float(state[0]), float(state[1])))
    wanted = cf.TabularGame.from_dataset(arrays)
    assert (game.horizon, game.num_actions, game.state_keys) == (2, (2, 2), wanted.state_keys)
    for name in ("counts", "rewards", "transitions", "initial"):
        np.testing.assert_allclose(getattr(game, name), getattr(wanted, name), rtol=1e-12, err_msg=name)
    idle = game.state_keys.index((1.0, 0.0))
    assert game.legal[0][1, idle].tolist() == [True, False]
    assert game.num_unseen == 0
    found = gane(game, kl_weight=0.5)
    assert found.status == "converged"
    np.testing.assert_array_equal(found.policies[0][1, idle], [1.0, 0.0])
    assert (found.policies[1][1, idle] > 0.0).all()
    with pytest.raises(DatasetError, match="state_key must tell whose turn it is: cell 1.0 at step 1 holds rows"):
        cf.TabularGame.from_dataset(dataset, state_key=lambda state: float(state[0]))


def with_weather(num_episodes=120, seed=5):
    """Player 0, then player 1, chooses under a sky that all see; chance draws it before each, and pays by itself."""
    rng = np.random.default_rng(seed)
    columns = ("state", "observation", "action", "acting_player", "legal_mask", "reward", "terminal")
    rows = {name: [] for name in columns}
    arrays = {name: [] for name in ("trajectory", "state", "action", "reward")}
    for episode in range(num_episodes):
        for mover in range(2):
            sky, action, rain = int(rng.integers(3)), int(rng.integers(2)), rng.normal(size=2).astype(np.float32)
            paid = rng.normal(size=2).astype(np.float32)
            for player, state, chosen, mask, reward in (
                (-1, [mover, -1.0], sky, 0b00, rain),
                (mover, [mover, sky], action, 0b11, paid),
            ):
                is_last = mover == 1 and player == 1
                values = (state, [state, state], chosen, player, [mask], reward, is_last)
                for column, value in zip(rows.values(), values, strict=True):
                    column.append(value)
            if mover == 1:
                arrays["reward"][-1] += rain.astype(float)  # what chance does pays with the move before
            else:
                paid = paid + rain.astype(float)  # with which nothing comes before
            both = [action, 0] if mover == 0 else [0, action]
            for name, value in (("trajectory", episode), ("state", (float(mover), float(sky))), ("action", both)):
                arrays[name].append(value)
            arrays["reward"].append(paid.astype(float))
    kinds = ("f4", "f4", "i4", "i1", "u1", "f4", "u1")
    made = {name: np.array(rows[name], dtype=kind) for name, kind in zip(columns, kinds, strict=True)}
    made["next_state"] = np.concatenate([made["state"][1:], made["state"][:1]])
    made["next_state"][made["terminal"] == 1] = -2.0
    made["trajectory_offsets"] = np.arange(num_episodes + 1, dtype=np.int64) * 4
    spec = cf.GameSpec(
        "weather",
        2,
        2,
        np.eye(2),
        2,
        2,
        2,
        4,
        turn_order="predicted",
        rewards="every_step",
        num_chance_actions=3,
        terminal_state_value=-2.0,
    )
    return cf.TrajectoryDataset(spec, made), arrays


def test_chance_is_part_of_what_follows_a_move():
    dataset, arrays = with_weather()
    game = cf.TabularGame.from_dataset(dataset, state_key=lambda state: tuple(state.tolist()))
    wanted = cf.TabularGame.from_dataset(arrays)
    assert (game.horizon, game.num_players, game.state_keys) == (2, 2, wanted.state_keys)
    for name in ("counts", "rewards", "transitions", "initial"):
        np.testing.assert_allclose(getattr(game, name), getattr(wanted, name), rtol=1e-6, err_msg=name)
    by_row = cf.TabularGame.from_dataset(dataset, state_key=[tuple(row) for row in dataset.state.tolist()])
    np.testing.assert_array_equal(by_row.rewards, game.rewards)
    cut = {**dataset.arrays, "terminal": dataset.terminal.copy(), "truncated": np.zeros(120, dtype=bool)}
    cut["terminal"][[3, -1]], cut["truncated"][[0, -1]] = 0, True
    broken = cf.TrajectoryDataset(dataset.spec, cut)
    with pytest.raises(DatasetError, match="trajectory 0 broke off, so what would have followed is not known"):
        cf.TabularGame.from_dataset(broken, state_key=lambda state: tuple(state.tolist()))
