"""The compiled dynamics ensemble against its twin, on random networks of a game unlike bargaining."""

from __future__ import annotations

import dataclasses
import itertools
from types import SimpleNamespace
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
from coffee_fast.models.classifiers import IMPOSSIBLE
from coffee_fast.models.inputs import draws_ends, num_movers, predicts_mover

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
# Games of which ends are drawn.
DRAWN = {
    "predicted turns": dataclasses.replace(SPEC, turn_order="predicted"),
    "rewards at every step": dataclasses.replace(SPEC, rewards="every_step", max_episode_length=9),
    "moves at once": dataclasses.replace(SPEC, moves="simultaneous", rewards="every_step", max_episode_length=13),
    "chance": dataclasses.replace(SPEC, turn_order="predicted", num_chance_actions=4, max_episode_length=9),
    "moves at once and chance": dataclasses.replace(
        SPEC,
        moves="simultaneous",
        rewards="every_step",
        num_chance_actions=3,
        chance_vectors=np.random.default_rng(1).normal(size=(3, 2)),
        max_episode_length=13,
    ),
}


def make_layers(rng: np.random.Generator, prefix: str, sizes: tuple[int, ...]) -> dict[str, Any]:
    arrays = {}
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        arrays[f"{prefix}.{layer}.weight"] = rng.normal(0, inputs**-0.5, (outputs, inputs)).astype(np.float32)
        arrays[f"{prefix}.{layer}.bias"] = rng.normal(0, 0.3, outputs).astype(np.float32)
    return arrays


def make_model(spec: GameSpec = SPEC, **config: Any) -> DynamicsEnsemble:
    """Three members of random weights whose episodes end by prediction about as often as by length."""
    rng, num_starts = np.random.default_rng(7), 20
    D, N, O, A, V = spec.state_size, spec.num_players, spec.observation_size, spec.num_actions, 2  # noqa: E741
    settings = {"num_members": 3, "hidden_sizes": (20, 17), "terminal_threshold": 1.35, **config}
    settings = EnsembleConfig(**settings)
    arrays: dict[str, Any] = {"reward_scale": np.array(4.5)}
    if spec.rewards == "every_step":
        arrays["return_scale"] = np.array(7.0)
    for name, size in (("state", D), ("action", V), ("observation", O)):
        arrays[f"{name}.mean"] = rng.normal(size=size).astype(np.float32)
        arrays[f"{name}.scale"] = rng.uniform(0.5, 2.0, size).astype(np.float32)
    inputs, movers, seen = D + V, 0, 0
    if draws_ends(spec, settings):
        inputs, seen, movers = D + V + N + spec.chance_vectors.shape[1], N, num_movers(spec) * predicts_mover(spec)
        arrays |= make_layers(rng, "end.0", (inputs, 20, 17, 1))
        arrays["end.0.2.bias"] -= 1.5  # not at every step
    if movers:
        arrays |= make_layers(rng, "mover.0", (inputs, 20, 17, movers))
        if spec.moves == "simultaneous":
            arrays["mover.0.2.bias"][1:N] = IMPOSSIBLE
    if C := spec.num_chance_actions:
        arrays |= make_layers(rng, "chance.0", (D, 20, 17, C))
        arrays["chance.0.2.bias"][-1], arrays["chance.0.2.weight"][-1] = IMPOSSIBLE, 0.0
        arrays["chance.mean"], arrays["chance.scale"] = rng.uniform(0.5, 2.0, (2, spec.chance_vectors.shape[1])).astype(
            np.float32
        )
    for member in range(3):
        arrays |= make_layers(rng, f"delta.{member}", (inputs + movers, 20, 17, D))
        arrays |= make_layers(rng, f"reward.{member}", (inputs, 20, 17, N))
    arrays |= make_layers(rng, "shared.0", (D + seen, 20, 17, N * O + A))
    masks = (rng.random((num_starts, A)) < 0.5).astype(np.uint8)
    masks[:, 0] = 1
    players = rng.integers(-1 if C else 0, 1 if spec.moves == "simultaneous" else N, size=num_starts).astype(np.int32)
    masks[players < 0] = 0
    states = rng.normal(size=(num_starts, D)).astype(np.float32)
    if spec.moves == "simultaneous":
        states[:, -N * V :] = 0.0
    arrays |= {
        "initial.state": states,
        "initial.observation": rng.normal(size=(num_starts, N * O)).astype(np.float32),
        "initial.legal_mask": masks,
        "initial.player": players,
    }
    return DynamicsEnsemble(spec, settings, 0, arrays, FitReport())


