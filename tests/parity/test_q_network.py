"""QNetwork against its NumPy twin, against torch, and against itself in every instruction set."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _core
from coffee_fast._reference import q_network as reference

Part = _core.QNetwork.Part
PAPER = (41, 200, 200, 109)
SHAPES = [PAPER, (3, 5, 2), (7, 16, 33), (10, 20, 40, 30, 6)]


def random_layers(sizes, rng):
    return [
        (
            (rng.normal(size=(outputs, inputs)) / np.sqrt(inputs)).astype(np.float32),
            (0.1 * rng.normal(size=outputs)).astype(np.float32),
        )
        for inputs, outputs in itertools.pairwise(sizes)
    ]


def random_batch(sizes, batch_size, rng):
    num_inputs, num_actions = sizes[0], sizes[-1]
    masks = (rng.random((batch_size, num_actions)) < 0.3).astype(np.uint8)
    masks[np.arange(batch_size), rng.integers(num_actions, size=batch_size)] = 1
    return reference.TransitionBatch(
        rng.normal(size=(batch_size, num_inputs)).astype(np.float32),
        rng.integers(num_actions, size=batch_size).astype(np.int32),
        rng.normal(size=batch_size).astype(np.float32),
        rng.normal(size=(batch_size, num_inputs)).astype(np.float32),
        (rng.random(batch_size) < 0.25).astype(np.uint8),
        masks,
    )


def step(network, batch):
    return network.gradient_step(
        batch.information_states,
        batch.actions,
        batch.rewards,
        batch.next_information_states,
        batch.is_final,
        batch.next_legal_masks,
    )


def copies(layers, dtype=np.float32):
    return [(weights.astype(dtype), bias.astype(dtype)) for weights, bias in layers]


def zeros(layers, dtype=np.float32):
    return [(np.zeros_like(weights, dtype), np.zeros_like(bias, dtype)) for weights, bias in layers]


def assert_layers_close(found, expected, tolerance):
    for pair_found, pair_expected in zip(found, expected, strict=True):
        for value, other in zip(pair_found, pair_expected, strict=True):
            np.testing.assert_allclose(value, other, rtol=tolerance, atol=tolerance * max(1e-30, np.abs(other).max()))


@pytest.mark.parametrize("sizes", SHAPES, ids=str)
@pytest.mark.parametrize("batch_size", [1, 7, 64, 65])
def test_gradient_steps_equal_the_twins(sizes, batch_size):
    rng = np.random.default_rng(batch_size)
    online, target = random_layers(sizes, rng), random_layers(sizes, rng)
    network = _core.QNetwork(online, target, 0.9, 1e-3)
    # The twin runs in double precision: its rounding is out of the comparison.
    twin, state = copies(online, np.float64), reference.AdamState(zeros(online, np.float64), zeros(online, np.float64))
    for index in range(3):
        batch = random_batch(sizes, batch_size, rng)
        expected = reference.gradient_step(twin, copies(target, np.float64), state, batch, 0.9, 1e-3)
        assert step(network, batch) == pytest.approx(expected, rel=1e-4)
        assert network.num_steps == index + 1
    assert_layers_close(network.read(Part.first_moment), state.first, 2e-4)
    assert_layers_close(network.read(Part.second_moment), state.second, 4e-4)
    assert_layers_close(network.read(Part.target), target, 0)


def test_gradient_of_the_twin_is_the_slope_of_its_loss():
    rng = np.random.default_rng(5)
    sizes = (3, 6, 4)
    online, target = copies(random_layers(sizes, rng), np.float64), copies(random_layers(sizes, rng), np.float64)
    batch = random_batch(sizes, 9, rng)
    y = reference.targets(online, target, batch, 0.9)

    def loss():
        values = reference.forward(online, batch.information_states)[-1][np.arange(9), batch.actions]
        return np.mean((values - y) ** 2)

    _, gradients = reference.gradient(online, target, batch, 0.9)
    for layer, layer_gradient in zip(online, gradients, strict=True):
        for parameter, slopes in zip(layer, layer_gradient, strict=True):
            index = tuple(rng.integers(size) for size in parameter.shape)
            before = parameter[index]
            parameter[index] = before + 1e-6
            high = loss()
            parameter[index] = before - 1e-6
            low = loss()
            parameter[index] = before
            assert slopes[index] == pytest.approx((high - low) / 2e-6, abs=1e-6)


def test_one_step_equals_torch_within_1e5():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    online, target, batch = random_layers(PAPER, rng), random_layers(PAPER, rng), random_batch(PAPER, 64, rng)
    network = _core.QNetwork(online, target, 0.99, 1e-4)
    parameters = [torch.tensor(value, requires_grad=True) for layer in online for value in layer]

    def forward(values, inputs):
        for index in range(0, len(values) - 2, 2):
            inputs = torch.relu(torch.nn.functional.linear(inputs, values[index], values[index + 1]))
        return torch.nn.functional.linear(inputs, values[-2], values[-1])

    frozen = [torch.from_numpy(value) for layer in target for value in layer]
    optimizer = torch.optim.Adam(parameters, lr=1e-4)
    with torch.no_grad():
        next_states = torch.from_numpy(batch.next_information_states)
        legal = torch.from_numpy(batch.next_legal_masks != 0)
        best = forward(parameters, next_states).masked_fill(~legal, -torch.inf).argmax(1, keepdim=True)
        bootstrap = forward(frozen, next_states).gather(1, best)[:, 0]
        y = torch.from_numpy(batch.rewards) + 0.99 * torch.from_numpy(1.0 - batch.is_final).float() * bootstrap
    actions = torch.from_numpy(batch.actions.astype(np.int64))[:, None]
    loss = ((forward(parameters, torch.from_numpy(batch.information_states)).gather(1, actions)[:, 0] - y) ** 2).mean()
    loss.backward()
    optimizer.step()

    assert step(network, batch) == pytest.approx(loss.item(), rel=1e-5)
    found = [value for layer in network.read(Part.online) for value in layer]
    for value, parameter in zip(found, parameters, strict=True):
        np.testing.assert_allclose(value, parameter.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_final_transitions_do_not_look_at_the_next_state():
    rng = np.random.default_rng(1)
    online, target, batch = random_layers(PAPER, rng), random_layers(PAPER, rng), random_batch(PAPER, 16, rng)
    networks = [_core.QNetwork(online, target) for _ in range(2)]
    step(networks[0], batch)
    batch.next_information_states[batch.is_final == 1] = np.nan
    batch.next_legal_masks[batch.is_final == 1] = 0
    step(networks[1], batch)
    assert_layers_close(networks[0].read(Part.online), networks[1].read(Part.online), 0)


def test_illegal_actions_are_never_bootstrapped():
    """The online value of an illegal action may be anything; it must not be chosen at the next state."""
    online = [
        (np.eye(2, dtype=np.float32), np.zeros(2, np.float32)),
        (np.zeros((3, 2), np.float32), np.zeros(3, np.float32)),
    ]
    target = copies(online)
    online[1][1][:] = [1e30, 1.0, 0.0]
    target[1][1][:] = [1e30, 5.0, 7.0]
    batch = reference.TransitionBatch(
        np.ones((1, 2), np.float32),
        np.array([2], np.int32),
        np.zeros(1, np.float32),
        np.ones((1, 2), np.float32),
        np.zeros(1, np.uint8),
        np.array([[0, 1, 1]], np.uint8),
    )
    assert step(_core.QNetwork(online, target, 1.0), batch) == pytest.approx(25.0)


def test_parts_survive_a_round_trip_and_training_goes_on_bit_identically():
    rng = np.random.default_rng(2)
    online, target = random_layers(PAPER, rng), random_layers(PAPER, rng)
    first = _core.QNetwork(online, target)
    batches = [random_batch(PAPER, 64, rng) for _ in range(4)]
    for batch in batches[:2]:
        step(first, batch)
    second = _core.QNetwork(online, online)
    for part in (Part.online, Part.target, Part.first_moment, Part.second_moment):
        second.write(part, first.read(part))
    second.num_steps = first.num_steps
    for batch in batches[2:]:
        assert step(first, batch) == step(second, batch)
    assert_layers_close(first.read(Part.online), second.read(Part.online), 0)


def test_copy_to_target():
    rng = np.random.default_rng(3)
    network = _core.QNetwork(random_layers(PAPER, rng), random_layers(PAPER, rng))
    network.copy_to_target()
    assert_layers_close(network.read(Part.target), network.read(Part.online), 0)


PROGRAM = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from test_q_network import PAPER, Part, _core, random_batch, random_layers, step
rng = np.random.default_rng(4)
network = _core.QNetwork(random_layers(PAPER, rng), random_layers(PAPER, rng))
for _ in range(5):
    step(network, random_batch(PAPER, 64, rng))
print(hashlib.sha256(b"".join(v.tobytes() for l in network.read(Part.online) for v in l)).hexdigest())
"""


