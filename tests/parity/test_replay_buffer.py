import numpy as np
import pytest

from coffee_fast import _core
from coffee_fast._reference import replay_buffer as reference
from coffee_fast.errors import InvalidArgumentError

NUM_FEATURES, NUM_ACTIONS = 5, 11


def random_transitions(count, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield (
            rng.normal(size=NUM_FEATURES).astype(np.float32),
            int(rng.integers(NUM_ACTIONS)),
            float(np.float32(rng.normal())),
            rng.normal(size=NUM_FEATURES).astype(np.float32),
            bool(rng.random() < 0.3),
            (rng.random(NUM_ACTIONS) < 0.5).astype(np.uint8),
        )


def filled(capacity, count):
    replay, twin = _core.ReplayBuffer(capacity, NUM_FEATURES, NUM_ACTIONS), reference.ReplayBuffer(capacity)
    for transition in random_transitions(count):
        replay.push(*transition)
        twin.push(*transition)
    return replay, twin


def assert_same(batch, expected):
    assert list(batch) == list(expected) == list(reference.FIELDS)
    for name, array in batch.items():
        assert array.dtype == expected[name].dtype
        np.testing.assert_array_equal(array, expected[name], err_msg=name)


@pytest.mark.parametrize(("capacity", "count"), [(40, 25), (40, 40), (40, 41), (40, 137), (1, 3)])
def test_batches_are_the_twins(capacity, count):
    replay, twin = filled(capacity, count)
    assert len(replay) == len(twin) == min(capacity, count)
    for batch_size in {1, min(16, len(twin)), len(twin)}:
        for draw_index in (0, 1, 2**40):
            assert_same(replay.sample(batch_size, 7, draw_index), twin.sample(batch_size, 7, draw_index))


def test_restored_buffer_goes_on_like_the_first():
    replay, twin = filled(40, 90)
    other = _core.ReplayBuffer(40, NUM_FEATURES, NUM_ACTIONS)
    other.restore(replay.export_state())
    for transition in random_transitions(15, seed=1):
        other.push(*transition)
        twin.push(*transition)
    assert_same(other.sample(20, 3, 4), twin.sample(20, 3, 4))


def test_what_does_not_fit_is_refused():
    replay, _ = filled(40, 10)
    with pytest.raises(InvalidArgumentError, match=r"transitions held \(10\), got 11"):
        replay.sample(11, 0, 0)
    state = replay.export_state()
    with pytest.raises(InvalidArgumentError, match=r"lacks 'replay\.rewards'"):
        replay.restore({name: array for name, array in state.items() if name != "replay.rewards"})
    with pytest.raises(InvalidArgumentError, match=r"'replay\.rewards' must be a C-contiguous array of dtype float32"):
        replay.restore(state | {"replay.rewards": state["replay.rewards"].astype(np.float64)})
    with pytest.raises(InvalidArgumentError, match="cannot hold 10 transitions"):
        replay.restore(state | {"replay.num_pushed": np.array([9], np.uint64)})
    with pytest.raises(TypeError):
        replay.push(np.zeros(NUM_FEATURES), 0, 0.0, np.zeros(NUM_FEATURES), False, np.ones(NUM_ACTIONS, np.uint8))
