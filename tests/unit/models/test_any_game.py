"""Models of games of every kind: played as the log was played, the model's play is the log's within standard errors."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import ConfigError, DatasetError, InvalidArgumentError
from coffee_fast.models.figures_of_log import repeats

NUM_GAMES = 1500
CONFIG = cf.EnsembleConfig(
    num_members=2,
    hidden_sizes=(64, 32),
    num_steps=300,
    num_reward_steps=300,
    batch_size=256,
    learning_rate=1e-2,
    normalization="per_dimension",
)
STANDARD_ERRORS = 4.0


class Recorder:
    """Rows of a log in the making."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    def add(self, trajectory, state, observation, action, player, reward, legal):
        names = ("trajectory", "state", "observation", "action", "acting_player", "reward", "legal_mask")
        values = (trajectory, state, observation, action, player, reward, legal)
        self.rows.append(dict(zip(names, values, strict=True)))

    def dataset(self, spec):
        columns = {name: np.array([row[name] for row in self.rows]) for name in self.rows[0]}
        return cf.TrajectoryDataset.from_transitions(spec, columns, behavior="uniform_random")


def sale(num_games, rng):
    """A seller asks 1 to 3, a buyer of worth 0 to 3 takes or leaves it, twice; players have actions of their own."""
    log = Recorder()
    for game in range(num_games):
        worth, asked = rng.integers(4), 0
        for move in range(4):
            seller = move % 2 == 0
            action = int(rng.integers(3)) if seller else int(3 + rng.integers(2))
            sold = action == 3
            reward = [asked, worth - asked] if sold else [0, 0]
            views = [[move, asked, 0], [move, asked, worth]]
            legal = [1, 1, 1, 0, 0] if seller else [0, 0, 0, 1, 1]
            log.add(game, [move, asked, worth], views, action, move % 2, reward, legal)
            if sold:
                break
            asked = action + 1 if seller else 0
    return log.dataset(cf.GameSpec("sale", 2, 5, np.eye(5), 3, 3, history_start=3, max_episode_length=4))


def pricing(num_games, rng, num_rounds=3):
    """Two sellers set prices 0 to 2 at once, three times; the lower one sells, and costs depend on the round."""
    log = Recorder()
    for game in range(num_games):
        last = (0, 0)
        for round_number in range(num_rounds):
            prices = rng.integers(3, size=2)
            share = 0.5 + 0.5 * np.sign(prices[::-1] - prices)
            views = [[round_number, *last], [round_number, *last[::-1]]]
            for seat in range(2):
                pending = [prices[0] if seat else 0, 0]
                paid = share * prices * (1 + round_number) if seat else [0, 0]
                log.add(game, [round_number, *last, *pending], views, prices[seat], seat, paid, [1, 1, 1])
            last = tuple(prices)
    vectors = np.array([[0.0], [1.0], [2.0]])
    return log.dataset(
        cf.GameSpec(
            "pricing", 2, 3, vectors, 5, 3, 3, 2 * num_rounds, moves="simultaneous", rewards="every_step", roles=(2,)
        )
    )


def kuhn(num_games, rng):
    """Three players are dealt cards of four; each may bet after all have passed, or call a bet; the best card wins."""
    log = Recorder()
    spec = cf.GameSpec(
        "kuhn",
        num_players=3,
        num_actions=2,
        action_vectors=np.eye(2),
        state_size=3 * 4 + 5 * 2,
        observation_size=4 + 5 * 2,
        history_start=4 + 5 * 2,
        max_episode_length=8,
        turn_order="predicted",
        num_chance_actions=4,
    )
    for game in range(num_games):
        hands, told, moves = np.zeros((3, 4)), np.zeros((5, 2)), []

        def state(hands=hands, told=told):
            return np.concatenate([hands.ravel(), told.ravel()])

        def views(hands=hands, told=told):
            return [np.concatenate([hand, told.ravel()]) for hand in hands]

        cards = rng.permutation(4)[:3]
        for player, card in enumerate(cards):
            log.add(game, state(), views(), card, -1, [0, 0, 0], [0, 0])
            hands[player, card] = 1
        while True:
            player, action = len(moves) % 3, int(rng.integers(2))
            place = state(), views()
            moves.append(action)
            told[len(moves) - 1, action] = 1
            first = moves.index(1) if 1 in moves else None
            is_over = (first is None and len(moves) == 3) or (first is not None and len(moves) == first + 3)
            paid = np.zeros(3)
            if is_over:
                stays = [first is None or bool(moves[-3:][(p - first) % 3]) for p in range(3)]
                stakes = np.array([1 + (first is not None and stay) for stay in stays], dtype=float)
                winner = max((p for p in range(3) if stays[p]), key=lambda p: cards[p])
                paid = -stakes
                paid[winner] += stakes.sum()
            log.add(game, *place, action, player, paid, [1, 1])
            if is_over:
                break
    return log.dataset(spec)


