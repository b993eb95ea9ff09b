"""Entries that a compiled model settles against the twin: bit by bit, as they are copied, chosen or clamped."""

from __future__ import annotations

import numpy as np
import pytest

from coffee_fast import _core
from coffee_fast._reference.entry_kinds import EntryKinds

N, A, D, O, V, W, C = 2, 4, 6, 5, 3, 2, 3  # noqa: E741
M = N + 1
ACTIONS = np.random.default_rng(1).normal(size=(A, V)).astype(np.float32)
OUTCOMES = np.random.default_rng(2).normal(size=(C, W)).astype(np.float32)


def zeros(num_inputs: int, num_outputs: int) -> _core.Mlp:
    """A network that says nothing."""
    sizes = ((1, num_inputs), (num_outputs, 1))
    return _core.Mlp([(np.zeros(size, np.float32), np.zeros(size[0], np.float32)) for size in sizes])


def draw_kinds(rng: np.random.Generator, size: int, num_known: int, *, is_bounded: bool) -> EntryKinds:
    """Half of the entries predicted; some of none, some of one, some of several values, halves among them."""
    counts = rng.permutation(np.arange(size) % 4)
    values = [np.sort(rng.choice(np.arange(-4, 5), count, replace=False)) for count in counts]
    sources = np.where(rng.random((M, size)) < 0.5, -1, rng.integers(num_known, size=(M, size)))
    least = rng.uniform(-1.0, 0.0, size).astype(np.float32)
    return EntryKinds(
        sources.astype(np.int32),
        np.concatenate(values).astype(np.float32),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        *((least, least + np.float32(0.5)) if is_bounded else ()),
    )


def make_core(state: EntryKinds, observation: EntryKinds) -> _core.DynamicsEnsemble:
    """A model whose predictions are the state as it is, and observations of zeros."""
    nothing = np.zeros(0, np.float32)

    def arrays(kinds: EntryKinds) -> tuple[np.ndarray, ...]:
        bounds = [nothing if bound is None else bound for bound in (kinds.least, kinds.most)]
        return (kinds.sources, kinds.values, kinds.offsets, *bounds)

    K = D + V + N + W
    return _core.DynamicsEnsemble(
        num_players=N,
        history_start=O - V,
        max_episode_length=9,
        terminal_state_value=-1.0,
        terminal_threshold=0.5,
        reward_scale=1.0,
        disagreement="max_deviation",
        history_source="observations",
        delta=[zeros(K + M, D)],
        reward=[zeros(K, N)],
        shared=None,
        state_mean=np.zeros(D, np.float32),
        state_scale=np.ones(D, np.float32),
        action_mean=np.zeros(V, np.float32),
        action_scale=np.ones(V, np.float32),
        observation_mean=np.zeros(N * O, np.float32),
        observation_scale=np.ones(N * O, np.float32),
        action_vectors=ACTIONS,
        initial_states=np.zeros((1, D), np.float32),
        initial_observations=np.zeros((1, N * O), np.float32),
        initial_legal_masks=np.ones((1, A), np.uint8),
        initial_players=np.zeros(1, np.int32),
        end=[zeros(K, 1)],
        mover=[zeros(K, M)],
        chance=[zeros(D, C)],
        chance_inputs=OUTCOMES,
        chance_vectors=OUTCOMES,
        mask=zeros(O + N + D, A),
        view=zeros(O + N + 2 * M + V + W + D, O),
        state_entries=arrays(state),
        observation_entries=arrays(observation),
    )


def vectors(player: int, action: int) -> list[np.ndarray]:
    """Of the action and of the outcome; zeros for the one that there is not."""
    is_chance = player < 0
    return [ACTIONS[action] * (not is_chance), OUTCOMES[action % C] * is_chance]


@pytest.mark.parametrize("is_bounded", [False, True])
def test_next_states_are_settled(rng, is_bounded):
    """States lie on a grid of halves, so that many predictions are as near to one value as to the next."""
    kinds = draw_kinds(rng, D, D + V + W, is_bounded=is_bounded)
    core = make_core(kinds, draw_kinds(rng, N * O, O + D + V + W, is_bounded=False))
    states = rng.integers(-10, 11, size=(300, D)).astype(np.float32) / 2
    players = rng.integers(-1, N, size=300).astype(np.int32)
    actions = rng.integers(C, size=300).astype(np.int32)
    expected = states.copy()
    for state, player, action, entries in zip(states, players, actions, expected, strict=True):
        kinds.settle(player, 0, np.concatenate([state, *vectors(player, action)]), entries)
    np.testing.assert_array_equal(core.next_states(states, actions, players, np.zeros(300, np.int32)), expected)
    assert (expected != states).any(axis=0).all()


def test_observations_are_settled_seat_by_seat(rng):
    kinds = draw_kinds(rng, N * O, O + D + V + W, is_bounded=False)
    core = make_core(draw_kinds(rng, D, D + V + W, is_bounded=False), kinds)
    states = rng.normal(size=(40, D)).astype(np.float32)
    seen = rng.normal(size=(40, N * O)).astype(np.float32)
    players = np.stack([rng.integers(-1, N, size=40), np.zeros(40)], axis=1).astype(np.int32)
    actions = rng.integers(C, size=(40, 2)).astype(np.int32)
    masks = np.ones((40, A), np.uint8)
    followed = core.follow(np.arange(0, 81, 2), states, seen, masks, players.ravel(), actions.ravel())
    next_states = followed["states"][1::2]
    expected = np.zeros((40, N, O), np.float32)
    for row, (player, action) in enumerate(zip(players[:, 0], actions[:, 0], strict=True)):
        for seat in range(N):
            own = seen[row, seat * O : (seat + 1) * O]
            known = np.concatenate([own, next_states[row], *vectors(player, action)])
            kinds.settle(player, seat * O, known, expected[row, seat])
    np.testing.assert_array_equal(followed["observations"][1::2], expected)
