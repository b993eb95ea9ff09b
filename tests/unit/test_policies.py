"""Policies and mixtures as a user writes them, and what is wrong with some."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.policies import as_mixture, as_players

UNIFORM = cf.UniformRandom()


def layer(inputs, outputs, value=0.0):
    return np.full((outputs, inputs), value, np.float32), np.zeros(outputs, np.float32)


@dataclass(frozen=True)
class Solved:
    mixture: cf.Mixture


def test_everything_that_can_be_played_is_a_mixture():
    network = cf.NetworkPolicy((layer(41, 109),))
    mixture = cf.Mixture((UNIFORM, network), np.array([0.25, 0.75]))
    assert as_mixture(mixture) is mixture
    assert as_mixture(Solved(mixture)) is mixture
    assert as_mixture(network).policies == (network,)
    assert as_mixture("uniform_random").policies == (UNIFORM,)
    assert [player.policies for player in as_players(["uniform_random", network], 2)] == [(UNIFORM,), (network,)]


def test_probabilities_are_scaled_to_sum_to_one_and_frozen():
    mixture = cf.Mixture((UNIFORM,) * 3, [0.2, 0.3, 0.5 + 5e-7])
    assert mixture.probabilities.sum() == pytest.approx(1.0, abs=1e-15)
    with pytest.raises(ValueError, match="read-only"):
        mixture.probabilities[0] = 1.0


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        ([0.5, 0.6], "must sum to 1, got 1.1"),
        ([0.0, 0.0], "must sum to 1, got 0"),
        ([1.5, -0.5], "must be nonnegative"),
        ([np.nan, 1.0], "must be nonnegative"),
        ([1.0], r"must have shape \[2\], .*, got \[1\]"),
        ([[0.5, 0.5]], r"must have shape \[2\], .*, got \[1, 2\]"),
        (["a", "b"], "must be numbers"),
        (None, "must"),
    ],
)
def test_impossible_probabilities(probabilities, message):
    with pytest.raises(InvalidArgumentError, match=f"Mixture: probabilities {message}"):
        cf.Mixture((UNIFORM, UNIFORM), probabilities)


def test_a_mixture_is_of_one_policy_or_more():
    with pytest.raises(InvalidArgumentError, match="at least one"):
        cf.Mixture((), [])
    with pytest.raises(InvalidArgumentError, match="policies must all be policies, got int"):
        cf.Mixture((3,), [1.0])


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((), "at least one layer"),
        ((layer(41, 5), layer(6, 109)), r"layer 1 must have shape \[109, 5\], got \[109, 6\]"),
        (((np.zeros(3), np.zeros(3)),), "layer 0 must have 2 axes"),
        ((layer(41, 109, np.nan),), "layer 0 must be finite"),
        ((layer(41, 109)[:1],), "layers must be pairs"),
        ((3,), "layers must be pairs"),
        (((["a"], [0.0]),), "layers must be pairs"),
    ],
)
def test_impossible_layers(layers, message):
    with pytest.raises(InvalidArgumentError, match=message):
        _ = cf.NetworkPolicy(layers).core


def test_impossible_kinds_and_temperatures():
    with pytest.raises(InvalidArgumentError, match="kind must be 'greedy' or 'softmax', got 'best'"):
        cf.NetworkPolicy((layer(41, 109),), kind="best")
    for temperature in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(InvalidArgumentError, match="temperature must be positive"):
            _ = cf.NetworkPolicy((layer(41, 109),), "softmax", temperature).core


@pytest.mark.parametrize(
    ("components", "weights", "message"),
    [
        ((UNIFORM, UNIFORM), (0.5, 0.6), "weights must sum to 1"),
        ((UNIFORM, UNIFORM), (1.5, -0.5), "weights must be nonnegative"),
        ((UNIFORM,), (0.5, 0.5), "weights must be one a component"),
        ((), (), "weights must be one a component"),
        ((cf.PerStepMixture((UNIFORM,), (1.0,)),), (1.0,), "must not be mixtures themselves"),
        ((3,), (1.0,), "components must all be policies, got int"),
    ],
)
def test_impossible_mixtures_per_step(components, weights, message):
    with pytest.raises(InvalidArgumentError, match=message):
        _ = cf.PerStepMixture(components, weights).core


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ("uniform_randm", "no policy 'uniform_randm'; did you mean 'uniform_random'"),
        ("greedy", "did you mean 'uniform_random'"),
        (None, "got NoneType"),
        (3, "got int"),
    ],
)
def test_what_is_no_strategy(strategy, message):
    with pytest.raises(InvalidArgumentError, match=message):
        as_mixture(strategy)


@pytest.mark.parametrize("policies", [["uniform_random"], ["uniform_random"] * 3, "uniform_random", 5, []])
def test_one_strategy_a_player(policies):
    with pytest.raises(InvalidArgumentError, match="policies must name one strategy a player, 2 in all, got"):
        as_players(policies, 2)
