"""The compiled dynamics ensemble against its twin, on random networks of a game unlike bargaining."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from coffee_fast import _core
from coffee_fast._core import Purpose, Stream
from coffee_fast._reference import dynamics_ensemble as twin
from coffee_fast._reference.actor import choose_greedily, choose_uniformly
from coffee_fast._reference.mlp import forward
from coffee_fast.games import GameSpec
from coffee_fast.models import DynamicsEnsemble, EnsembleConfig, FitReport

# Three players, observations of which the last two entries tell the last move, as many as an action's vector has.
SPEC = GameSpec(
    name="turns",
    num_players=3,
    num_actions=9,
    action_vectors=np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32),
    state_size=7,
    observation_size=5,
    history_start=3,
    max_episode_length=6,
)


def make_layers(rng: np.random.Generator, prefix: str, sizes: tuple[int, ...]) -> dict[str, Any]:
    arrays = {}
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        arrays[f"{prefix}.{layer}.weight"] = rng.normal(0, inputs**-0.5, (outputs, inputs)).astype(np.float32)
        arrays[f"{prefix}.{layer}.bias"] = rng.normal(0, 0.3, outputs).astype(np.float32)
    return arrays


def make_model(**config: Any) -> DynamicsEnsemble:
    """Three members of random weights whose episodes end by prediction about as often as by length."""
    rng, num_starts = np.random.default_rng(7), 20
    D, N, O, A, V = SPEC.state_size, SPEC.num_players, SPEC.observation_size, SPEC.num_actions, 2  # noqa: E741
    arrays = {"reward_scale": np.array(4.5)}
    for name, size in (("state", D), ("action", V), ("observation", O)):
        arrays[f"{name}.mean"] = rng.normal(size=size).astype(np.float32)
        arrays[f"{name}.scale"] = rng.uniform(0.5, 2.0, size).astype(np.float32)
    for member in range(3):
        arrays |= make_layers(rng, f"delta.{member}", (D + V, 20, 17, D))
        arrays |= make_layers(rng, f"reward.{member}", (D + V, 20, 17, N))
    arrays |= make_layers(rng, "shared.0", (D, 20, 17, N * O + A))
    masks = (rng.random((num_starts, A)) < 0.5).astype(np.uint8)
    masks[:, 0] = 1
    arrays |= {
        "initial.state": rng.normal(size=(num_starts, D)).astype(np.float32),
        "initial.observation": rng.normal(size=(num_starts, N * O)).astype(np.float32),
        "initial.legal_mask": masks,
        "initial.player": rng.integers(N, size=num_starts).astype(np.int32),
    }
    settings = {"num_members": 3, "hidden_sizes": (20, 17), "terminal_threshold": 1.35, **config}
    return DynamicsEnsemble(SPEC, EnsembleConfig(**settings), 0, arrays, FitReport())


def make_twin(model: DynamicsEnsemble) -> twin.DynamicsEnsemble:
    config = model.config
    return twin.DynamicsEnsemble(
        SPEC,
        model.arrays,
        config.num_members,
        config.terminal_threshold,
        config.disagreement,
        config.history_source,
    )


def assert_close(actual: Any, expected: Any) -> None:
    """Within 1e-5 of the size of the numbers."""
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5 * max(1.0, np.abs(expected).max(initial=0.0)))


KINDS = ["max_deviation", "range_mean", "range_max"]


@pytest.mark.parametrize("kind", KINDS)
def test_one_step_is_the_twins(rng, kind):
    model = make_model(disagreement=kind)
    reference = make_twin(model)
    states = rng.normal(size=(50, SPEC.state_size)).astype(np.float32)
    actions = rng.integers(SPEC.num_actions, size=50).astype(np.int32)
    expected = [reference.predict(state, action) for state, action in zip(states, actions, strict=True)]

    next_states = model.core.next_states(states, actions)
    assert_close(next_states, np.array([prediction.state for prediction in expected]))
    rewards, disagreement = model.core.rewards(states, actions)
    assert_close(rewards, np.array([prediction.member_rewards for prediction in expected]))
    assert_close(disagreement, np.array([prediction.disagreement for prediction in expected]))
    observations, masks = model.core.observe(next_states)
    assert_close(observations, np.array([prediction.observations for prediction in expected]))
    scores = np.array([prediction.scores for prediction in expected])
    is_clear = np.abs(scores - 0.5) > 1e-4
    is_clear &= (scores > 0.5).any(axis=1, keepdims=True)
    np.testing.assert_array_equal(masks[is_clear], scores[is_clear] > 0.5)
    assert is_clear.mean() > 0.9


def test_a_mask_of_nothing_allows_everything():
    model = make_model()
    arrays = {name: np.array(array) for name, array in model.arrays.items()}
    arrays["shared.0.2.bias"][-SPEC.num_actions :] = -100.0
    core = DynamicsEnsemble(SPEC, model.config, 0, arrays, FitReport()).core
    _, masks = core.observe(np.zeros((3, SPEC.state_size), np.float32))
    assert masks.all()


def play(model: DynamicsEnsemble, choosers: list[Any], rollout: int, seed: int) -> dict[str, Any]:
    """An episode of the twin."""
    episode = make_twin(model).start(seed, 5, rollout)
    steps, total, disagreement, is_over = [], np.zeros((SPEC.num_players, 3)), 0.0, False
    while not is_over:
        features, mask = episode.information_state(), episode.legal_mask()
        stream = Stream(seed, Purpose.action, 5, rollout, len(steps))
        action = choosers[episode.player_to_act()](features, mask, stream)
        steps.append((episode.state, episode.observations, action, episode.player_to_act(), mask))
        _, step_disagreement, is_over = episode.step(action)
        disagreement += step_disagreement
    total += episode.member_rewards
    return {"steps": steps, "returns": total, "disagreement": disagreement}


@pytest.mark.parametrize("history_source", ["observations", "actions"])
@pytest.mark.parametrize("chunk_size", [1, 64])
def test_whole_episodes_are_the_twins(rng, history_source, chunk_size):
    model = make_model(history_source=history_source)
    sizes = (SPEC.information_state_size, 8, SPEC.num_actions)
    layers = [
        (rng.normal(size=(outputs, inputs)).astype(np.float32), rng.normal(size=outputs).astype(np.float32))
        for inputs, outputs in itertools.pairwise(sizes)
    ]
    policies = [_core.Policy.uniform_random(), *[_core.Policy.greedy(_core.Mlp(layers))] * 2]
    choosers = [choose_uniformly] + [lambda x, mask, _: choose_greedily(forward(layers, x[None])[0], mask)] * 2
    played = _core.rollout(
        model.core,
        [([policy], [1.0]) for policy in policies],
        60,
        seed=3,
        profile=5,
        chunk_size=chunk_size,
        record=True,
    )
    log = played["trajectories"]
    ends = []
    for rollout in range(60):
        expected = play(model, choosers, rollout, seed=3)
        first, last = log["trajectory_offsets"][rollout : rollout + 2]
        assert played["lengths"][rollout] == last - first == len(expected["steps"])
        assert_close(played["returns"][rollout], expected["returns"])
        assert_close(played["disagreement"][rollout], expected["disagreement"])
        masks = np.unpackbits(log["legal_mask"][first:last], axis=1, count=SPEC.num_actions, bitorder="little")
        for row, (state, observations, action, player, mask) in enumerate(expected["steps"]):
            assert_close(log["state"][first + row], state)
            assert_close(log["observation"][first + row], observations)
            assert (log["action"][first + row], log["acting_player"][first + row]) == (action, player)
            np.testing.assert_array_equal(masks[row], mask)
        ends.append(bool(expected["returns"].any()))
    assert 0.2 < np.mean(ends) < 0.8  # some end by prediction, some by length


def test_only_predicted_terminal_steps_pay_or_disagree():
    model = make_model()
    players = [([_core.Policy.uniform_random()], [1.0])] * 3
    log = _core.rollout(model.core, players, 300, seed=1, record=True)["trajectories"]
    distance = np.abs(model.core.next_states(log["state"], log["action"]) - SPEC.terminal_state_value).mean(axis=1)
    is_final = distance < model.config.terminal_threshold
    assert not log["reward"][~is_final].any()
    assert log["reward"][is_final].all(axis=1).all()
    assert log["terminal"][is_final].all()
    np.testing.assert_array_equal(np.flatnonzero(log["terminal"]) + 1, log["trajectory_offsets"][1:])
    assert (np.diff(log["trajectory_offsets"])[~is_final[log["terminal"] == 1]] == SPEC.max_episode_length).all()


@pytest.mark.parametrize(("num_threads", "chunk_size"), [(1, 1), (1, 7), (2, 7), (3, 64)])
def test_episodes_do_not_depend_on_threads_or_chunks(num_threads, chunk_size):
    model = make_model()
    players = [([_core.Policy.uniform_random()], [1.0])] * 3
    expected = _core.rollout(model.core, players, 100, seed=2, record=True)
    actual = _core.rollout(
        model.core, players, 100, seed=2, num_threads=num_threads, chunk_size=chunk_size, record=True
    )
    for name in ("returns", "lengths", "disagreement"):
        np.testing.assert_array_equal(actual[name], expected[name])
    for name, array in expected["trajectories"].items():
        np.testing.assert_array_equal(actual["trajectories"][name], array)
    tail = _core.rollout(model.core, players, 30, seed=2, first_rollout=70)
    np.testing.assert_array_equal(tail["returns"], expected["returns"][70:])
