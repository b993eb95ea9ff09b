"""Generated play: the game's own figures, mirror images, and the same bytes for any number of threads."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.games.test_simulator import GAME, ROUNDS, Rounds

import coffee_fast as cf

NUM_FEATURES, NUM_ACTIONS = 41, 109


@pytest.fixture(scope="module")
def game():
    return cf.load_game("generalized_bargaining")


@pytest.fixture(scope="module")
def dataset(game):
    return cf.generate_dataset(game, num_trajectories=1000, seed=0)


def always(action):
    """The policy that takes ``action`` wherever it is legal."""
    bias = np.zeros(NUM_ACTIONS, np.float32)
    bias[action] = 1
    return cf.NetworkPolicy(((np.zeros((NUM_ACTIONS, NUM_FEATURES), np.float32), bias),))


def files_of(dataset, path):
    dataset.save(path)
    return [(path / file).read_bytes() for file in ("data.safetensors", "manifest.json")]


def test_uniform_play_has_the_figures_of_the_game(game):
    """The deal rate is (mean over pools of 1 - (n / (n + 1))**10), n the legal offers; the others by simulation."""
    plain = cf.load_game("generalized_bargaining", discount=1.0)
    card = cf.generate_dataset(plain, num_trajectories=4000, seed=3, mirrored=False, num_threads=2).describe()
    offers = np.prod(game.pools + 1, axis=1)
    deal_rate = np.mean(1 - (offers / (offers + 1)) ** 10)
    assert deal_rate == pytest.approx(0.33185, abs=1e-5)
    assert card.share_with_payoff == pytest.approx(deal_rate, abs=4 * np.sqrt(deal_rate * (1 - deal_rate) / 4000))
    assert card.mean_length == pytest.approx(9.375, abs=0.2)
    assert card.mean_return == pytest.approx((2.85, 2.85), abs=4 * 5.07 / np.sqrt(4000))
    assert card.deviation_of_return == pytest.approx((5.07, 5.07), abs=0.4)


def test_mirrored_play_pays_both_players_exactly_the_same(dataset):
    card = dataset.describe()
    assert card.mean_return[0] == card.mean_return[1]
    assert card.deviation_of_return[0] == card.deviation_of_return[1]
    assert (card.num_trajectories, card.num_independent_episodes) == (1000, 500)
    assert np.bincount(dataset.acting_player[dataset.trajectory_offsets[:-1]]).tolist() == [500, 500]


def test_the_image_is_what_the_game_would_say_with_the_players_exchanged(game):
    """Replay the image of an episode from its first state by the rules."""
    dataset = cf.generate_dataset(game, num_trajectories=40, seed=5)
    for trajectory in range(1, 40, 2):
        steps = slice(*dataset.trajectory_offsets[trajectory : trajectory + 2])
        start = dataset.state[steps][0]
        state = game.new_state(start[2:5], (start[5:8], start[11:14]), int(start[14]))
        for row in range(*steps.indices(dataset.num_transitions)):
            assert state.current_player() == dataset.acting_player[row]
            assert state.legal_actions() == np.flatnonzero(dataset.legal_masks()[row]).tolist()
            state.apply_action(int(dataset.action[row]))
        assert state.is_terminal()
        np.testing.assert_allclose(state.returns(), dataset.reward[steps].sum(axis=0), rtol=1e-6)


def test_the_same_seed_is_the_same_bytes_for_any_number_of_threads(game, tmp_path):
    behavior = ["uniform_random", (always(108), "uniform_random"), always(0)]
    np.random.seed(1)  # noqa: NPY002 - the global generator must not matter
    expected = files_of(cf.generate_dataset(game, behavior, 602, seed=4), tmp_path / "1")
    for num_threads in (2, 3, 7):
        np.random.seed(num_threads)  # noqa: NPY002
        dataset = cf.generate_dataset(game, behavior, 602, seed=4, num_threads=num_threads)
        assert files_of(dataset, tmp_path / str(num_threads)) == expected
    other = cf.generate_dataset(game, behavior, 602, seed=5)
    assert files_of(other, tmp_path / "other")[0] != expected[0]


def test_an_episode_does_not_depend_on_how_many_follow(game):
    few, many = (cf.generate_dataset(game, num_trajectories=count, seed=6) for count in (20, 40))
    assert many.select(np.arange(20)).fingerprint == few.fingerprint


def test_without_mirroring_every_trajectory_is_an_episode(game, dataset):
    plain = cf.generate_dataset(game, num_trajectories=500, seed=0, mirrored=False)
    assert plain.num_independent_episodes == plain.num_trajectories == 500
    assert not plain.is_mirrored
    originals = dataset.select(np.arange(0, 1000, 2))
    assert originals.fingerprint == plain.fingerprint
    assert cf.generate_dataset(game, num_trajectories=3, seed=0, mirrored=False).num_trajectories == 3


def test_a_profile_is_drawn_for_each_episode(game):
    """One profile always offers nothing, then accepts; the other asks for as much as it may."""
    accepting, keeping = always(108), always(0)
    dataset = cf.generate_dataset(game, [accepting, keeping], 400, seed=2, mirrored=False)
    lengths = np.diff(dataset.trajectory_offsets)
    assert set(lengths) == {2, 11}  # accepted at once, or never
    share = (lengths == 2).mean()
    assert 0.4 < share < 0.6
    runs = np.flatnonzero(np.diff(lengths)).size
    assert runs > 100  # drawn for each episode, not half and half
    assert "2 profiles" in dataset.behavior


def test_a_profile_may_name_a_strategy_for_each_player(game):
    dataset = cf.generate_dataset(game, [(always(108), always(0))], 100, seed=2, mirrored=False)
    by_first = dataset.action[dataset.acting_player == 1]
    assert (by_first == 0).all()  # player 1 only ever asks for nothing
    accepts = dataset.acting_player[dataset.action == 108]
    assert len(accepts) == 100
    assert (accepts == 0).all()


def test_a_mixture_is_drawn_by_each_player(game):
    mixture = cf.Mixture((always(108), always(0)), np.array([0.5, 0.5]))
    lengths = np.diff(cf.generate_dataset(game, mixture, 400, seed=2, mirrored=False).trajectory_offsets)
    assert set(lengths) == {2, 3, 11}  # the second mover accepts; only the first does; nobody does
    assert (lengths == 11).mean() == pytest.approx(0.25, abs=0.09)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_trajectories": 3}, "must be an even number, 2 or more.*got 3"),
        ({"num_trajectories": 0}, "must be an even number, 2 or more.*got 0"),
        ({"num_trajectories": 2.0}, "must be an even number, 2 or more.*got 2.0"),
        ({"num_trajectories": 0, "mirrored": False}, "must be 1 or more, got 0"),
        ({"behavior": []}, "behavior must name a strategy or more"),
        ({"behavior": "uniform_randm"}, "did you mean 'uniform_random'"),
        ({"behavior": [("uniform_random",)]}, "one strategy a player, 2 in all, got 1"),
        ({"behavior": 3}, "a strategy must be a known name, a policy, a Mixture or a solution, got int"),
        ({"seed": -1}, "seed must lie in"),
        ({"num_threads": -1}, "num_threads must be an integer >= 0"),
    ],
)
def test_impossible_arguments_are_named(game, arguments, message):
    with pytest.raises(cf.InvalidArgumentError, match=message):
        cf.generate_dataset(game, **{"num_trajectories": 4} | arguments)


def test_something_that_is_no_game_is_named():
    with pytest.raises(cf.InvalidArgumentError, match="game must be a game or a DynamicsEnsemble, got"):
        cf.generate_dataset("generalized_bargaining")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_trajectories": 10**30}, "num_trajectories must be an even number, .* and at most 2147483647"),
        ({"num_trajectories": True, "mirrored": False}, "num_trajectories must be 1 or more, got True"),
        ({"num_trajectories": 2.0}, "num_trajectories must be an even number"),
        ({"num_trajectories": "x" * 10**6}, "num_trajectories must be an even number"),
        ({"mirrored": 1}, "mirrored must be True or False, got 1"),
        ({"description": 3}, "description must be a string, got 3"),
    ],
)
def test_arguments_are_refused_in_a_sentence(game, arguments, message):
    with pytest.raises(cf.InvalidArgumentError, match=f"generate_dataset: {message}") as error:
        cf.generate_dataset(game, **arguments)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("name", [None, ["a"], {}, 3, "x" * 10**6])
def test_logs_of_cooperative_play_have_names(name):
    for log in (cf.data.xor_log, cf.data.bridge_log):
        with pytest.raises(cf.InvalidArgumentError, match=f"{log.__name__}: name must be one of"):
            log(name)
    for sizes in ({"num_episodes": 10**30}, {"num_episodes": 1.5}, {"max_steps": 10**9}):
        with pytest.raises(cf.InvalidArgumentError, match="bridge_log: .* must be an integer"):
            cf.data.bridge_log(**sizes)


def test_chance_and_rewards_at_every_step_are_logged():
    dataset = cf.generate_dataset(GAME, num_trajectories=30, seed=1, num_threads=2)
    assert (dataset.spec, dataset.is_mirrored, dataset.num_independent_episodes) == (GAME.spec, False, 30)
    is_chance = dataset.acting_player == -1
    assert 0.3 < is_chance.mean() < 0.7
    assert set(dataset.action[is_chance].tolist()) == {0, 1, 2}
    assert not dataset.legal_mask[is_chance].any()
    assert (dataset.reward[dataset.terminal == 0] != 0).any()
    played = cf.simulate(GAME, ["uniform_random"] * 3, num_episodes=30, seed=2, record=True)
    assert played.trajectories["reward"].dtype == dataset.reward.dtype
    again = cf.generate_dataset(GAME, num_trajectories=30, seed=1)
    np.testing.assert_array_equal(again.state, dataset.state)


def test_rounds_at_once_are_logged_seat_by_seat():
    rounds = cf.games.from_simulator(ROUNDS, Rounds())
    mixture = cf.Mixture((cf.UniformRandom(), cf.UniformRandom()), [0.5, 0.5])
    dataset = cf.generate_dataset(rounds, [(mixture, "uniform_random"), mixture], num_trajectories=21, seed=1)
    assert dataset.acting_player.reshape(-1, 2).tolist() == [[0, 1]] * 42
    assert dataset.check() is not None


def test_what_cannot_be_mirrored_is_not_unless_asked():
    with pytest.raises(cf.InvalidGameError, match="mirroring needs a symmetric two-player game"):
        cf.generate_dataset(GAME, num_trajectories=4, mirrored=True)