NUM_CODES = 2


def make_known_model(spec: GameSpec, *, is_certain: bool = False, **config: Any) -> DynamicsEnsemble:
    """The same with all that a model may know: kinds of entries, luck without a name, payments, bounds of rewards.

    Its delta, end and pay networks are of products, ends, movers and outcomes have a network a member.
    """
    rng, plain = np.random.default_rng(9), make_model(spec)
    D, N, O, A, V = spec.state_size, spec.num_players, spec.observation_size, spec.num_actions, 2  # noqa: E741
    W, M = spec.chance_vectors.shape[1], num_movers(spec)
    settings = EnsembleConfig(num_members=3, outcome_disagreement=True, member_per_episode=True, **config)
    inputs = D + V + N + W + NUM_CODES
    movers = M * predicts_mover(spec)
    arrays = {
        name: array for name, array in plain.arrays.items() if name.split(".")[0] not in ("shared", "delta", "reward")
    }
    for name in ("end.0", "mover.0"):
        arrays = {key: array for key, array in arrays.items() if not key.startswith(f"{name}.")}
    for member in range(3):
        arrays |= make_products(rng, f"delta.{member}", inputs + movers, D)
        arrays |= make_layers(rng, f"reward.{member}", (inputs, 20, 17, N))
        arrays |= make_products(rng, f"end.{member}", inputs, 1)
        arrays[f"end.{member}.2.bias"] -= 1.5
        if movers:
            arrays |= make_layers(rng, f"mover.{member}", (inputs, 20, 17, movers))
            if spec.moves == "simultaneous":
                arrays[f"mover.{member}.2.bias"][1:N] = IMPOSSIBLE
        if spec.num_chance_actions:
            arrays |= make_layers(rng, f"chance.{member}", (D, 20, 17, spec.num_chance_actions))
            arrays[f"chance.{member}.2.bias"][-1], arrays[f"chance.{member}.2.weight"][-1] = IMPOSSIBLE, 0.0
    arrays |= make_products(rng, "pay.0", inputs, 1)
    arrays |= make_layers(rng, "code.0", (inputs, 20, NUM_CODES))
    arrays |= make_layers(rng, "mask.0", (O + N + D, 20, A))
    arrays |= make_layers(rng, "view.0", (O + N + 2 * M + V + W + D, 20, O))
    values, offsets = make_values(rng, D)
    seen, places = make_values(rng, N * O)
    arrays |= {f"{part}.is_product": np.ones(1, np.uint8) for part in ("delta", "end", "pay")}
    arrays |= {f"{part}.is_certain": np.array([is_certain], np.uint8) for part in ("end", "mover", "pay")}
    arrays |= {
        "view.sees": np.array([1, 0], np.uint8),
        "mask.sees": np.ones(1, np.uint8),
        "reward.least": np.array([-2.0, -3.0, -4.0], np.float32),
        "reward.most": np.array([1.0, 5.0, 3.0], np.float32),
        "state.source": rng.integers(-1, D + V + W, size=(M, D)).astype(np.int32),
        "state.values": values,
        "state.values_offsets": offsets,
        "state.least": np.full(D, -0.7, np.float32),
        "state.most": np.full(D, 0.6, np.float32),
        "observation.source": rng.integers(-1, O + D + V + W, size=(M, N * O)).astype(np.int32),
        "observation.values": seen,
        "observation.values_offsets": places,
    }
    arrays["state.source"][:, ::2] = -1
    arrays["observation.source"][:, 1::2] = -1
    return DynamicsEnsemble(spec, settings, 0, arrays, FitReport())


def make_products(rng: np.random.Generator, prefix: str, inputs: int, outputs: int) -> dict[str, Any]:
    """Two layers of products, of widths 6 and 5."""
    return {
        name: array
        for layer, sizes in enumerate([(inputs, 12), (inputs + 6, 10), (inputs + 11, outputs)])
        for name, array in (
            (f"{prefix}.{layer}.{part.rsplit('.', 1)[1]}", array)
            for part, array in make_layers(rng, "layer", sizes).items()
        )
    }


def make_values(rng: np.random.Generator, size: int) -> tuple[Any, Any]:
    """Zero to three values of each of ``size`` entries."""
    counts = rng.integers(4, size=size)
    values = [np.sort(rng.normal(size=count)).astype(np.float32) for count in counts]
    return np.concatenate(values), np.concatenate([[0], counts.cumsum()]).astype(np.int32)