def stopping(num_games, rng):
    """After each move the game stops with probability .3; who moved last wins what was said."""
    log = Recorder()
    for game in range(num_games):
        said, move, stops = 0, 0, False
        while not stops:
            player, action = move % 2, int(rng.integers(3))
            stops = rng.random() < 0.3 or move == 29
            paid = np.where(np.arange(2) == player, 1, -1) * (1 + action + said) * stops
            log.add(game, [player, said], [[said, player]] * 2, action, player, paid, [1, 1, 1])
            said, move = action, move + 1
    spec = cf.GameSpec("stopping", 2, 3, np.eye(3), 2, 2, history_start=2, max_episode_length=30)
    return log.dataset(spec)


def again(num_games, rng):
    """Who says 0 moves again, after 1 the other does, after 2 a coin decides; five moves; the last mover pays."""
    log = Recorder()
    for game in range(num_games):
        player = int(rng.integers(2))
        for move in range(5):
            action = int(rng.integers(3))
            paid = np.where(np.arange(2) == player, -1, 1) * (1 + action) * (move == 4)
            log.add(game, [move, player], [[move, 0], [move, 1]], action, player, paid, [1, 1, 1])
            player = (player, 1 - player, int(rng.integers(2)))[action]
    return log.dataset(cf.GameSpec("again", 2, 3, np.eye(3), 2, 2, 2, 5, turn_order="predicted"))


GAMES = {
    "a sale between unlike roles": (sale, {}),
    "prices at once": (pricing, {}),
    "Kuhn poker of three": (kuhn, {}),
    "stopping at random": (stopping, {"ends": "probability"}),
    "moving again": (again, {}),
}


@pytest.fixture(scope="module", params=GAMES)
def played(request):
    """Log, model, and episodes of the model played as the log was."""
    maker, changes = GAMES[request.param]
    log = maker(NUM_GAMES, np.random.default_rng(3))
    model = cf.DynamicsEnsemble.fit(log, dataclasses.replace(CONFIG, **changes), seed=1)
    result = cf.simulate(model, ["uniform_random"] * log.spec.num_players, num_episodes=4000, seed=2, record=True)
    return log, model, result


def assert_same_mean(ours, theirs, what):
    """Within four standard errors; rows are episodes."""
    ours, theirs = (np.asarray(part, dtype=np.float64).reshape(len(part), -1) for part in (ours, theirs))
    error = np.sqrt(ours.var(axis=0) / len(ours) + theirs.var(axis=0) / len(theirs))
    gap = np.abs(ours.mean(axis=0) - theirs.mean(axis=0))
    assert (gap <= STANDARD_ERRORS * error + 1e-9).all(), (what, gap / np.maximum(error, 1e-12))


def by_episode(values, offsets):
    return np.add.reduceat(np.asarray(values, dtype=np.float64), offsets[:-1], axis=0)


def test_play_in_the_model_is_play_in_the_log(played):
    log, _, result = played
    ours, theirs = result.trajectories, log.arrays
    N, moves = log.spec.num_players, log.spec.num_actions + log.spec.num_chance_actions
    assert_same_mean(np.diff(ours["trajectory_offsets"]), np.diff(theirs["trajectory_offsets"]), "lengths")
    for step in range(log.spec.max_episode_length):
        tables = []
        for part in (ours, theirs):
            first, length = part["trajectory_offsets"][:-1], np.diff(part["trajectory_offsets"])
            row = np.minimum(first + step, part["trajectory_offsets"][1:] - 1)
            is_there = (length > step)[:, None]
            number = part["action"][row] + np.where(part["acting_player"][row] < 0, log.spec.num_actions, 0)
            mover = part["acting_player"][row][:, None] == np.arange(-1, N)
            tables.append(np.concatenate([mover, number[:, None] == np.arange(moves)], axis=1) * is_there)
        assert_same_mean(*tables, f"movers and actions of step {step}")
    returns = by_episode(theirs["reward"], theirs["trajectory_offsets"])
    assert_same_mean(result.returns, returns, "returns")
    assert_same_mean(result.returns**2, returns**2, "squares of returns")


def test_the_model_is_not_called_random(played):
    _, model, _ = played
    verdict = model.fit_report.verdict
    assert verdict.level in ("good", "use with care"), str(model.fit_report)
    assert not {reason.figure for reason in verdict.reasons} & {"num_unlike_states", "num_unlike_ends", "drawn"}, (
        verdict
    )


def test_it_comes_back_from_a_folder(played, tmp_path):
    _, model, result = played
    model.save(tmp_path / "model")
    loaded = cf.DynamicsEnsemble.load(tmp_path / "model")
    assert loaded.fingerprint == model.fingerprint
    assert loaded.fit_report == model.fit_report
    policies = ["uniform_random"] * model.spec.num_players
    again_played = cf.simulate(loaded, policies, num_episodes=50, seed=2)
    np.testing.assert_array_equal(again_played.returns, result.returns[:50])


FEW = dataclasses.replace(CONFIG, num_steps=3, num_reward_steps=3, hidden_sizes=(8,))


