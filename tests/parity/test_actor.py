import itertools
from dataclasses import asdict

import numpy as np
import pytest

from coffee_fast import _core
from coffee_fast._reference import actor as reference
from coffee_fast._reference.replay_buffer import stack
from coffee_fast.errors import InvalidArgumentError

CORE = _core.GeneralizedBargaining()
NUM_FEATURES, NUM_ACTIONS = CORE.information_state_size, CORE.num_actions


class BargainingEpisode:
    """The game's own single episodes, for the twin."""

    def __init__(self, seed, profile, rollout):
        assert profile == 0
        self.state = CORE.new_state(seed=seed, rollout=rollout)

    def player_to_act(self):
        return self.state.current_player()

    def information_state(self):
        return self.state.information_state(self.player_to_act())

    def legal_mask(self):
        mask = np.zeros(NUM_ACTIONS, np.uint8)
        mask[self.state.legal_actions()] = 1
        return mask

    def step(self, action):
        self.state.apply_action(action)
        rewards = np.array(self.state.returns()) if self.state.is_terminal() else np.zeros(2)
        return rewards, 0.0, self.state.is_terminal()


def random_network(seed, sizes=(NUM_FEATURES, 16, NUM_ACTIONS)):
    rng = np.random.default_rng(seed)
    return _core.Mlp(
        [
            (rng.normal(size=(outputs, inputs)).astype(np.float32), rng.normal(size=outputs).astype(np.float32))
            for inputs, outputs in itertools.pairwise(sizes)
        ]
    )


def random_ensemble():
    """A learned model of random weights in which members 0, 1, 2 pay the players (0, 0), (4, -4) and (20, -20).

    Episodes end by prediction, which pays, or at their greatest length, 6, which does not.
    """
    rng = np.random.default_rng(2)
    rewards = [(np.zeros((2, 6), np.float32), np.array([pay, -pay], np.float32)) for pay in (0, 1, 5)]
    return _core.DynamicsEnsemble(
        num_players=2,
        history_start=1,
        max_episode_length=6,
        terminal_state_value=-1.0,
        terminal_threshold=2.5,
        reward_scale=4.0,
        disagreement="max_deviation",
        history_source="observations",
        delta=[random_network(seed, (6, 8, 4)) for seed in (1, 2, 3)],
        reward=[_core.Mlp([layer]) for layer in rewards],
        shared=random_network(7, (4, 8, 2 * 3 + 9)),
        **{f"{name}_mean": np.zeros(size, np.float32) for name, size in (("state", 4), ("action", 2))},
        **{f"{name}_scale": np.ones(size, np.float32) for name, size in (("state", 4), ("action", 2))},
        observation_mean=np.zeros(6, np.float32),
        observation_scale=np.ones(6, np.float32),
        action_vectors=rng.normal(size=(9, 2)).astype(np.float32),
        initial_states=rng.normal(size=(20, 4)).astype(np.float32),
        initial_observations=rng.normal(size=(20, 6)).astype(np.float32),
        initial_legal_masks=np.ones((20, 9), np.uint8),
        initial_players=rng.integers(2, size=20).astype(np.int32),
    )


