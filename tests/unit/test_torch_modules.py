import itertools

import numpy as np
import pytest
import torch

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.responses import from_torch_module, to_torch_module


def network(*sizes, seed=0):
    torch.manual_seed(seed)
    modules = []
    for inputs, outputs in itertools.pairwise(sizes):
        modules += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def test_there_and_back_changes_no_bit():
    policy = from_torch_module(network(41, 30, 20, 109))
    again = from_torch_module(to_torch_module(policy))
    for pair, other in zip(policy.layers, again.layers, strict=True):
        for array, expected in zip(pair, other, strict=True):
            np.testing.assert_array_equal(array, expected)


def test_module_and_policy_compute_the_same_outputs():
    module = network(5, 8, 3)
    inputs = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    ours = cf._core.Mlp(list(from_torch_module(module).layers)).forward(inputs)
    np.testing.assert_allclose(ours, module(torch.from_numpy(inputs)).detach(), rtol=1e-5, atol=1e-6)


def test_neither_side_sees_later_changes_of_the_other():
    module = network(4, 3)
    policy = from_torch_module(module)
    before = policy.layers[0][0].copy()
    copy = to_torch_module(policy)
    with torch.no_grad():
        module[0].weight.zero_()
        copy[0].weight.zero_()
    np.testing.assert_array_equal(policy.layers[0][0], before)


def test_double_weights_become_single():
    assert from_torch_module(network(4, 3).double()).layers[0][0].dtype == np.float32


@pytest.mark.parametrize(
    "module",
    [
        torch.nn.ReLU(),
        torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU()),
        torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh(), torch.nn.Linear(2, 2)),
        torch.nn.Sequential(torch.nn.Linear(3, 2, bias=False)),
    ],
)
def test_other_networks_are_refused(module):
    with pytest.raises(InvalidArgumentError, match="Linear layers with ReLU between them, got"):
        from_torch_module(module)


def test_a_policy_without_a_network_is_refused():
    with pytest.raises(InvalidArgumentError, match="policy must be a NetworkPolicy, got UniformRandom"):
        to_torch_module(cf.UniformRandom())
