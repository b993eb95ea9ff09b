"""Trees of logs are the games that were logged as far as the log goes, and say how far that is."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from tests.unit.games.test_simulator import GAME as DICE
from tests.unit.games.test_simulator import ROUNDS, Rounds

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError

pyspiel = pytest.importorskip("pyspiel")

GOOFSPIEL = "goofspiel(num_cards=4,imp_info=True,points_order=descending)"
GAMES = ("kuhn_poker", "kuhn_poker(players=3)", "leduc_poker", GOOFSPIEL)
LUCK = -3


@pytest.fixture(scope="module")
def games():
    return {name: cf.GameTree(f"openspiel:{name}") for name in GAMES}


def every_episode(tree):
    """A log of a game of OpenSpiel with each of its episodes once; who is on move and what it saw is in the state."""
    game = pyspiel.load_game(tree.spec.name.removeprefix("openspiel:"))
    if game.get_type().dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
        game = pyspiel.convert_to_turn_based(game)
    N, spec, rows, ends = tree.spec.num_players, tree.spec, [], [0]

    def walk(state, made):
        if state.is_terminal():
            rows.extend(made)
            rows[-1] = {**rows[-1], "reward": state.returns(), "terminal": 1}
            ends.append(len(rows))
            return
        player, legal = state.current_player(), state.legal_actions()
        seen = np.array([state.information_state_tensor(i) for i in range(N)], np.float32)
        hidden = np.zeros(spec.state_size - seen.size, np.float32)
        row = {"state": np.append(seen.ravel(), hidden), "observation": seen, "acting_player": player}
        row |= {"legal_mask": np.isin(np.arange(spec.num_actions), legal) * (player >= 0)}
        row |= {"reward": np.zeros(N), "terminal": 0}
        for action in legal:
            walk(state.child(action), [*made, row | {"action": action}])

    walk(game.new_initial_state(), [])
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    is_end = columns["terminal"] == 1
    columns["next_state"] = np.where(is_end[:, None], np.float32(-1.0), np.roll(columns["state"], -1, axis=0))
    return cf.TrajectoryDataset(spec, typed(columns) | {"trajectory_offsets": np.array(ends, np.int64)})


def typed(columns):
    masks = np.packbits(columns["legal_mask"].astype(np.uint8), axis=1, bitorder="little")
    types = {"action": np.int32, "acting_player": np.int8, "terminal": np.uint8}
    return {name: np.asarray(array, types.get(name, np.float32)) for name, array in columns.items()} | {
        "legal_mask": masks
    }


def with_true_chance(tree):
    """The same tree with all outcomes of chance seen alike, as they are in these games."""
    arrays = tree.log.arrays
    parents = np.repeat(np.arange(tree.num_nodes), arrays["num_children"])
    is_chance = np.isin(arrays["players"][parents], (-1, LUCK))
    probabilities = np.ones(tree.num_nodes)
    probabilities[1:][is_chance] = 1.0 / arrays["num_children"][parents][is_chance]
    return cf.GameTree._of_log(tree.spec, tree.log, arrays | {"probabilities": probabilities})


def network(spec, seed, kind="softmax", scale=1.0):
    rng = np.random.default_rng(seed)
    sizes = (spec.information_state_size, 8, spec.num_actions)
    layers = [(scale * rng.normal(size=(o, i)), scale * rng.normal(size=o)) for i, o in itertools.pairwise(sizes)]
    return cf.NetworkPolicy(tuple((w.astype(np.float32), b.astype(np.float32)) for w, b in layers), kind)


def profiles(spec, count):
    """Softmax and greedy networks and mixtures of them; one strategy a player."""
    for seed in range(count):
        kinds = ("softmax", "greedy")
        parts = [network(spec, 97 * seed + i, kinds[(seed + i) % 2], 1 + seed % 3) for i in range(spec.num_players + 1)]
        yield [parts[0], cf.Mixture((parts[1], cf.UniformRandom()), [0.7, 0.3]), *parts[2:]][: spec.num_players]


def logged(game, count, seed, behavior="uniform_random"):
    return cf.generate_dataset(game, behavior, num_trajectories=count, seed=seed)


def without_chance_rows(log):
    """The same log where chance never shows: it moves before the log begins, and within the moves before it."""
    is_kept = log.acting_player >= 0
    kept = np.flatnonzero(is_kept)
    lengths = np.add.reduceat(is_kept, log.trajectory_offsets[:-1])
    arrays = {name: array[kept] for name, array in log.arrays.items() if name != "trajectory_offsets"}
    is_end = arrays["terminal"] == 1
    arrays["next_state"] = np.where(is_end[:, None], log.next_state[kept], np.roll(arrays["state"], -1, axis=0))
    spec = dataclasses.replace(log.spec, num_chance_actions=0, chance_vectors=())
    return cf.TrajectoryDataset(spec, arrays | {"trajectory_offsets": np.append(0, np.cumsum(lengths))})


@pytest.mark.parametrize("name", GAMES)
def test_of_every_episode_it_is_the_game(games, name):
    game, log = games[name], every_episode(games[name])
    tree = with_true_chance(cf.GameTree.from_dataset(log))
    assert (tree.num_nodes, tree.num_information_sets) == (game.num_nodes, game.num_information_sets)
    assert (tree.num_unseen, tree.core.num_members) == (0, 1)
    assert tree.spec == game.spec
    for profile in profiles(game.spec, 3):
        found, true = cf.exact_regret(tree, profile), cf.exact_regret(game, profile)
        np.testing.assert_allclose(found.regret, true.regret, atol=1e-9)
        np.testing.assert_allclose(found.values, true.values, atol=1e-9)
        np.testing.assert_array_equal(found.lower, found.regret)
        np.testing.assert_array_equal(found.upper, found.regret)


@pytest.mark.parametrize(("name", "counts"), [(GOOFSPIEL, (8, 30, 300)), (GAMES[0], (40, 60)), (GAMES[1], (400,))])
def test_bounds_contain_the_truth_where_chance_is_known(games, name, counts):
    game = games[name]
    payoffs = every_episode(game).reward
    behaviors = ("uniform_random", [network(game.spec, 5, scale=2.0), network(game.spec, 6)])
    tried, least_gap, most_gap = 0, np.inf, 0.0
    for count, seed, behavior in itertools.product(counts, range(4), behaviors):
        tree = with_true_chance(cf.GameTree.from_dataset(logged(game, count, seed, behavior)))
        is_covered = (tree.log.least == payoffs.min(axis=0)).all() and (tree.log.most == payoffs.max(axis=0)).all()
        chance = tree.log.arrays["num_children"][tree.log.arrays["players"] == -1]
        is_known = name == GOOFSPIEL or chance.sum() == {GAMES[0]: 3 + 6, GAMES[1]: 4 + 12 + 24}[name]
        if not (is_covered and is_known and tree.num_unseen):
            continue
        tried += 1
        for profile in ("uniform_random", *profiles(game.spec, 10)):
            found, true = cf.exact_regret(tree, profile), cf.exact_regret(game, profile)
            assert (found.lower <= true.regret + 1e-9).all()
            assert (found.upper >= true.regret - 1e-9).all()
            assert (found.lower <= found.regret + 1e-9).all()
            assert (found.regret <= found.upper + 1e-9).all()
            gaps = found.upper - found.lower
            least_gap, most_gap = min(least_gap, gaps.max()), max(most_gap, gaps.max())
    assert tried >= 3
    assert 0.0 < least_gap < 0.9 * most_gap  # they say something


def test_bounds_close_as_the_log_grows(games):
    game = games[GOOFSPIEL]
    gaps = []
    for count in (30, 300, 1000, 6000):
        found = cf.exact_regret(cf.GameTree.from_dataset(logged(game, count, 1)), "uniform_random")
        gaps.append(np.subtract(*found.nash_conv_bounds[::-1]))
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] == 0.0 < gaps[-2]


def test_unseen_moves_pay_the_least_and_the_most(games):
    """Two games of Kuhn poker, both passed through: nobody bet."""
    log = logged(games["kuhn_poker"], 400, 0)
    ends, lengths = log.trajectory_offsets[1:] - 1, np.diff(log.trajectory_offsets)
    passed = np.flatnonzero((lengths == 4) & (np.add.reduceat(log.action, log.trajectory_offsets[:-1] + 2) >= 0))
    quiet = [i for i in passed if log.action[ends[i] - 1] == 0 and log.action[ends[i]] == 0]
    tree = cf.GameTree.from_dataset(log.select(np.array(quiet)))
    assert tree.core.num_members == 2
    assert tree.log.least.tolist() == [-1.0, -1.0]
    deals = len({(log.action[ends[i] - 3], log.action[ends[i] - 2]) for i in quiet})
    assert tree.num_unseen == 2 * deals  # a bet of either player after each deal
    played = cf.simulate(tree, ["uniform_random"] * 2, num_episodes=4000, seed=0)
    went_there = played.disagreement > 0.0
    assert went_there.mean() == pytest.approx(0.75, abs=0.05)
    np.testing.assert_array_equal(played.disagreement[went_there], 1.0)  # half of the distance between -1 and 1
    np.testing.assert_array_equal(played.member_returns[went_there][0], [[-1.0, 1.0], [-1.0, 1.0]])
    passing = cf.exact_regret(tree, "uniform_random")
    np.testing.assert_allclose(played.returns.mean(axis=0), passing.values, atol=0.05)


def test_an_uncertainty_penalty_keeps_to_what_is_known(games):
    """Of two games of Kuhn poker in which nobody bet, passing is all that is known, and it may be worth less."""
    log = logged(games["kuhn_poker"], 400, 0)
    is_quiet = np.minimum.reduceat(np.where(log.acting_player < 0, 1, log.action == 0), log.trajectory_offsets[:-1])
    tree = cf.GameTree.from_dataset(log.select(np.flatnonzero(is_quiet)))
    assert tree.num_unseen == 12
    at_first = tree.legal_masks.all(axis=1) & (tree.information_set_players == 0)
    bets = {}
    for penalty in (0.0, 1.0):
        found = cf.mirror_descent(tree, uncertainty_penalty=penalty, num_iterations=500)
        bets[penalty] = tree.behavior(0, found.mixtures[0])[at_first, 1]
        assert found.regret.max() < 0.05  # of the game with these payoffs
    # The worst card loses 1 by passing on: a bet, at 0 in the mean of what it may pay, looks better, at -1 no worse.
    assert bets[0.0].max() > 0.9
    assert bets[1.0].max() < 0.6
    none_unseen = cf.GameTree.from_dataset(log)
    assert none_unseen.num_unseen == 0
    pair = [cf.mirror_descent(none_unseen, uncertainty_penalty=p, num_iterations=20) for p in (0.0, 5.0)]
    assert pair[0].values.tolist() == pair[1].values.tolist()


def test_a_penalty_takes_off_half_the_distance_of_the_members(games):
    tree = cf.GameTree.from_dataset(logged(games["kuhn_poker"], 30, 0))
    assert tree.num_unseen
    before, half = cf.exact_regret(tree, "uniform_random"), tree.penalized(0.5)
    after, least = cf.exact_regret(half, "uniform_random"), cf.exact_regret(tree.penalized(1.0), "uniform_random")
    assert (least.values < after.values).all()
    np.testing.assert_allclose((before.values + least.values) / 2.0, after.values)
    np.testing.assert_array_equal(tree.penalized(0.0).core.num_members, 2)


def test_pay_on_the_way_counts_toward_the_least_and_the_most():
    """One player, two moves that pay what they are called; the log has 0 0, 0 1, 1 1: in all 0 to 2."""
    spec = cf.GameSpec(
        "sums", num_players=1, num_actions=2, action_vectors=np.eye(2), state_size=2, observation_size=2,
        history_start=2, max_episode_length=2, rewards="every_step",
    )  # fmt: skip
    moves = [(0, 0), (0, 1), (1, 1)]
    state = np.array([s for first, _ in moves for s in ((0, 0), (1, first))], np.float32)
    action, terminal = np.ravel(moves), np.tile([0, 1], 3)
    columns = {"state": state, "observation": state[:, None], "action": action, "acting_player": np.zeros(6)}
    columns |= {"reward": action[:, None], "terminal": terminal, "legal_mask": np.ones((6, 2))}
    columns |= {"next_state": np.where(terminal[:, None] == 1, -1.0, np.roll(state, -1, axis=0))}
    log = cf.TrajectoryDataset(spec, typed(columns) | {"trajectory_offsets": np.arange(0, 7, 2)})
    tree = cf.GameTree.from_dataset(log)
    assert (tree.num_nodes, tree.num_unseen) == (7, 1)
    found = cf.exact_regret(tree, "uniform_random")
    # Unseen is 1 0, which pays 0 to 2 in all; the others pay 0, 1 and 2.
    assert found.values[0] == pytest.approx((0 + 1 + 2 + 1) / 4)
    assert (found.lower[0], found.upper[0]) == (2 - (0 + 1 + 2 + 2) / 4, 2 - (0 + 1 + 2 + 0) / 4)


@pytest.mark.parametrize("name", [GAMES[0], "leduc_poker"])
def test_luck_that_no_row_tells_of_is_found(games, name):
    """Cards dealt before the log begins and, in Leduc poker, within the move before: the same game either way."""
    log = logged(games[name], 400, 3)
    tree, hidden = cf.GameTree.from_dataset(log), cf.GameTree.from_dataset(without_chance_rows(log))
    players = hidden.log.arrays["players"]
    assert -1 not in players
    assert (players == LUCK).sum() == (1 if name == GAMES[0] else 1 + ((tree.log.arrays["players"] == -1) & (
        tree.log.arrays["num_children"] > 1))[8:].sum())  # fmt: skip
    for profile in ("uniform_random", *profiles(games[name].spec, 4)):
        found, expected = cf.exact_regret(hidden, profile), cf.exact_regret(tree, profile)
        for figure in ("values", "regret", "lower", "upper"):
            np.testing.assert_allclose(getattr(found, figure), getattr(expected, figure), atol=1e-9)
    played = cf.simulate(hidden, ["uniform_random"] * 2, num_episodes=20_000, seed=0, record=True)
    np.testing.assert_allclose(played.returns.mean(axis=0), found_values(hidden), atol=0.15)
    steps = played.trajectories
    assert (steps["acting_player"] >= 0).all()
    rows = {row.tobytes() for row in without_chance_rows(log).state}
    assert {row.tobytes() for row in steps["state"]} <= rows
    cf.TrajectoryDataset(hidden.spec, steps)  # which checks them


def test_what_only_players_see_tells_histories_apart(games):
    log = without_chance_rows(logged(games["kuhn_poker"], 400, 3))
    blind = {name: np.zeros_like(array) for name, array in log.arrays.items() if name in ("state", "next_state")}
    blind["next_state"][log.terminal == 1] = -1.0
    tree = cf.GameTree.from_dataset(cf.TrajectoryDataset(log.spec, log.arrays | blind))
    assert tree.num_nodes == cf.GameTree.from_dataset(log).num_nodes
    np.testing.assert_allclose(found_values(tree), found_values(cf.GameTree.from_dataset(log)))


def found_values(tree):
    return cf.exact_regret(tree, "uniform_random").values


@pytest.mark.parametrize("name", GAMES)
def test_the_order_of_trajectories_does_not_matter(games, name):
    log = logged(games[name], 300, 2)
    shuffled = log.select(np.random.default_rng(0).permutation(300))
    if name != GOOFSPIEL:
        log, shuffled = without_chance_rows(log), without_chance_rows(shuffled)
    tree, other = cf.GameTree.from_dataset(log), cf.GameTree.from_dataset(shuffled)
    assert tree.fingerprint == other.fingerprint
    assert tree.information_set_names == other.information_set_names
    assert (
        tree.members(1, 0)[0].fingerprint == other.members(1, 0)[0].fingerprint != tree.fingerprint
        or not (tree.log.arrays["players"] == LUCK).any()
    )


def cut(log, every):
    """The log with the last row of every so many trajectories lost."""
    is_cut = np.arange(log.num_trajectories) % every == 0
    lengths = np.diff(log.trajectory_offsets)
    kept = np.setdiff1d(np.arange(log.num_transitions), (log.trajectory_offsets[1:] - 1)[is_cut])
    arrays = {name: array[kept] for name, array in log.arrays.items() if name != "trajectory_offsets"}
    offsets = np.append(0, np.cumsum(lengths - is_cut))
    return cf.TrajectoryDataset(log.spec, arrays | {"trajectory_offsets": offsets, "truncated": is_cut})


def test_what_broke_off_shows_moves_and_no_end(games):
    log = logged(games["kuhn_poker"], 600, 0)
    whole = cf.GameTree.from_dataset(log)
    tree = cf.GameTree.from_dataset(cut(log, 2))
    assert (tree.num_nodes, tree.num_unseen) == (58, 0)  # the others show how it goes on
    assert tree.log.counts[1:4].sum() == whole.log.counts[1:4].sum() == 600
    np.testing.assert_allclose(found_values(tree), found_values(whole))
    # Where all that bet broke off, what a bet leads to is unseen, and chance is what it was.
    bets = log.action == 1
    offsets = log.trajectory_offsets
    first_bet = [next((r for r in range(a + 2, b) if bets[r]), b - 1) for a, b in itertools.pairwise(offsets)]
    kept = np.concatenate([np.arange(a, r + 1) for a, r in zip(offsets[:-1], first_bet, strict=True)])
    arrays = {name: array[kept] for name, array in log.arrays.items() if name != "trajectory_offsets"}
    lengths = np.array(first_bet) + 1 - offsets[:-1]
    truncated = bets[first_bet]
    arrays["terminal"][np.cumsum(lengths)[truncated] - 1] = 0
    arrays["next_state"][np.cumsum(lengths)[truncated] - 1] = log.next_state[offsets[0]]
    tree = cf.GameTree.from_dataset(
        cf.TrajectoryDataset(log.spec, arrays | {"trajectory_offsets": np.append(0, np.cumsum(lengths))}
                             | {"truncated": truncated})
    )  # fmt: skip
    assert (tree.num_unseen, tree.num_information_sets) == (12, 6)
    with pytest.raises(cf.DatasetError, match="GameTree.from_dataset: the log: all 200 trajectories are truncated"):
        cf.GameTree.from_dataset(cut(log.select(np.arange(200)), 1))


def test_members_spread_as_chance_does(games):
    """The true NashConv of uniform play lies within the middle 90 % of members for nine logs in ten."""
    game = games["kuhn_poker"]
    truth, inside = cf.exact_regret(game, "uniform_random").nash_conv, 0
    spreads = []
    for seed in range(20):
        tree = cf.GameTree.from_dataset(logged(game, 400, 100 + seed))
        found = [cf.exact_regret(member, "uniform_random").nash_conv for member in tree.members(40, seed)]
        low, high = np.quantile(found, [0.05, 0.95])
        inside += low <= truth <= high
        spreads.append(np.std(found))
    assert 14 <= inside <= 20
    larger = cf.GameTree.from_dataset(logged(game, 6400, 1)).members(40, 0)
    spread = np.std([cf.exact_regret(member, "uniform_random").nash_conv for member in larger])
    assert spread == pytest.approx(np.mean(spreads) / 4, rel=0.4)


def test_members_are_the_same_for_any_number_and_unlike_for_other_seeds(games):
    tree = cf.GameTree.from_dataset(logged(games["kuhn_poker"], 200, 0))
    few, many, others = tree.members(2, 7), tree.members(5, 7), tree.members(2, 8)
    assert [m.fingerprint for m in few] == [m.fingerprint for m in many[:2]]
    assert len({m.fingerprint for m in (*many, *others, tree)}) == 8
    assert few[0].members(1, 7)[0].fingerprint == few[0].fingerprint  # drawn from the log, not from the member


def ultimatum(seed, count=40):
    """A log of a symmetric game: one proposes (0 fair, 1 greedy), the other takes it (0) or not (1)."""
    spec = cf.GameSpec(
        "ultimatum", num_players=2, num_actions=2, action_vectors=np.eye(2), state_size=4, observation_size=3,
        history_start=3, max_episode_length=2, is_symmetric=True, state_swap=(1, 0, 2, 3), state_flip=(),
    )  # fmt: skip
    rng, columns = np.random.default_rng(seed), {name: [] for name in ("state", "observation", "action", "reward")}
    for _ in range(count):
        greedy, refuses = rng.integers(2, size=2)
        state = [[1, 0, 0, 0], [0, 1, 1, greedy]]  # who is on move, whether it is proposed, what
        columns["state"] += state
        columns["observation"] += [[[s[i], s[2], s[3]] for i in range(2)] for s in state]
        columns["action"] += [greedy, refuses]
        columns["reward"] += [[0, 0], np.array([2 + greedy, 2 - greedy]) * (1 - refuses)]
    columns["terminal"] = np.tile([0, 1], count)
    columns |= {"acting_player": np.tile([0, 1], count), "legal_mask": np.ones((2 * count, 2))}
    following = np.roll(np.array(columns["state"], np.float32), -1, axis=0)
    columns["next_state"] = np.where(columns["terminal"][:, None] == 1, np.float32(-1.0), following)
    arrays = typed({name: np.array(values) for name, values in columns.items()})
    return cf.TrajectoryDataset(spec, arrays | {"trajectory_offsets": np.arange(0, 2 * count + 1, 2)})


def test_mirrored_logs_are_games_of_both_seats():
    log = ultimatum(0)
    tree = cf.GameTree.from_dataset(log.mirrored())
    assert sorted(tree.log.arrays["players"][:3].tolist()) == [LUCK, 0, 1]
    assert tree.log.arrays["probabilities"][1:3].tolist() == [0.5, 0.5]
    assert tree.core.max_episode_length == 2
    found = cf.exact_regret(tree, "uniform_random")
    assert found.values.tolist() == [1.0, 1.0]  # of 2 2, 3 1 and nothing in half of all cases
    assert found.regret[0] == found.regret[1] == pytest.approx(1.5 / 2 + 1.5 / 2 - 1.0)
    assert tree.log.share == 0.5
    assert tree.log.counts[1:3].tolist() == [40, 40]
    first = [tree.log.draw(np.random.default_rng(i))["probabilities"][1] for i in range(300)]
    assert np.std(first) == pytest.approx(np.sqrt(0.25 / 41), rel=0.15)  # of 20 and 20: an image is no other episode
    with pytest.raises(cf.DatasetError, match=r"player 0 moves first in 40 of 40.*dataset\.mirrored\(\) stores"):
        cf.GameTree.from_dataset(log)


def test_logs_in_which_nothing_repeats_are_refused():
    log = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=50, seed=0)
    moves = log.num_transitions
    wanted = rf"of {moves} histories in 50 trajectories only 0 were met more than once.*learn a DynamicsEnsemble"
    with pytest.raises(cf.DatasetError, match=wanted):
        cf.GameTree.from_dataset(log)


def test_logs_that_contradict_themselves_are_refused_and_sizes_held(games):
    log = logged(games["kuhn_poker"], 50, 0)
    with pytest.raises(cf.DatasetError, match=r"more than 20 nodes \(max_nodes\): 2\d were met when row"):
        cf.GameTree.from_dataset(log, max_nodes=20)
    reward = np.ones_like(log.reward)
    with pytest.raises(cf.DatasetError, match=r"GameTree\.from_dataset: .*there is a reward before the end"):
        cf.GameTree.from_dataset(cf.TrajectoryDataset(log.spec, log.arrays | {"reward": reward}))
    for nonsense in (None, "log", games["kuhn_poker"], log.arrays):
        with pytest.raises(cf.InvalidArgumentError, match="dataset must be a TrajectoryDataset"):
            cf.GameTree.from_dataset(nonsense)
    with pytest.raises(cf.InvalidGameError, match="not from a log"):
        games["kuhn_poker"].members(3, 0)


def test_words_say_what_is_not_known(games):
    tree = cf.GameTree.from_dataset(logged(games["kuhn_poker"], 30, 0))
    found = cf.exact_regret(tree, "uniform_random")
    assert tree.information_set_names[0] == "player 0 after chance: 0, chance: 1"
    assert f"whatever follows the {tree.num_unseen} moves that the log does not show" in found.describe()
    assert found.describe().endswith("and chance is as likely as in the 30 episodes of the log.")
    assert f"{tree.num_unseen} moves unseen" in repr(found)
    whole = cf.exact_regret(cf.GameTree.from_dataset(logged(games["kuhn_poker"], 500, 0)), "uniform_random")
    assert whole.describe().endswith("in all, if chance is as likely as in the 500 episodes of the log.")
    assert f"{tree.num_unseen} of them unseen" in repr(tree)


def test_psro_finds_in_the_tree_what_it_finds_in_the_game(games):
    """A tree of 1,000 games of Kuhn poker stands in for a learned model."""
    log = logged(games["kuhn_poker"], 1000, 0)
    oracle = cf.DDQN(hidden_sizes=(16,), num_steps=3000, replay_capacity=3000, min_replay=200, batch_size=32)
    objective = cf.ConservativeObjective(uncertainty_penalty=1.0)
    config = cf.PSROConfig(num_iterations=5, num_simulations=400, response=oracle, objective=objective)
    tree = cf.GameTree.from_dataset(log)
    solution = cf.coffee_psro(tree, config, seed=0).solve()
    assert solution.spec == log.spec
    inside, true = cf.exact_regret(tree, solution), cf.exact_regret(games["kuhn_poker"], solution)
    uniform = cf.exact_regret(games["kuhn_poker"], "uniform_random").nash_conv
    assert true.nash_conv < 0.75 * uniform
    assert inside.nash_conv == pytest.approx(true.nash_conv, abs=0.15)


def test_what_a_policy_is_told_is_what_the_log_says():
    """A game of three players in which luck starts, ends and deals, every row pays, and histories are remembered."""
    spec = DICE.spec
    log = logged(DICE, 4000, 0)
    tree = cf.GameTree.from_dataset(log)
    assert (tree.log.arrays["players"] == LUCK).sum() > 10
    told = {(*row.tolist(), player) for row, player in zip(log.information_states(), log.acting_player, strict=True)}
    known = zip(tree.information_states, tree.information_set_players, strict=True)
    assert {(*row.tolist(), player) for row, player in known} == {key for key in told if key[-1] >= 0}
    names = ("num_players", "num_actions", "state_size", "observation_size", "max_episode_length")
    for name in (*names, "information_state_size"):
        assert getattr(tree.core, name) == getattr(spec, name), name
    players = [network(spec, seed) for seed in range(3)]
    played = cf.simulate(tree, players, num_episodes=20_000, seed=1, record=True)
    again = cf.simulate(tree, players, num_episodes=20_000, seed=1, num_threads=2)
    np.testing.assert_array_equal(played.member_returns, again.member_returns)
    cf.TrajectoryDataset(spec, played.trajectories)
    if tree.has_recall:
        np.testing.assert_allclose(played.returns.mean(axis=0), cf.exact_regret(tree, players).values, atol=0.1)
    true = cf.simulate(DICE, ["uniform_random"] * 3, num_episodes=20_000, seed=1).returns.mean(axis=0)
    inside = cf.simulate(tree, ["uniform_random"] * 3, num_episodes=20_000, seed=1).member_returns.mean(axis=0)
    spread = 0.15 + inside[:, 1] - inside[:, 0]
    assert (np.abs(true - inside.mean(axis=1)) < spread).all()


def test_rounds_are_played_out_where_a_choice_was_never_made():
    """Of moves at once the other seats choose as well, by what they know in that round, and then nothing is known."""
    game = cf.games.from_simulator(ROUNDS, Rounds())
    tree = cf.GameTree.from_dataset(logged(game, 5, 4))
    whole = cf.GameTree.from_dataset(logged(game, 3000, 0))
    assert tree.num_unseen > 0 == whole.num_unseen
    played = cf.simulate(tree, ["uniform_random"] * 2, num_episodes=500, seed=0, record=True)
    cf.TrajectoryDataset(game.spec, played.trajectories)  # which checks rounds, and the choices in the state
    assert set(played.lengths.tolist()) == {2, 4}
    known = {row.tobytes() for row in tree.information_states}
    assert known <= {row.tobytes() for row in whole.information_states}
    payoffs = whole.log
    assert (tree.log.least >= payoffs.least).all()
    for seed in range(5):
        profile = [network(game.spec, seed), network(game.spec, 50 + seed)]
        found, true = cf.exact_regret(tree, profile), cf.exact_regret(whole, profile)
        slack = (payoffs.most - tree.log.most) + (tree.log.least - payoffs.least)
        assert (found.lower - slack <= true.regret + 1e-9).all()
        assert (found.upper + slack >= true.regret - 1e-9).all()


def test_where_all_episodes_paid_the_same_nothing_bounds_what_was_never_seen():
    hanabi = cf.load_game("openspiel:tiny_hanabi")
    found = cf.mirror_descent(hanabi, num_iterations=600)
    log = cf.generate_dataset(hanabi, behavior=found, num_trajectories=400, seed=0)
    paid = np.add.reduceat(log.reward[:, 0], log.trajectory_offsets[:-1])
    log = log.select(np.flatnonzero(paid == 10.0))  # as players would who make no mistake
    with pytest.warns(cf.ModelWarning, match="say payoff_range"):
        tree = cf.GameTree.from_dataset(log)
    assert tree.log.least.tolist() == tree.log.most.tolist() == [10.0, 10.0]
    assert tree.num_unseen
    assert cf.exact_regret(tree, "uniform_random").nash_conv_bounds == (0.0, np.inf)
    told = cf.GameTree.from_dataset(log, payoff_range=(0, 10))
    low, high = cf.exact_regret(told, "uniform_random").nash_conv_bounds
    assert low <= cf.exact_regret(hanabi, "uniform_random").nash_conv <= high < np.inf
    cautious = cf.mirror_descent(told)
    assert cf.exact_regret(hanabi, cautious).values[0] == pytest.approx(10.0, abs=0.1)


def test_a_range_of_payoffs_holds_what_was_paid():
    log = cf.generate_dataset(cf.load_game("openspiel:kuhn_poker"), num_trajectories=60, seed=0)
    with pytest.raises(InvalidArgumentError, match="must hold what episodes of the log paid, -2 to 2, got"):
        cf.GameTree.from_dataset(log, payoff_range=(-1, 3))
    for nonsense in ("wide", (1,), (1, 2, 3), (np.nan, 1), [[-2, 2]] * 3):
        with pytest.raises(InvalidArgumentError, match="payoff_range must be the least and the most"):
            cf.GameTree.from_dataset(log, payoff_range=nonsense)
    wide, usual = cf.GameTree.from_dataset(log, payoff_range=[[-3, 2], [-2, 4]]), cf.GameTree.from_dataset(log)
    one, two = (cf.exact_regret(tree, "uniform_random") for tree in (usual, wide))
    if usual.num_unseen:
        assert (two.upper >= one.upper).all()