def make_pair(**changes):
    """The actor and its twin against an even mixture of uniform and greedy play."""
    options = reference.Options(**{"seed": 3, "num_parallel_episodes": 5, "epsilon_decay_steps": 150} | changes)
    opponent = random_network(11)
    probabilities = np.array([0.5, 0.5])
    policies = [_core.Policy.uniform_random(), _core.Policy.greedy(opponent)]
    actor = _core.Actor(CORE, [(policies, probabilities.tolist())] * 2, **asdict(options))

    def choose_greedily(state, mask, _):
        return reference.choose_greedily(opponent.forward(state[None])[0], mask)

    twins = [reference.choose_uniformly, choose_greedily]
    return actor, reference.Actor(BargainingEpisode, [(twins, probabilities)] * 2, options)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"seats": [1], "num_parallel_episodes": 1},
        {"seats": [0, 1]},
        {"seats": [0, 1], "coverage_weight": 0.4, "uncertainty_penalty": 1.0, "num_parallel_episodes": 8},
        {"replay_capacity": 37, "num_parallel_episodes": 8},
        {"coverage_weight": 0.4, "uncertainty_penalty": 1.0},
        {"epsilon_start": 0.0, "epsilon_end": 0.0},
        {"num_parallel_episodes": 64, "epsilon_decay_steps": 64},
    ],
)
def test_transitions_are_the_twins(changes):
    actor, twin = make_pair(**changes)
    for round_number in range(90):
        network = random_network(round_number // 30)  # the network learns now and then
        actor.advance(network)
        twin.advance(lambda state, network=network: network.forward(state[None])[0])
    assert (actor.num_decisions, actor.num_calls) == (twin.num_decisions, twin.num_calls)
    assert actor.epsilon(actor.num_calls) == twin.epsilon(twin.num_calls)
    expected, state = stack(twin.replay.rows), actor.export_state()
    assert actor.num_transitions == len(twin.replay) > 30
    for name in ("information_states", "actions", "rewards", "next_information_states", "is_final"):
        np.testing.assert_array_equal(state[f"replay.{name}"], expected[name], err_msg=name)
    packed = np.packbits(expected["next_legal_masks"], axis=1, bitorder="little")
    np.testing.assert_array_equal(state["replay.next_legal_mask_bits"], packed)
    batch, expected_batch = actor.sample(16, 5), twin.replay.sample(16, 3, 5)
    for name, array in batch.items():
        np.testing.assert_array_equal(array, expected_batch[name], err_msg=name)


class PayingEpisode:
    """The game of cpp/tests/test_actor.cpp, which pays at every step."""

    def __init__(self, seed, profile, rollout):
        self.rollout, self.time = rollout, 0

    def player_to_act(self):
        return (self.rollout + self.time) % 2

    def information_state(self):
        return np.array([self.rollout, self.time], np.float32)

    def legal_mask(self):
        return np.array([1, 1, self.time % 2], np.uint8)

    def step(self, action):
        self.time += 1
        return (action + 1.0) * np.array([1.0, 2.0]) + 0.5, 0.25, self.time == 3 + self.rollout % 3


@pytest.mark.parametrize("penalty", [0.0, 2.0])
def test_the_twin_sums_what_is_paid_between_own_decisions(penalty):
    """As the test of the same name there asserts of the kernel."""
    options = reference.Options(seed=4, num_parallel_episodes=3, epsilon_start=0.0, uncertainty_penalty=penalty)
    options.epsilon_end = 0.0
    last_action = lambda state, mask, stream: reference.choose_greedily(np.arange(3.0), mask)  # noqa: E731
    twin = reference.Actor(PayingEpisode, [([last_action], np.ones(1))] * 2, options)
    for _ in range(60):
        twin.advance(lambda state: np.arange(3.0))
    rows = stack(twin.replay.rows)
    rollout, time = rows["information_states"].T
    paid_at = lambda time: np.where(time % 2 == 1, 3.0, 2.0) + 0.5 - 0.25 * penalty  # noqa: E731
    is_last_step = time + 1 == 3 + rollout % 3
    np.testing.assert_array_equal(rows["rewards"], paid_at(time) + np.where(is_last_step, 0.0, paid_at(time + 1)))


def collect(dynamics, **options):
    """Replay contents after 60 rounds of random play against random play."""
    opponents = [([_core.Policy.uniform_random()], [1.0])] * 2
    actor = _core.Actor(dynamics, opponents, seed=5, epsilon_end=1.0, num_parallel_episodes=16, **options)
    network = random_network(0, (dynamics.information_state_size, dynamics.num_actions))
    for _ in range(60):
        actor.advance(network)
    state = actor.export_state()
    return {name.removeprefix("replay."): state[name] for name in state if name.startswith("replay.")}, actor


@pytest.mark.parametrize("player", [0, 1])
def test_rewards_of_a_model_are_means_over_members_less_the_penalty(player):
    """At a predicted end the members' mean is 8 or -8 and the disagreement 12; before it there is nothing."""
    model = random_ensemble()
    plain, actor = collect(model, seats=[player])
    penalized, _ = collect(model, seats=[player], uncertainty_penalty=0.5)
    covered, _ = collect(model, seats=[player], uncertainty_penalty=0.5, coverage_weight=1.0)
    pays = plain["rewards"] != 0
    assert 0.1 < pays[plain["is_final"] == 1].mean() < 0.8
    assert not pays[plain["is_final"] == 0].any()
    mean = 8.0 if player == 0 else -8.0
    np.testing.assert_allclose(plain["rewards"][pays], mean, rtol=1e-6)
    np.testing.assert_allclose(penalized["rewards"], np.where(pays, mean - 6.0, 0.0), rtol=1e-6)
    np.testing.assert_allclose(covered["rewards"], np.where(pays, -6.0, 0.0), rtol=1e-6)
    for name in set(plain) - {"rewards"}:
        np.testing.assert_array_equal(plain[name], penalized[name], err_msg=name)
        np.testing.assert_array_equal(plain[name], covered[name], err_msg=name)
    assert actor.mean_disagreement / 12 == pytest.approx(actor.mean_return / mean, rel=1e-6)


def test_coverage_changes_no_draw_of_other_episodes():
    """Each episode begins alike with and without coverage; about the asked share of them is of coverage."""
    starts = []
    for changes in ({}, {"coverage_weight": 0.3, "uncertainty_penalty": 1.0}):
        actor, _ = make_pair(num_parallel_episodes=1, epsilon_start=0.5, epsilon_end=0.5, **changes)
        while actor.num_episodes < 200:
            actor.advance(random_network(0))
        states = actor.export_state()["replay.information_states"]
        starts.append({tuple(row) for row in states[:, 2:8].tolist()})
    assert 35 <= actor.num_coverage_episodes <= 85
    assert len(starts[0] & starts[1]) > 150


@pytest.mark.parametrize("seats", [[0], [0, 1]])
def test_a_restored_actor_continues_with_the_same_bits(seats):
    options = {"coverage_weight": 0.2, "uncertainty_penalty": 1.0, "seats": seats}
    whole, first, second = (make_pair(**options)[0] for _ in range(3))
    for _ in range(50):
        whole.advance(random_network(0))
        first.advance(random_network(0))
    second.restore(first.export_state())
    for _ in range(50):
        whole.advance(random_network(1))
        second.advance(random_network(1))
    for name, array in whole.export_state().items():
        np.testing.assert_array_equal(array, second.export_state()[name], err_msg=name)


def test_a_state_of_other_episodes_is_refused():
    actor, _ = make_pair()
    for _ in range(6):
        actor.advance(random_network(0))
    state = actor.export_state()
    with pytest.raises(InvalidArgumentError, match="num_parallel_episodes = 4 episodes in flight, got 5"):
        make_pair(num_parallel_episodes=4)[0].restore(state)
    with pytest.raises(InvalidArgumentError, match=r"'lanes.lengths' must be nonnegative and sum to"):
        actor.restore(state | {"lanes.lengths": state["lanes.lengths"] + np.int32(5)})
    with pytest.raises(InvalidArgumentError, match="action 500 of an episode in flight is not legal"):
        actor.restore(state | {"lanes.actions": np.full_like(state["lanes.actions"], 500)})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seats": [2]}, r"seats must lie in \[0, 2\), got 2"),
        ({"seats": []}, "seats must name a seat of the learner or more"),
        ({"num_parallel_episodes": 0}, r"num_parallel_episodes must lie in \[1, 1048576\], got 0"),
        ({"num_parallel_episodes": 2**31}, "num_parallel_episodes must lie in"),
        ({"coverage_weight": -0.1}, r"coverage_weight must lie in \[0, 1\], got -0.1"),
        ({"uncertainty_penalty": float("inf")}, "uncertainty_penalty must be a finite number"),
        ({"epsilon_decay_steps": 0}, "epsilon_decay_steps must be at least 1"),
        ({"replay_capacity": 0}, "capacity must be at least 1"),
    ],
)
def test_impossible_options_are_refused(changes, message):
    with pytest.raises(InvalidArgumentError, match=message):
        make_pair(**changes)


def test_networks_of_other_games_are_refused():
    actor, _ = make_pair()
    with pytest.raises(InvalidArgumentError, match="q_network must map 41 features to 109 actions, got 7 to 109"):
        actor.advance(random_network(0, (7, NUM_ACTIONS)))