def make_twin(model: DynamicsEnsemble) -> twin.DynamicsEnsemble:
    config = model.config
    return twin.DynamicsEnsemble(
        model.spec,
        model.arrays,
        config.num_members,
        config.terminal_threshold,
        config.disagreement,
        config.history_source,
        config.member_per_episode,
        config.outcome_disagreement,
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
    seen = [reference.observe(prediction.state, 0) for prediction in expected]
    assert_close(observations, np.array([views for views, _ in seen]))
    np.testing.assert_array_equal(model.core.legal_masks(next_states, observations.reshape(50, -1)), masks)
    scores = np.array([score for _, score in seen])
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
    reference = make_twin(model)
    episode = reference.start(seed, 5, rollout)
    steps, total, disagreement, is_over = [], np.zeros((model.spec.num_players, 3)), 0.0, False
    while not is_over:
        features, mask, player = episode.information_state(), episode.legal_mask(), episode.player_to_act()
        place = (seed, Purpose.chance if player < 0 else Purpose.action, 5, rollout, len(steps))
        if player < 0:
            chances = reference.chance(episode.state).cumsum()
            action = int(np.searchsorted(chances, Stream(*place).next_double(), side="right"))
        else:
            action = choosers[player](features, mask, Stream(*place))
        steps.append((episode.state, episode.observations, action, player, mask, features))
        _, step_disagreement, is_over = episode.step(action)
        total += episode.member_rewards
        disagreement += step_disagreement
    return {"steps": steps, "returns": total, "disagreement": disagreement}


def remembered(log):
    """What players know inside a model: of each move what it showed to whoever was next to move."""
    start, size = log.spec.history_start, log.spec.observation_size - log.spec.history_start
    rows = np.arange(log.num_transitions)
    mover = log.observation[rows, np.maximum(log.acting_player, 0)]
    known = np.zeros((log.num_transitions, log.spec.information_state_size), np.float32)
    for begin, end in itertools.pairwise(log.trajectory_offsets.astype(int)):
        for row in range(begin, end):
            shown = mover[begin + 1 : row + 1, start:].ravel()
            known[row, :start] = mover[row, :start]
            known[row, start : start + (row - begin) * size] = shown
    return known


def assert_played_like_the_twin(model: DynamicsEnsemble, rng: Any, chunk_size: int) -> list[dict[str, Any]]:
    """Episodes of uniform and greedy policies; returns those of the twin."""
    spec = model.spec
    sizes = (spec.information_state_size, 8, spec.num_actions)
    layers = [
        (rng.normal(size=(outputs, inputs)).astype(np.float32), rng.normal(size=outputs).astype(np.float32))
        for inputs, outputs in itertools.pairwise(sizes)
    ]
    policies = [_core.Policy.uniform_random(), *[_core.Policy.greedy(_core.Mlp(layers))] * 2]
    choosers = [choose_uniformly] + [lambda x, mask, _: choose_greedily(forward(layers, x[None])[0], mask)] * 2
    players = [([policy], [1.0]) for policy in policies]
    played = _core.rollout(model.core, players, 60, seed=3, profile=5, chunk_size=chunk_size, record=True)
    log, episodes = played["trajectories"], []
    for rollout in range(60):
        expected = play(model, choosers, rollout, seed=3)
        first, last = log["trajectory_offsets"][rollout : rollout + 2]
        assert played["lengths"][rollout] == last - first == len(expected["steps"])
        assert_close(played["returns"][rollout], expected["returns"])
        assert_close(played["disagreement"][rollout], expected["disagreement"])
        masks = np.unpackbits(log["legal_mask"][first:last], axis=1, count=spec.num_actions, bitorder="little")
        for row, (state, observations, action, player, mask, _) in enumerate(expected["steps"]):
            assert_close(log["state"][first + row], state)
            assert_close(log["observation"][first + row], observations)
            assert (log["action"][first + row], log["acting_player"][first + row]) == (action, player)
            np.testing.assert_array_equal(masks[row], mask)
        episodes.append(expected)
    if model.config.history_source == "observations":  # what players know is laid out as in a log
        as_log = SimpleNamespace(**log, spec=spec, num_transitions=len(log["action"]))
        acts = log["acting_player"] >= 0
        known = np.array([step[5] for episode in episodes for step in episode["steps"]])
        assert_close(remembered(as_log)[acts], known[acts])
    return episodes


@pytest.mark.parametrize("history_source", ["observations", "actions"])
@pytest.mark.parametrize("chunk_size", [1, 64])
def test_whole_episodes_are_the_twins(rng, history_source, chunk_size):
    episodes = assert_played_like_the_twin(make_model(history_source=history_source), rng, chunk_size)
    assert 0.2 < np.mean([episode["returns"].any() for episode in episodes]) < 0.8  # end by prediction, by length


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("chunk_size", [1, 64])
def test_whole_drawn_episodes_are_the_twins(rng, kind, chunk_size):
    spec = DRAWN[kind]
    episodes = assert_played_like_the_twin(make_model(spec), rng, chunk_size)
    lengths, movers = (len(episode["steps"]) for episode in episodes), set()
    movers = {step[3] for episode in episodes for step in episode["steps"]}
    assert len(set(lengths)) > 2
    assert movers == set(range(-1 if spec.num_chance_actions else 0, 3))


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize(("is_certain", "chunk_size"), [(False, 1), (False, 64), (True, 64)])
def test_whole_episodes_of_a_model_that_knows_more_are_the_twins(rng, kind, is_certain, chunk_size):
    assert_played_like_the_twin(make_known_model(DRAWN[kind], is_certain=is_certain), rng, chunk_size)


@pytest.mark.parametrize("make", [make_model, make_known_model])
@pytest.mark.parametrize("kind", ["the paper's", *DRAWN])
def test_followed_moves_are_the_twins(rng, make, kind):
    if kind == "the paper's" and make is make_known_model:
        pytest.skip("a model that knows more draws ends")
    model = make(DRAWN.get(kind, SPEC))
    model = dataclasses_replaced(model, member_per_episode=False)  # followed moves are the mean's
    reference, spec = make_twin(model), model.spec
    players = [([_core.Policy.uniform_random()], [1.0])] * 3
    log = _core.rollout(model.core, players, 20, seed=1, record=True)["trajectories"]
    masks = np.unpackbits(log["legal_mask"], axis=1, count=spec.num_actions, bitorder="little")
    offsets, first = log["trajectory_offsets"].astype(np.int64), log["trajectory_offsets"][:-1]
    seen = log["observation"].reshape(len(masks), -1)
    movers = log["acting_player"].astype(np.int32)
    followed = model.core.follow(offsets, log["state"][first], seen[first], masks[first], movers, log["action"])
    for begin, end in itertools.pairwise(offsets):
        episode = twin.Episode(reference, 0)
        episode.state, episode.observations = log["state"][begin], log["observation"][begin]
        episode.mask, episode.player = masks[begin], int(movers[begin])
        for row in range(begin, end):
            assert_close(followed["states"][row], episode.state)
            assert_close(followed["observations"][row], episode.observations)
            assert_close(followed["information_states"][row], episode.information_state())
            np.testing.assert_array_equal(followed["legal_masks"][row], episode.mask)
            is_within_round = spec.moves == "simultaneous" and 0 <= episode.player < 2
            action = int(log["action"][row])
            following = -9 if row + 1 == end else int(movers[row + 1])
            if is_within_round:
                assert not followed["member_rewards"][row].any()
                assert followed["ends"][row] == 0
                episode.step(action)
                continue
            inputs = reference.likely_inputs(episode.state, action, episode.player)
            rewards = reference.rewards(inputs)
            disagreement = reference.disagreement_of(rewards)
            if model.config.outcome_disagreement:
                disagreement += reference.outcome_information(episode.state, inputs, episode.player)
            assert_close(followed["member_rewards"][row], rewards)
            assert_close(followed["disagreement"][row], disagreement)
            if model.draws_ends:
                assert_close(followed["ends"][row], reference.end(inputs))
            if following != -9:
                episode._go_on(inputs, spec.num_players if following < 0 else following, action)


def dataclasses_replaced(model: DynamicsEnsemble, **changes: Any) -> DynamicsEnsemble:
    """The model with other settings."""
    config = dataclasses.replace(model.config, **changes)
    return DynamicsEnsemble(model.spec, config, 0, dict(model.arrays), FitReport())


@pytest.mark.parametrize("is_certain", [False, True])
def test_payments_are_the_twins(rng, is_certain):
    spec = DRAWN["moves at once"]
    model = make_known_model(spec, is_certain=is_certain)
    reference = make_twin(model)
    states = rng.normal(size=(40, spec.state_size)).astype(np.float32)
    actions, players = rng.integers(spec.num_actions, size=40).astype(np.int32), np.repeat([1, 2], 20).astype(np.int32)
    pays = model.core.pays(states, actions, players)
    assert not pays[:20].any()  # within a round
    inputs = [reference.likely_inputs(states[row], int(actions[row]), 2) for row in range(20, 40)]
    assert_close(pays[20:], [reference.pays(each) for each in inputs])
    assert (make_model(spec).core.pays(states, actions, players)[20:] == 1).all()


def test_members_of_their_own_episodes_differ():
    model = make_known_model(DRAWN["predicted turns"])
    mean = dataclasses_replaced(model, member_per_episode=False)
    players = [([_core.Policy.uniform_random()], [1.0])] * 3
    logs = [_core.rollout(one.core, players, 20, seed=1, record=True)["trajectories"] for one in (model, mean)]
    assert not np.array_equal(logs[0]["state"], logs[1]["state"])


@pytest.mark.parametrize("kind", DRAWN)
def test_one_drawn_step_is_the_twins(rng, kind):
    spec = DRAWN[kind]
    model, count = make_model(spec), 60
    reference, C = make_twin(model), spec.num_chance_actions
    states = rng.normal(size=(count, spec.state_size)).astype(np.float32)
    players = rng.integers(-1 if C else 0, 3, size=count).astype(np.int32)
    if spec.moves == "simultaneous":  # within a round nothing is predicted
        players[players >= 0] = 2
    actions = np.array([rng.integers(C if player < 0 else spec.num_actions) for player in players], np.int32)
    places = list(zip(states, actions, players, strict=True))
    expected = [reference.predict(*place) for place in places]
    ends, movers = model.core.outcomes(states, actions, players)
    assert_close(ends, [prediction.end for prediction in expected])
    assert_close(movers, [prediction.movers for prediction in expected])
    rewards, disagreement = model.core.rewards(states, actions, players)
    assert_close(rewards, np.array([prediction.member_rewards for prediction in expected]))
    assert_close(disagreement, np.array([prediction.disagreement for prediction in expected]))
    next_states = model.core.next_states(states, actions, players)
    assert_close(next_states, np.array([prediction.state for prediction in expected]))
    given = (movers > 0).argmax(axis=1).astype(np.int32)  # somebody who may be next, not the likeliest
    next_states = model.core.next_states(states, actions, players, np.where(given == 3, -1, given).astype(np.int32))
    assert_close(
        next_states, [reference.predict(*place, int(mover)).state for place, mover in zip(places, given, strict=True)]
    )
    observed = [reference.observe(state, player) for state, _, player in places]
    assert_close(model.core.observe(states, players)[0], np.array([views for views, _ in observed]))
    if C:
        chances = model.core.chance_probabilities(states)
        assert_close(chances, [reference.chance(state) for state in states])
        assert not chances[:, -1].any()  # never seen


def test_choices_within_a_round_are_exact(rng):
    model = make_model(DRAWN["moves at once"])
    players = [([_core.Policy.uniform_random()], [1.0])] * 3
    log = _core.rollout(model.core, players, 100, seed=1, record=True)["trajectories"]
    choices = log["state"][:, -6:].reshape(-1, 3, 2)
    for seat in (1, 2):
        rows = np.flatnonzero(log["acting_player"] == seat)
        np.testing.assert_array_equal(choices[rows, seat - 1], SPEC.action_vectors[log["action"][rows - 1]])
        np.testing.assert_array_equal(
            choices[rows, :seat], log["next_state"][rows - 1][:, -6:].reshape(-1, 3, 2)[:, :seat]
        )
        np.testing.assert_array_equal(log["state"][rows, :1], log["state"][rows - 1, :1])
        np.testing.assert_array_equal(log["observation"][rows], log["observation"][rows - 1])
        assert not choices[rows, seat:].any()
    assert not choices[log["acting_player"] == 0].any()
    within = log["acting_player"] < 2
    assert not log["reward"][within].any()
    assert log["reward"][~within].any(axis=1).all()
    assert (np.diff(log["trajectory_offsets"]) % 3 == 0).all()
    assert np.diff(log["trajectory_offsets"]).max() == 12  # 13 leave no room for another round


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


@pytest.mark.parametrize("kind", ["the paper's", *DRAWN])
@pytest.mark.parametrize(("num_threads", "chunk_size"), [(1, 1), (2, 7), (3, 64)])
def test_episodes_do_not_depend_on_threads_or_chunks(kind, num_threads, chunk_size):
    model = make_model(DRAWN.get(kind, SPEC))
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