def test_avx2_and_avx512_give_the_same_bits():
    if _core.build_info()["isa"] != "avx512":
        pytest.skip("this processor has no AVX-512")
    digests = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM, os.path.dirname(__file__)],
            env={**os.environ, "COFFEE_FAST_ISA": isa},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for isa in ("avx2", "avx512")
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("actions", np.full(4, 109, np.int32), r"actions\[0\] must lie in \[0, 109\), got 109"),
        ("rewards", np.zeros(3, np.float32), "rewards and is_final must have 4 elements, got 3"),
        ("information_states", np.zeros((4, 40), np.float32), r"must have shape \[4, 41\], got \[4, 40\]"),
        ("next_legal_masks", np.zeros((4, 109), np.uint8), "must allow an action"),
    ],
)
def test_a_malformed_batch_is_refused(field, value, message):
    rng = np.random.default_rng(6)
    network = _core.QNetwork(random_layers(PAPER, rng), random_layers(PAPER, rng))
    batch = random_batch(PAPER, 4, rng)
    batch.is_final[:] = 0
    setattr(batch, field, value)
    with pytest.raises(cf.InvalidArgumentError, match=message):
        step(network, batch)


def test_networks_of_other_shapes_are_refused():
    rng = np.random.default_rng(7)
    with pytest.raises(cf.InvalidArgumentError, match="target"):
        _core.QNetwork(random_layers(PAPER, rng), random_layers((41, 200, 100, 109), rng))
    with pytest.raises(cf.InvalidArgumentError, match="hidden layer"):
        _core.QNetwork(random_layers((4, 2), rng), random_layers((4, 2), rng))
