"""Imitation by soft values with networks: cloning, the tabular form, inverse soft Q-learning, what it is then for."""

import dataclasses

import numpy as np
import pytest
import torch

import coffee_fast as cf
from coffee_fast.errors import ConfigError, InvalidArgumentError, NumericalError
from coffee_fast.models.networks import StackedMLP
from coffee_fast.models.soft_imitation import Moments, loss_of
from coffee_fast.regularized import mafis
from coffee_fast.regularized.learning.soft_imitation import Imitation

STEPS, STATES, ACTIONS = 3, 3, 2
QUICK = cf.SoftImitationConfig(hidden_sizes=(32,), num_steps=500, batch_size=128, learning_rate=5e-3)


def played(num_players, num_episodes=60, seed=0):
    """A log of some steps and states, in which play and what it leads to differ by state: rows, and a dataset."""
    rng = np.random.default_rng(seed)
    policy = rng.dirichlet(np.ones(ACTIONS), size=(num_players, STEPS, STATES))
    moves = rng.dirichlet(np.full(STATES, 0.5), size=(STEPS, STATES, ACTIONS**num_players))
    rows = {"state": [], "action": [], "reward": [], "trajectory": []}
    for episode in range(num_episodes):
        state = 0
        for step in range(STEPS if rng.random() < 0.7 else STEPS - 1):
            action = [int(rng.random() < policy[i, step, state, 1]) for i in range(num_players)]
            for name, value in (("state", state), ("action", action), ("trajectory", episode)):
                rows[name].append(value)
            rows["reward"].append([0.0] * num_players)
            state = int(rng.choice(STATES, p=moves[step, state, sum(a << i for i, a in enumerate(action))]))
    return rows


def steps_of(rows):
    episode = np.array(rows["trajectory"])
    return np.arange(len(episode)) - np.searchsorted(episode, episode)


def as_dataset(rows, **about):
    """The same with observations: one entry for each step and state, which is all that anybody knows."""
    num_players, size = len(rows["action"][0]), STEPS * STATES
    seen = np.eye(size)[steps_of(rows) * STATES + np.array(rows["state"])]
    spec = cf.GameSpec(
        name="steps and states",
        num_players=num_players,
        num_actions=ACTIONS,
        action_vectors=np.eye(ACTIONS),
        state_size=num_players * size + num_players * ACTIONS,
        observation_size=size,
        history_start=size,
        max_episode_length=num_players * STEPS,
        moves="simultaneous",
        rewards="every_step",
        roles=(1,) * num_players,
    )
    log = {name: np.array(rows[name]) for name in ("action", "reward", "trajectory")} | about
    return cf.TrajectoryDataset.from_transitions(
        spec, log | {"observation": np.repeat(seen[:, None], num_players, axis=1)}
    )


def tables(policies):
    """``[H, S, A]`` a player."""
    size = STEPS * STATES
    legal = np.ones((size, ACTIONS), dtype=np.uint8)
    return [p.probabilities(np.eye(size, dtype=np.float32), legal).reshape(STEPS, STATES, -1) for p in policies]


@pytest.mark.parametrize("num_players", [1, 2])
@pytest.mark.parametrize("divergence", ["total", "hellinger", "kl", "jensen_shannon"])
def test_the_gradient_is_that_of_the_tabular_objective(divergence, num_players):
    """With one player this is inverse soft Q-learning. What moves all values of an action alike is known of tables."""
    rows = played(num_players)
    config = cf.SoftImitationConfig(divergence, temperature=0.3, discount=0.9)
    moments, generator = Moments.of(as_dataset(rows)), torch.Generator().manual_seed(1)
    networks = [StackedMLP(1, (STEPS * STATES, 8, ACTIONS), generator) for _ in range(num_players)]
    loss_of(networks, moments, torch.arange(len(moments.following)), config).backward()

    problem = Imitation(cf.TabularGame.from_dataset(rows), divergence, 0.3, 0.9)
    with torch.no_grad():
        values = [0.3 * network(torch.eye(STEPS * STATES))[0].double().numpy().ravel() for network in networks]
    scores = np.concatenate([v[place] for v, place in zip(values, problem.free, strict=True)]) / problem.units
    slopes = np.split(problem.objective(scores)[1] / problem.units, np.cumsum([len(p) for p in problem.free])[:-1])
    for network, place, slope in zip(networks, problem.free, slopes, strict=True):
        expected = np.bincount(place % ACTIONS, slope, minlength=ACTIONS) / num_players
        np.testing.assert_allclose(-network.biases[-1].grad.ravel(), expected, atol=1e-6)
        assert np.abs(expected).max() > 1e-3


