"""The packed forward pass against its NumPy twin and against torch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from coffee_fast._core import Mlp
from coffee_fast._reference import mlp as reference

SHAPES = [(1, 1), (3, 2), (18, 250, 250, 15), (15, 250, 250, 131), (18, 250, 250, 2), (41, 200, 200, 109), (5, 300, 33)]


def random_layers(sizes, seed=0):
    rng = np.random.default_rng(seed)
    return [
        (
            (rng.normal(size=(outputs, inputs)) / np.sqrt(inputs)).astype(np.float32),
            rng.normal(size=outputs).astype(np.float32),
        )
        for inputs, outputs in itertools.pairwise(sizes)
    ]


def random_product_layers(num_inputs, widths, num_outputs, seed=0):
    rng = np.random.default_rng(seed)
    layers = []
    for rows in [2 * width for width in widths] + [num_outputs]:
        weights = rng.normal(size=(rows, num_inputs)) / np.sqrt(num_inputs)
        layers.append((weights.astype(np.float32), rng.normal(size=rows).astype(np.float32)))
        num_inputs += rows // 2
    return layers


def assert_close(actual, expected):
    scale = np.abs(expected).max(initial=1.0)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("batch_size", [0, 1, 2, 5, 14, 15, 64, 97, 200])
@pytest.mark.parametrize("sizes", SHAPES, ids=str)
def test_forward_is_the_twin_s(sizes, batch_size):
    layers = random_layers(sizes)
    inputs = np.random.default_rng(1).normal(size=(batch_size, sizes[0])).astype(np.float32)
    outputs = Mlp(layers).forward(inputs)
    assert outputs.dtype == np.float32
    assert outputs.shape == (batch_size, sizes[-1])
    assert_close(outputs, reference.forward(layers, inputs))


@pytest.mark.parametrize("batch_size", [0, 1, 7, 96, 1000])
@pytest.mark.parametrize("widths", [(), (1,), (5,), (64, 64), (128, 128), (31, 9), (17, 40, 23)], ids=str)
def test_products_are_the_twin_s(widths, batch_size):
    layers = random_product_layers(21, widths, 15)
    inputs = np.random.default_rng(1).normal(size=(batch_size, 21)).astype(np.float32)
    mlp = Mlp(layers, activation="product")
    assert_close(mlp.forward(inputs), reference.forward(layers, inputs, activation="product"))
    assert (mlp.input_size, mlp.output_size) == (21, 15)
    assert mlp.num_parameters == sum(weights.size + bias.size for weights, bias in layers)


@pytest.mark.parametrize("num_outputs", range(1, 36))
def test_every_width_of_the_last_panel(num_outputs):
    layers = random_layers((7, num_outputs + 3, num_outputs), seed=num_outputs)
    inputs = np.random.default_rng(2).normal(size=(31, 7)).astype(np.float32)
    mlp = Mlp(layers)
    for batch_size in range(1, 32):
        assert_close(mlp.forward(inputs[:batch_size]), reference.forward(layers, inputs[:batch_size]))


@pytest.mark.parametrize("width", range(1, 36))
def test_every_width_of_products(width):
    layers = random_product_layers(7, (width, width + 3), 4, seed=width)
    inputs = np.random.default_rng(2).normal(size=(31, 7)).astype(np.float32)
    mlp = Mlp(layers, activation="product")
    for batch_size in range(1, 32):
        expected = reference.forward(layers, inputs[:batch_size], activation="product")
        assert_close(mlp.forward(inputs[:batch_size]), expected)


@pytest.mark.parametrize("sizes", SHAPES, ids=str)
def test_forward_is_that_of_torch(sizes):
    torch.manual_seed(0)
    modules = [torch.nn.Linear(*pair) for pair in itertools.pairwise(sizes)]
    network = torch.nn.Sequential(*[m for linear in modules for m in (linear, torch.nn.ReLU())][:-1])
    inputs = torch.randn(70, sizes[0])
    with torch.inference_mode():
        expected = network(inputs).numpy()
    mlp = Mlp([(linear.weight.detach().numpy(), linear.bias.detach().numpy()) for linear in modules])
    assert_close(mlp.forward(inputs.numpy()), expected)
    assert mlp.num_parameters == sum(p.numel() for p in network.parameters())


def test_products_are_those_of_torch():
    layers = random_product_layers(21, (64, 40), 15)
    inputs = torch.randn(70, 21, generator=torch.Generator().manual_seed(0))
    values = inputs
    for weights, bias in layers[:-1]:
        first, second = torch.nn.functional.linear(values, torch.tensor(weights), torch.tensor(bias)).chunk(2, dim=1)
        values = torch.cat([first * second, values], dim=1)
    weights, bias = layers[-1]
    expected = torch.nn.functional.linear(values, torch.tensor(weights), torch.tensor(bias))
    assert_close(Mlp(layers, activation="product").forward(inputs.numpy()), expected.numpy())


def test_a_product_network_without_hidden_layers_is_linear():
    layers = random_layers((5, 19))
    inputs = np.random.default_rng(1).normal(size=(9, 5)).astype(np.float32)
    np.testing.assert_array_equal(Mlp(layers, activation="product").forward(inputs), Mlp(layers).forward(inputs))