def cut(log, most):
    """The log broken off after ``most`` rows."""
    lengths = np.diff(log.trajectory_offsets)
    kept = np.minimum(lengths, most)
    rows = np.concatenate([np.arange(first, first + n) for first, n in zip(log.trajectory_offsets, kept, strict=False)])
    arrays = {
        name: array[rows] for name, array in log.arrays.items() if name not in ("trajectory_offsets", "truncated")
    }
    offsets = np.concatenate([[0], np.cumsum(kept)])
    return cf.TrajectoryDataset(log.spec, arrays | {"trajectory_offsets": offsets, "truncated": lengths > most})


def test_episodes_that_broke_off_teach_no_end():
    log = cut(stopping(1200, np.random.default_rng(4)), most=3)
    assert 0.3 < log.truncated.mean() < 0.4
    config = dataclasses.replace(CONFIG, ends="probability")
    model = cf.DynamicsEnsemble.fit(log, config, seed=1)
    lengths = cf.simulate(model, ["uniform_random"] * 2, num_episodes=4000, seed=2).lengths
    assert lengths.mean() == pytest.approx(1 / 0.3, abs=0.3)
    assert not model.fit_report.data_is_uniform
    papers = cf.DynamicsEnsemble.fit(log, FEW, seed=1)  # whose networks must not learn a next state that nobody saw
    assert not papers.draws_ends


def test_a_single_round_has_nothing_that_goes_on():
    model = cf.DynamicsEnsemble.fit(pricing(300, np.random.default_rng(5), num_rounds=1), CONFIG, seed=1)
    result = cf.simulate(model, ["uniform_random"] * 2, num_episodes=500, seed=2)
    assert (result.lengths == 2).all()
    assert result.returns.mean(axis=0) == pytest.approx([0.5 * 8 / 9, 0.5 * 8 / 9], abs=0.25)


def test_returns_scale_what_learners_see_and_rewards_what_networks_learn():
    log = pricing(200, np.random.default_rng(5))
    model = cf.DynamicsEnsemble.fit(log, FEW, seed=1)
    returns = by_episode(log.reward, log.trajectory_offsets)
    assert model.reward_scale == pytest.approx(returns.std(), rel=0.1)
    rewards = log.reward[log.acting_player == 1]
    assert model.arrays["reward_scale"].item() == pytest.approx(rewards.std(), rel=0.1)


def test_bits_depend_on_the_seed_alone_for_any_number_of_threads():
    log = kuhn(30, np.random.default_rng(6))
    first, same, threads, other = (
        cf.DynamicsEnsemble.fit(log, FEW, seed, num_threads=num_threads).fingerprint
        for seed, num_threads in ((1, 1), (1, 1), (1, 3), (2, 1))
    )
    assert first == same == threads != other


def test_recorded_chance_is_not_random():
    dealt = repeats(kuhn(200, np.random.default_rng(7)), draws=True)
    assert dealt["num_repeated"] > 200
    assert not any(count for name, count in dealt.items() if "unlike" in name)
    moved = repeats(again(200, np.random.default_rng(7)), draws=True)
    assert moved["num_unlike_movers"] > 100
    assert not any(moved[name] for name in ("num_unlike_states", "num_unlike_ends", "num_unlike_rewards"))
    assert repeats(again(200, np.random.default_rng(7)))["num_unlike_states"] > 100  # to a model that draws nothing


def test_settings_that_do_not_fit_the_game_are_refused():
    log = pricing(30, np.random.default_rng(8))
    for changes, words in ({"ends": "state"}, "ends='state' is for"), ({"history_source": "actions"}, "would show"):
        with pytest.raises(InvalidArgumentError, match=words):
            cf.DynamicsEnsemble.fit(log, dataclasses.replace(FEW, **changes))
    with pytest.raises(ConfigError, match="ends must be"):
        cf.EnsembleConfig(ends="never")
    with pytest.raises(DatasetError, match="pays the same"):
        cf.DynamicsEnsemble.fit(cf.TrajectoryDataset(log.spec, log.arrays | {"reward": np.zeros_like(log.reward)}), FEW)


def test_players_are_cloned_one_by_one():
    log = sale(600, np.random.default_rng(9))
    config = cf.BehaviorCloningConfig(hidden_sizes=(32,), num_steps=300, batch_size=256, learning_rate=1e-2)
    clones = [cf.clone_behavior(log, config, seats=[seat]) for seat in range(2)]
    model = cf.DynamicsEnsemble.fit(log, CONFIG, seed=1)
    result = cf.simulate(model, clones, num_episodes=3000, seed=3, record=True)
    assert_same_mean(result.returns, by_episode(log.reward, log.trajectory_offsets), "returns")
    cloned = cf.clone_behavior(kuhn(30, np.random.default_rng(9)), dataclasses.replace(config, num_steps=5), seats=[2])
    assert cloned.layers[-1][0].shape[0] == 2
    for seats in ([], [2], [0, 0, 1], 1, "0", [0.5], {0: 1}):
        with pytest.raises(InvalidArgumentError, match="clone_behavior: seats"):
            cf.clone_behavior(log, config, seats=seats)
