import numpy as np
import pytest
from numpy.testing import assert_allclose

from coffee_fast import _core
from coffee_fast._reference.q_network import AdamState, forward
from coffee_fast._reference.trained_network import adam_step
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.responses._initial_weights import initial_layers


def twin_of(layers):
    copies = [(weights.copy(), bias.copy()) for weights, bias in layers]
    zeros = [[(np.zeros_like(w), np.zeros_like(b)) for w, b in layers] for _ in range(2)]
    return copies, AdamState(*zeros)


@pytest.mark.parametrize(
    ("sizes", "num_rows"),
    [
        ((5, 3), 1),
        ((41, 40, 33, 109), 300),
        ((7, 16, 1), 128),
        ((3, 20, 20, 20, 2), 129),
        ((1, 1, 1), 17),
        ((5, 272, 96, 3), 40),
    ],
)
def test_gradients_and_steps_are_the_twins(sizes, num_rows):
    rng = np.random.default_rng(1)
    layers = initial_layers(sizes, seed=4, init="torch")
    network = _core.TrainedNetwork(list(layers))
    twin, state = twin_of(layers)
    for _ in range(3):
        inputs = rng.normal(size=(num_rows, sizes[0])).astype(np.float32)
        slopes = (rng.normal(size=(num_rows, sizes[-1])) / num_rows).astype(np.float32)
        network.adam_step(inputs, slopes, 1e-3)
        wanted = adam_step(twin, state, inputs, slopes, 1e-3)
        for own, other in zip(network.gradient(), wanted, strict=True):
            for one, two in zip(own, other, strict=True):
                assert_allclose(one, two, rtol=1e-4, atol=1e-6)
    for own, other in zip(network.layers(), twin, strict=True):
        for one, two in zip(own, other, strict=True):
            assert_allclose(one, two, rtol=1e-4, atol=3e-5)


def test_gradient_is_that_of_the_loss():
    """Against differences of the loss itself, in double precision."""
    rng = np.random.default_rng(2)
    layers = [(w.astype(np.float64), b.astype(np.float64)) for w, b in initial_layers((3, 6, 2), 1, "torch")]
    inputs, slopes = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
    core = _core.TrainedNetwork([(w.astype(np.float32), b.astype(np.float32)) for w, b in layers])
    core.adam_step(inputs.astype(np.float32), slopes.astype(np.float32), 1e-3)
    found = core.gradient()
    for layer, arrays in enumerate(layers):
        for part, array in enumerate(arrays):
            for place in np.ndindex(array.shape):
                values = []
                for step in (1e-5, -1e-5):
                    array[place] += step
                    values.append((forward(layers, inputs)[-1] * slopes).sum())
                    array[place] -= step
                assert found[layer][part][place] == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-3, abs=1e-4)


def test_shapes_that_do_not_fit_are_refused():
    network = _core.TrainedNetwork(list(initial_layers((3, 4, 2), 1, "torch")))
    with pytest.raises(InvalidArgumentError, match=r"inputs must be \[B, 3\]"):
        network.adam_step(np.zeros((5, 4), np.float32), np.zeros((5, 2), np.float32), 1e-3)
    with pytest.raises(InvalidArgumentError, match=r"output_gradients \[B, 2\]"):
        network.adam_step(np.zeros((5, 3), np.float32), np.zeros((4, 2), np.float32), 1e-3)
    with pytest.raises(InvalidArgumentError, match="none was taken"):
        network.gradient()
