"""What rollouts, payoff estimates and learners may expect of every dynamics, the true game and learned ones alike."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.unit.games.test_simulator import GAME, ROUNDS, Rounds, RoundsOneByOne

import coffee_fast as cf
from coffee_fast import _core
from coffee_fast._reference.empirical_game import profile_key
from coffee_fast.dynamics import Dynamics

NUM_EPISODES = 300
GOOFSPIEL = "goofspiel(num_cards=4,imp_info=True,points_order=descending)"


def learn(game=None, **config):
    """A model of a few steps of training, whose episodes end now by prediction, now by length."""
    dataset = cf.generate_dataset(game or cf.load_game("generalized_bargaining"), num_trajectories=200, seed=0)
    quick = {"num_members": 3, "hidden_sizes": (24,), "num_steps": 150, "num_reward_steps": 50, "learning_rate": 3e-3}
    return cf.DynamicsEnsemble.fit(dataset, cf.EnsembleConfig(terminal_threshold=1.5, **quick, **config), seed=1)


MAKERS = {
    "bargaining": lambda: cf.load_game("generalized_bargaining"),
    "bargaining, feasible offers": lambda: cf.load_game("generalized_bargaining", only_feasible_offers=True),
    "tree, moves at once": lambda: cf.load_game(
        "openspiel:goofspiel(num_cards=4,imp_info=True,points_order=descending)"
    ),
    "tree of a log, much unseen": lambda: cf.GameTree.from_dataset(
        cf.generate_dataset(cf.load_game("openspiel:leduc_poker"), num_trajectories=60, seed=0)
    ),
    "tree of a log, luck": lambda: cf.GameTree.from_dataset(cf.generate_dataset(GAME, num_trajectories=400, seed=0)),
    "tree of a log, moves at once": lambda: cf.GameTree.from_dataset(
        cf.generate_dataset(cf.games.from_simulator(ROUNDS, Rounds()), num_trajectories=5, seed=4)
    ),
    "ensemble": learn,
    "ensemble, actions as history": lambda: learn(history_source="actions"),
    "ensemble, ends drawn": lambda: learn(ends="probability"),
    "ensemble of three players with chance": lambda: learn(GAME),
    "ensemble of moves at once": lambda: learn(cf.games.from_simulator(ROUNDS, Rounds())),
    "simulator of three players with chance": lambda: GAME,
    "simulator of moves at once": lambda: cf.games.from_simulator(ROUNDS, Rounds()),
    "simulator of an episode": lambda: cf.games.from_simulator(ROUNDS, RoundsOneByOne),
}


@pytest.fixture(scope="module", params=MAKERS)
def dynamics(request):
    if request.param.startswith("tree"):
        pytest.importorskip("pyspiel")
    return MAKERS[request.param]()


@pytest.fixture(scope="module")
def players(dynamics):
    """A mixture of kinds of policies for player 0, one that looks at everything for the others."""
    rng, spec = np.random.default_rng(5), dynamics.spec
    shapes = itertools.pairwise((spec.information_state_size, 16, spec.num_actions))
    layers = tuple((rng.normal(size=(o, i)).astype(np.float32), np.zeros(o, np.float32)) for i, o in shapes)
    softmax = cf.NetworkPolicy(layers, "softmax", temperature=5.0)
    mixed = cf.PerStepMixture((softmax, cf.UniformRandom()), (0.5, 0.5))
    first, others = cf.Mixture((cf.UniformRandom(), softmax, mixed), [0.5, 0.2, 0.3]), cf.Mixture((softmax,), [1.0])
    return [first] + [others] * (spec.num_players - 1)


@pytest.fixture(scope="module")
def recorded(dynamics, players):
    return cf.simulate(dynamics, players, num_episodes=NUM_EPISODES, seed=9, record=True)


def roll(dynamics, players, num_episodes=NUM_EPISODES, **options):
    return _core.rollout(dynamics.core, [player.core for player in players], num_episodes, 9, **options)


def assert_same(actual, expected):
    for name, array in expected.items():
        if isinstance(array, dict):
            assert_same(actual[name], array)
        else:
            np.testing.assert_array_equal(actual[name], array, err_msg=name)


def flatten(result):
    return {name: array for name, array in result.items() if name != "trajectories"}


def test_it_is_a_dynamics(dynamics):
    assert isinstance(dynamics, Dynamics)
    assert _core.can_play(dynamics.core)
    assert not _core.can_play(dynamics)
    assert len(dynamics.fingerprint) == 64
    assert dynamics.reward_scale > 0


def test_core_and_specification_agree(dynamics):
    names = ("num_players", "num_actions", "state_size", "observation_size", "max_episode_length")
    for name in (*names, "information_state_size"):
        assert getattr(dynamics.core, name) == getattr(dynamics.spec, name), name
    assert dynamics.spec.action_vectors.shape[0] == dynamics.spec.num_actions
    assert dynamics.core.num_members >= 1
    assert cf.games.GameSpec.from_json(dynamics.spec.to_json()) == dynamics.spec


def test_episodes_have_the_shapes_they_say(dynamics, recorded):
    spec, steps = dynamics.spec, recorded.trajectories
    num_steps = int(recorded.lengths.sum())
    assert recorded.member_returns.shape == (NUM_EPISODES, spec.num_players, dynamics.core.num_members)
    assert ((recorded.lengths >= 1) & (recorded.lengths <= spec.max_episode_length)).all()
    np.testing.assert_array_equal(np.diff(steps["trajectory_offsets"]), recorded.lengths)
    assert steps["state"].shape == steps["next_state"].shape == (num_steps, spec.state_size)
    assert steps["observation"].shape == (num_steps, spec.num_players, spec.observation_size)
    assert steps["reward"].shape == (num_steps, spec.num_players)
    assert all(np.isfinite(array).all() for array in steps.values())


def test_only_the_last_step_is_terminal_and_rewards_come_when_the_specification_says(dynamics, recorded):
    steps = recorded.trajectories
    is_last = np.zeros(len(steps["action"]), bool)
    is_last[steps["trajectory_offsets"][1:] - 1] = True
    np.testing.assert_array_equal(steps["terminal"].astype(bool), is_last)
    assert (steps["reward"][~is_last] == 0.0).all() == (dynamics.spec.rewards == "at_end")
    paid = np.add.reduceat(steps["reward"], steps["trajectory_offsets"][:-1])
    np.testing.assert_allclose(paid, recorded.returns, rtol=1e-6, atol=1e-6)
    assert (steps["next_state"][is_last] == dynamics.spec.terminal_state_value).all()
    np.testing.assert_array_equal(steps["next_state"][~is_last], steps["state"][1:][~is_last[:-1]])


def test_players_take_turns_and_play_legal_actions(dynamics, recorded):
    steps, spec = recorded.trajectories, dynamics.spec
    masks = np.unpackbits(steps["legal_mask"], axis=1, count=spec.num_actions, bitorder="little")
    movers = steps["acting_player"]
    is_chance = movers == -1
    assert is_chance.any() == (spec.num_chance_actions > 0)
    assert masks[np.arange(len(masks)), steps["action"] % spec.num_actions][~is_chance].all()
    assert not masks[is_chance].any()
    if spec.turn_order == "predicted":
        return
    within = np.flatnonzero(~steps["terminal"].astype(bool))
    np.testing.assert_array_equal(movers[within + 1], (movers[within] + 1) % spec.num_players)


def test_members_disagree_only_where_the_model_predicts_the_end(dynamics, recorded):
    if getattr(dynamics, "draws_ends", False):  # the last steps pay, if no others do
        assert (recorded.disagreement > 0.0).all()
        return
    if dynamics.core.num_members == 1:
        assert (recorded.disagreement == 0.0).all()
        return
    if isinstance(dynamics, cf.GameTree):  # where an episode goes that the log does not show
        differ = (recorded.member_returns != recorded.member_returns[..., :1]).any(axis=(1, 2))
        np.testing.assert_array_equal(recorded.disagreement > 0.0, differ)
        assert differ.any()
        return
    steps, last = recorded.trajectories, recorded.trajectories["trajectory_offsets"][1:] - 1
    predicted = dynamics.core.next_states(steps["state"][last], steps["action"][last])
    distance = np.abs(predicted - dynamics.spec.terminal_state_value).mean(axis=1)
    is_predicted = distance < dynamics.config.terminal_threshold
    assert 0.1 < is_predicted.mean() < 0.9  # both ways to end are seen
    np.testing.assert_array_equal(recorded.disagreement > 0.0, is_predicted)
    np.testing.assert_array_equal((recorded.member_returns != 0.0).any(axis=(1, 2)), is_predicted)
    assert (recorded.lengths[~is_predicted] == dynamics.spec.max_episode_length).all()


@pytest.mark.parametrize("num_threads", [2, 3, 7])
def test_threads_change_no_bit(dynamics, players, num_threads):
    assert_same(roll(dynamics, players, num_threads=num_threads, chunk_size=37), roll(dynamics, players))


@pytest.mark.parametrize("chunk_size", [1, 5, 64])
def test_chunks_change_no_bit(dynamics, players, chunk_size):
    assert_same(roll(dynamics, players, chunk_size=chunk_size, record=True), roll(dynamics, players, record=True))


def test_splits_into_calls_change_no_bit(dynamics, players):
    parts = [roll(dynamics, players, n, first_rollout=first) for first, n in ((0, 1), (1, 200), (201, 99))]
    assert_same({name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, roll(dynamics, players))


def test_recording_changes_no_bit(dynamics, players):
    assert_same(flatten(roll(dynamics, players, record=True)), roll(dynamics, players))


def test_seeds_and_profiles_are_other_episodes(dynamics, players):
    lengths = [roll(dynamics, players, profile=profile)["returns"].tobytes() for profile in (0, 1)]
    lengths.append(cf.simulate(dynamics, players, num_episodes=NUM_EPISODES, seed=10).member_returns.tobytes())
    assert len(set(lengths)) == 3


SUMS = ("sum", "sum_of_squares", "sum_of_lengths", "sum_of_disagreement")


def estimate(dynamics, players, profiles, **options):
    policies = [policy.core for policy in players[0].policies]
    return _core.estimate_payoffs(dynamics.core, policies, np.array(profiles, np.int32), NUM_EPISODES, 4, **options)


@pytest.mark.parametrize("num_threads", [1, 2, 3])
def test_an_entry_does_not_depend_on_what_else_is_estimated(dynamics, players, num_threads):
    rest = [0] * (len(players) - 2)
    profiles = [[*pair, *rest] for pair in ([2, 1], [0, 0], [1, 2])]
    together = estimate(dynamics, players, profiles, num_threads=num_threads)
    for index, profile in enumerate(profiles):
        alone = estimate(dynamics, players, [profile])
        for name in SUMS:
            np.testing.assert_array_equal(together[name][index], alone[name][0])


def test_an_entry_is_the_sum_of_its_rollout(dynamics, players):
    for pair in ([0, 1], [2, 2]):
        profile = [*pair, *[1] * (len(players) - 2)]
        entry = estimate(dynamics, players, [profile])
        pure = [([players[0].policies[strategy].core], [1.0]) for strategy in profile]
        out = _core.rollout(dynamics.core, pure, NUM_EPISODES, 4, profile=profile_key(profile))
        returns = out["returns"]
        expected = (returns.sum(0), (returns**2).sum(0), out["lengths"].sum(), out["disagreement"].sum())
        for name, value in zip(SUMS, expected, strict=True):
            np.testing.assert_allclose(entry[name][0], value, rtol=1e-12, atol=1e-12, err_msg=name)
