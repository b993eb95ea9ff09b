"""The file of a training under way: written now and then, trusted only if it is whole and of this training."""

from dataclasses import replace

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import CheckpointError
from coffee_fast.responses import ResponseObjective, ResponseRequest, checkpoint, from_config
from coffee_fast.responses.checkpoint import ResponseCheckpoint

SIZES = {"hidden_sizes": (8,), "num_steps": 600, "replay_capacity": 60, "min_replay": 40, "batch_size": 16}
GAME = cf.load_game("generalized_bargaining")
UNIFORM = cf.Mixture((cf.UniformRandom(),), np.ones(1))


class Interrupted(Exception):
    pass


def interrupt_at(num_steps):
    def progress(_phase, done, _total, _figures):
        if done >= num_steps:
            raise Interrupted

    return progress


def bits(response):
    return b"".join(array.tobytes() for layer in response.policy.layers for array in layer)


def seed_determined(report):
    return {name: value for name, value in report.items() if not name.endswith("_s")}


@pytest.fixture(params=["ddqn", "ddqn_torch"])
def request_of_oracle(request, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN_WRITES", 0.0)
    oracle = from_config(SIZES | {"kind": request.param})
    file = tmp_path / "training.safetensors"
    return ResponseRequest(oracle, GAME, UNIFORM, ResponseObjective(1.0, 0.2), 3, 5.0, player=1, checkpoint=file)


@pytest.fixture
def half_trained(request_of_oracle):
    with pytest.raises(Interrupted):
        request_of_oracle.train(interrupt_at(300))
    return request_of_oracle


def test_goes_on_within_the_response_to_the_same_bits_and_report(half_trained):
    dones = []
    resumed = half_trained.train(lambda _, done, *rest: dones.append(done))
    assert 300 < dones[0] <= 300 + 2 * 32  # the next hundredth, of whole rounds
    whole = replace(half_trained, checkpoint=None).train()
    assert bits(resumed) == bits(whole)
    assert seed_determined(resumed.report) == seed_determined(whole.report)


def test_a_training_that_was_kept_at_its_end_is_not_repeated(request_of_oracle):
    first = request_of_oracle.train()
    dones = []
    again = request_of_oracle.train(lambda *call: dones.append(call))
    assert dones == []
    assert bits(again) == bits(first)
    assert seed_determined(again.report) == seed_determined(first.report)


def test_every_damaged_byte_is_noticed_or_means_nothing(half_trained):
    file = half_trained.checkpoint
    data, whole = file.read_bytes(), bits(replace(half_trained, checkpoint=None).train())
    places = [*range(0, 1200, 37), *np.linspace(1200, len(data) - 1, 60).astype(int)]
    noticed = 0
    for place in places:
        damaged = bytearray(data)
        damaged[place] ^= 1 << (place % 8)
        file.write_bytes(damaged)
        try:
            assert bits(half_trained.train()) == whole
        except CheckpointError as error:
            assert str(file) in str(error)
            noticed += 1
    assert noticed > 0.9 * len(places)


@pytest.mark.parametrize("length", [0, 7, 8, 100, 5000, -1])
def test_a_file_that_was_cut_off_is_refused(half_trained, length):
    file = half_trained.checkpoint
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(CheckpointError, match=r"training\.safetensors: is not a whole safetensors file"):
        half_trained.train()


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"seed": 4}, "seed is 3 there and 4 here"),
        ({"reward_scale": 4.0}, "reward_scale is 5.0 there and 4.0 here"),
        ({"player": 0}, "player is 1 there and 0 here"),
        ({"objective": ResponseObjective(1.0, 0.1)}, "objective.coverage_weight is 0.2 there and 0.1 here"),
        ({"opponents": cf.Mixture(UNIFORM.policies * 2, np.ones(2) / 2)}, "opponents.policies"),
        ({"dynamics": cf.load_game("generalized_bargaining", discount=0.5)}, "dynamics.spec.parameters.discount"),
    ],
)
def test_the_file_of_another_training_is_refused(half_trained, changes, difference):
    with pytest.raises(CheckpointError, match=rf"training\.safetensors: is of another training: {difference}"):
        replace(half_trained, **changes).train()


def test_the_file_of_another_oracle_or_of_none_is_refused(half_trained):
    other = replace(half_trained, oracle=replace(half_trained.oracle, learning_rate=0.5))
    with pytest.raises(CheckpointError, match=r"oracle\.learning_rate"):
        other.train()
    from coffee_fast import _files

    _files.write_tensors(half_trained.checkpoint, {"a": np.zeros(2)})
    with pytest.raises(CheckpointError, match=r"training\.safetensors: damaged"):
        half_trained.train()


def test_a_state_that_does_not_fit_is_refused_by_the_name_of_its_file(half_trained):
    class Smaller:
        def export_state(self):
            return {"actor.nothing": np.zeros(1)}

    ResponseCheckpoint(half_trained.checkpoint, half_trained.identity()).keep(Smaller())
    with pytest.raises(CheckpointError, match=r"training\.safetensors: the state of a training does not fit"):
        half_trained.train()


def test_a_short_training_writes_nothing(tmp_path):
    file = tmp_path / "training.safetensors"
    ResponseRequest(from_config(SIZES), GAME, UNIFORM, ResponseObjective(), 3, 5.0, checkpoint=file).train()
    assert list(tmp_path.iterdir()) == []
