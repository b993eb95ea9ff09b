"""Tabular games from arrays, logs and models, and anchored equilibria of them by backward induction."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast._reference.anchored import regularized_gap
from coffee_fast._reference.anchored_solver import solve_anchored
from coffee_fast.errors import DatasetError, InvalidArgumentError, InvalidGameError
from coffee_fast.regularized import gamd, gane

A = np.array([[0.9, 0.1, 0.4], [0.3, 0.8, 0.2], [0.5, 0.6, 0.7]])
B = np.array([[0.2, 0.7, 0.5], [0.6, 0.1, 0.9], [0.4, 0.8, 0.3]])


def random_game(rng, num_players=2, horizon=3, num_states=4, sizes=(2, 3), **rest):
    sizes = sizes[:num_players]
    transitions = rng.dirichlet(np.ones(num_states), size=(horizon, num_states, *sizes))
    rewards = rng.random((num_players, horizon, num_states, *sizes))
    return cf.TabularGame(rewards, transitions, rng.dirichlet(np.ones(num_states)), **rest)


def soft_values(game, kl_weight, reference):
    """Values of a single player: V = weight log sum ref exp((r + P V) / weight)."""
    following, values = np.zeros(game.num_states), []
    for step in reversed(range(game.horizon)):
        q = game.rewards[0, step] + (game.transitions[step] @ following if step + 1 < game.horizon else 0.0)
        following = kl_weight * np.log((reference * np.exp(q / kl_weight)).sum(axis=-1))
        values.insert(0, following)
    return np.array(values)


def best_value(game, player, others, kl_weight, reference):
    """What a player can get in the whole game against fixed play ``others [H, S, A1, A2]``, by plain loops."""
    following = np.zeros(game.num_states)
    for step in reversed(range(game.horizon)):
        q = game.rewards[player, step] + (game.transitions[step] @ following if step + 1 < game.horizon else 0.0)
        expected = np.einsum("sab,sab->sa" if player == 0 else "sab,sab->sb", q, others[step])
        following = kl_weight * np.log((reference * np.exp(expected / kl_weight)).sum(axis=-1))
    return following @ game.initial


def test_one_player_gets_the_values_of_soft_value_iteration(rng):
    game, reference = random_game(rng, 1), rng.dirichlet(np.ones(2))
    found = gane(game, kl_weight=0.3, reference=[reference])
    np.testing.assert_allclose(found.values[0], soft_values(game, 0.3, reference), atol=1e-12)
    np.testing.assert_allclose(found.value, found.values[:, 0] @ game.initial)
    assert found.is_unique
    assert found.gap[0] < 1e-12
    idle = cf.TabularGame(
        np.stack([game.rewards[0], game.rewards[0]])[..., None], game.transitions[..., None, :], game.initial
    )
    np.testing.assert_allclose(gane(idle, kl_weight=0.3, reference=[reference, [1.0]]).values[0], found.values[0])


def test_one_step_of_one_state_is_the_payoff_table():
    table = gane(cf.PayoffTable.from_arrays([A, B]), kl_weight=0.2, tolerance=1e-14)
    game = gane(cf.TabularGame([A[None, None], B[None, None]]), kl_weight=0.2, tolerance=1e-14)
    for mixture, policy in zip(table.mixtures, game.policies, strict=True):
        np.testing.assert_allclose(policy[0, 0], mixture, atol=1e-12)
    np.testing.assert_allclose(game.value, table.value)
    np.testing.assert_allclose(game.stage_gap[:, 0, 0], table.gap, atol=1e-14)


def test_an_equilibrium_has_no_gap_in_the_whole_game_and_other_play_has_the_gap_that_loops_find(rng):
    game = random_game(rng)
    found = gane(game, kl_weight=0.2)
    assert found.status == "converged"
    assert found.gap.max() < 1e-8
    rough = gane(game, kl_weight=0.2, method="fixed_point", max_iterations=1)
    assert rough.status == "max_iterations"
    joint = rough.policies[0][..., :, None] * rough.policies[1][..., None, :]
    for player, size in enumerate((2, 3)):
        others = joint.sum(axis=2 + player, keepdims=True) * np.ones((2, 3))
        best = best_value(game, player, others, 0.2, np.full(size, 1 / size))
        np.testing.assert_allclose(rough.gap[player], best - rough.value[player], atol=1e-12)
    assert rough.gap.min() > 1e-6


def test_mirror_descent_on_a_game_of_steps(rng):
    game = random_game(rng, 3, sizes=(2, 3, 2))
    coarse, fine = (gamd(game, kl_weight=0.2, num_iterations=t) for t in (50, 500))
    assert (fine.stage_gap < coarse.stage_gap).all()
    assert fine.gap.sum() < 0.2 * coarse.gap.sum()
    np.testing.assert_allclose(fine.joint.sum(axis=(2, 3, 4)), 1.0)
    for player, policy in enumerate(fine.policies):
        others = tuple(axis for axis in (2, 3, 4) if axis != player + 2)
        np.testing.assert_allclose(fine.joint.sum(axis=others), policy, atol=1e-12)
    last = gamd(game, kl_weight=1.0, num_iterations=600, last_iterate=True, tolerance=1e-8)
    assert last.status == "converged"
    nash = gane(game, kl_weight=1.0)
    assert nash.is_unique
    for policy, other in zip(last.policies, nash.policies, strict=True):
        np.testing.assert_allclose(policy, other, atol=1e-3)


def test_the_gap_of_correlated_play_is_what_loops_find(rng):
    game = random_game(rng)
    found = gamd(game, kl_weight=0.1, num_iterations=20)
    for player, size in enumerate((2, 3)):
        others = found.joint.sum(axis=2 + player, keepdims=True) * np.ones((2, 3))
        best = best_value(game, player, others, 0.1, np.full(size, 1 / size))
        np.testing.assert_allclose(found.gap[player], best - found.value[player], atol=1e-12)


def test_zero_sum_values_add_to_zero_and_differ_from_own_ones_over_steps(rng):
    reward = rng.random((3, 2, 2, 3))
    game = cf.TabularGame([reward, -reward], rng.dirichlet(np.ones(2), size=(3, 2, 2, 3)), [0.5, 0.5])
    shared, own = gane(game, kl_weight=0.3), gane(game, kl_weight=0.3, kl_value="own")
    np.testing.assert_allclose(shared.values.sum(axis=0), 0.0, atol=1e-12)
    assert np.abs(own.values.sum(axis=0)).max() > 1e-3
    x, y = (policy[-1] for policy in shared.policies)
    penalties = [0.3 * (p * np.log(len(p[0]) * p)).sum(axis=1) for p in (x, y)]
    expected = np.einsum("sa,sab,sb->s", x, reward[-1], y)
    np.testing.assert_allclose(shared.values[0, -1], expected - penalties[0] + penalties[1], atol=1e-12)
    np.testing.assert_allclose(shared.policies[0][-1], own.policies[0][-1], atol=1e-9)
    difference = max(np.abs(a[0] - b[0]).max() for a, b in zip(shared.policies, own.policies, strict=True))
    assert 1e-6 < difference < 1e-1
    assert max(shared.gap.max(), own.gap.max()) < 1e-8


def test_actions_that_are_not_legal_are_not_there(rng):
    full = random_game(rng, sizes=(3, 3))
    masks = [np.ones((3, 4, 3), dtype=bool), np.ones((3, 4, 3), dtype=bool)]
    masks[0][:2, :, 1] = False
    rewards = full.rewards.copy()
    rewards[:, :2, :, 1] = np.nan  # nobody needs to know what is not legal
    found = gane(cf.TabularGame(rewards, full.transitions, full.initial, legal=masks), kl_weight=0.3)
    assert (found.policies[0][:2, :, 1] == 0.0).all()
    assert found.status == "converged"
    assert found.gap.max() < 1e-8
    last = full.rewards[:, 2].copy()
    three = gane(cf.TabularGame(last[:, None], None, full.initial), kl_weight=0.3)
    np.testing.assert_allclose(found.policies[0][2], three.policies[0][0], atol=1e-9)
    # Without the action from the start, the game of its first two steps is the same.
    kept = [0, 2]
    following = full.transitions[1][:, kept] @ found.values[0, 2], full.transitions[1][:, kept] @ found.values[1, 2]
    small = gane(
        cf.TabularGame((full.rewards[:, 1][:, :, kept] + following)[:, None], None, full.initial), kl_weight=0.3
    )
    np.testing.assert_allclose(found.policies[0][1][:, kept], small.policies[0][0], atol=1e-6)


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
    assert np.isinf(found.coverage).all()
    labels = {**log, "state": [1, 0, 1, 1, 0]}
    same = cf.TabularGame.from_dataset(labels, num_states=3, num_actions=2)
    assert same.state_keys == (0, 1, 2)
    np.testing.assert_array_equal(same.counts[:, :2], game.counts)
    assert not same.reached[:, 2].any()
    again = gane(same, kl_weight=1.0, unseen_value=(0.0, -1.0))
    np.testing.assert_allclose(again.policies[0][:, :2], found.policies[0], atol=1e-12)
    np.testing.assert_array_equal(again.policies[0][:, 2], 0.5)
    assert np.isnan(again.values[:, :, 2]).all()


def test_coverage_is_that_of_the_reference_by_the_log():
    log = {"action": [[0, 0]] * 6 + [[0, 1]] * 2 + [[1, 0]] + [[1, 1]], "reward": np.zeros((10, 2))}
    found = gane(log, reference=[[0.5, 0.5], [0.25, 0.75]])
    np.testing.assert_allclose(found.coverage, 0.5 * 0.75 / 0.1)
    np.testing.assert_allclose(found.unilateral_coverage[:, 0, 0], [0.75 / 0.1, 0.5 / 0.1])


def test_the_expected_gap_is_what_noise_makes_it(rng):
    """Known for this game at weight 0.5, noise of 0.5 and an even log: n times the sum of gaps is 1.01135."""
    n = 9000
    known = cf.TabularGame(
        [A[None, None], B[None, None]],
        counts=np.full((1, 1, 3, 3), n // 9),
        reward_variance=np.full((2, 1, 1, 3, 3), 0.25),
    )
    expected = gane(known, kl_weight=0.5, reference="uniform").expected_gap
    np.testing.assert_allclose(n * expected.sum(), 1.01135, atol=1e-5)
    truth, games = [A[None], B[None]], 300
    noisy = [u + rng.normal(scale=0.5 / np.sqrt(n / 9), size=(games, 3, 3)) for u in truth]
    reference, weights = [np.log(np.full((games, 3), 1 / 3))] * 2, np.full((games, 2), 0.5)
    estimated = solve_anchored(noisy, reference, weights).mixtures
    truth = [np.repeat(u, games, axis=0) for u in truth]
    gaps = regularized_gap(truth, reference, weights, estimated)
    np.testing.assert_allclose(n * gaps.sum(axis=1).mean(), 1.01135, rtol=0.15)


def ultimatum_log(num_rounds=400, seed=0):
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
    spec = cf.GameSpec("ultimatum", 2, 3, np.eye(3), 2, 2, 1, 2)
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
        ({"legal": [np.tile([1, 0], (2, 2, 1)), np.ones((2, 2, 2))]}, "action 1 of player 0 is legal nowhere"),
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


def test_impossible_arguments_of_solvers_are_refused(rng):
    game = random_game(rng)
    for arguments, message in (
        ({"kl_value": "both"}, "kl_value must be 'own', 'zero_sum' or None, got 'both'"),
        ({"reference": "behavior"}, "reference must be arrays, 'uniform', or 'behavior' for a game from a log"),
        ({"reference": [[0.5, 0.5], [1.0, 0.0, 0.0]]}, "reference of player 1 must be positive"),
        ({"reference": [np.ones((2, 2)) / 2, np.ones(3) / 3]}, r"player 0 must have shape \[3, 4, 2\], got \[2, 2\]"),
        ({"smoothing": 0.0}, "smoothing must be a finite number > 0"),
        ({"unseen_value": np.inf}, "unseen_value must be a finite number"),
        ({"kl_weight": -1.0}, "kl_weight must be a finite number > 0"),
    ):
        with pytest.raises(InvalidArgumentError, match=message):
            gane(game, **arguments)
    with pytest.raises(InvalidArgumentError, match="'zero_sum' is for two players, got 1"):
        gane(random_game(rng, 1), kl_value="zero_sum")
    masked = cf.TabularGame([A[None, None], B[None, None]], legal=[np.ones((1, 1, 3))] * 2)
    assert gane(masked, kl_weight=1.0).status == "converged"