def test_it_nears_the_tabular_answer():
    rows, options = played(2), {"temperature": 1.0, "discount": 0.9}
    exact, clone = (mafis(rows, divergence=divergence, **options).policies for divergence in ("kl", "total"))
    config = dataclasses.replace(QUICK, num_steps=800, holdout_fraction=0.0, **options)
    found = tables(cf.imitate_behavior(as_dataset(rows), config, seed=1))
    visits = cf.TabularGame.from_dataset(rows).counts.sum(axis=(2, 3)) / len(rows["state"])

    def distance(policies):
        return max((visits * np.abs(a - b).max(axis=2)).sum() for a, b in zip(policies, exact, strict=True))

    assert distance(found) < 0.03 < 0.09 < distance(clone)


@pytest.mark.parametrize(("num_steps", "power"), [(1, 0.5), (2, 1.0)])
def test_one_step_has_a_closed_form(num_steps, power):
    """At temperature 1 play is p to the power of a half; where episodes broke off at the step after, it is p."""
    episode = np.repeat(np.arange(10), num_steps)
    rows = {"action": (episode == 0)[:, None], "reward": np.zeros((len(episode), 1)), "state": 0 * episode}
    dataset = as_dataset(rows | {"trajectory": episode}, truncated=np.full(len(episode), num_steps > 1))
    config = dataclasses.replace(QUICK, num_steps=300, temperature=1.0, holdout_fraction=0.0)
    (policy,) = cf.imitate_behavior(dataset, config, seed=1)
    expected = np.array([0.9, 0.1]) ** power
    np.testing.assert_allclose(tables([policy])[0][0, 0], expected / expected.sum(), atol=0.02)


@pytest.fixture(scope="module")
def bargaining():
    return cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=60, seed=3)


def test_in_total_it_is_cloning(bargaining):
    sizes = {"hidden_sizes": (16,), "num_steps": 60, "batch_size": 64, "learning_rate": 1e-3}
    cloned = cf.clone_behavior(bargaining, cf.BehaviorCloningConfig(**sizes), seed=1)
    (found,) = cf.imitate_behavior(bargaining, cf.SoftImitationConfig("total", **sizes), seed=1)
    (other,) = cf.imitate_behavior(bargaining, cf.SoftImitationConfig("kl", temperature=1.0, **sizes), seed=1)
    for (weight, _), (same, _), (unlike, _) in zip(cloned.layers, found.layers, other.layers, strict=True):
        np.testing.assert_allclose(weight, same, atol=2e-4)
        assert np.abs(weight - unlike).max() > 2e-3


def test_the_seed_decides_every_bit_and_progress_is_told(bargaining):
    calls, config = [], dataclasses.replace(QUICK, hidden_sizes=(8,), num_steps=60)
    first, again, other = (
        cf.imitate_behavior(bargaining, config, seed, progress=lambda *call: calls.append(call))[0].layers
        for seed in (1, 1, 2)
    )
    assert all(a.tobytes() == b.tobytes() for x, y in zip(first, again, strict=True) for a, b in zip(x, y, strict=True))
    assert not np.array_equal(first[0][0], other[0][0])
    assert [call[:3] for call in calls[:2]] == [("imitate behavior", 50, 60), ("imitate behavior", 60, 60)]


def test_it_is_a_reference_of_self_play(bargaining):
    found = cf.imitate_behavior(bargaining, dataclasses.replace(QUICK, hidden_sizes=(8,), num_steps=60), seed=1)
    sizes = {"hidden_sizes": (8,), "num_updates": 2, "num_episodes": 20, "num_snapshots": 1, "num_simulations": 20}
    config = cf.SelfPlayConfig(reference="cloned", **sizes)
    snapshots = cf.self_play_snapshots(cf.load_game("generalized_bargaining"), config, seed=0, reference=found)
    assert len(snapshots.by_role[0]) == 2  # and itself


def test_it_refuses_what_it_cannot_learn(bargaining):
    with pytest.raises(InvalidArgumentError, match="imitate_behavior: config must be a SoftImitationConfig, got Beh"):
        cf.imitate_behavior(bargaining, cf.BehaviorCloningConfig())
    with pytest.raises(InvalidArgumentError, match="clone_behavior: config must be a BehaviorCloningConfig, got Soft"):
        cf.clone_behavior(bargaining, cf.SoftImitationConfig())
    with pytest.raises(NumericalError, match="imitate_behavior: the loss is .*; lower learning_rate"):
        cf.imitate_behavior(bargaining, dataclasses.replace(QUICK, learning_rate=1e30))
    for changes, message in (
        ({"divergence": "chi_squared"}, "divergence must be one of total, hellinger, kl, jensen_shannon"),
        ({"temperature": 1e9}, "temperature must be between 1e-6 and 1e6"),
        ({"discount": 1.1}, "discount must be a finite number >= 0 and <= 1"),
        ({"num_steps": 0}, "num_steps must be an integer >= 1, got 0"),
    ):
        with pytest.raises(ConfigError, match=f"SoftImitationConfig: {message}"):
            cf.SoftImitationConfig(**changes)
