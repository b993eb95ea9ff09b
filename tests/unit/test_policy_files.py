"""Policies as arrays and words: taking apart and rebuilding is the identity, nonsense is refused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.policy_files import policy_arrays, policy_fingerprint, policy_from_arrays

UNIFORM = {"policy": "uniform_random"}


def network(rng, kind="greedy", temperature=1.0):
    sizes = ((5, 41), (109, 5))
    layers = tuple((rng.normal(size=s).astype(np.float32), rng.normal(size=s[0]).astype(np.float32)) for s in sizes)
    return cf.NetworkPolicy(layers, kind=kind, temperature=temperature)


@pytest.fixture
def policies(rng):
    greedy, softmax = network(rng), network(rng, "softmax", 0.3)
    return [cf.UniformRandom(), greedy, softmax, cf.PerStepMixture((softmax, cf.UniformRandom()), (0.8, 0.2))]


def test_taking_apart_and_rebuilding_is_the_identity(policies):
    game = cf.load_game("generalized_bargaining")
    for policy in policies:
        again = policy_from_arrays(*policy_arrays(policy))
        assert policy_arrays(again)[0] == policy_arrays(policy)[0]
        assert policy_fingerprint(again) == policy_fingerprint(policy)
        played = [cf.simulate(game, [p, p], num_episodes=100, seed=1).returns for p in (policy, again)]
        np.testing.assert_array_equal(*played)


def test_policies_that_play_differently_have_different_fingerprints(policies, rng):
    greedy = policies[1]
    (weight, bias), last = greedy.layers
    nudged = weight.copy()
    nudged[0, 0] = np.nextafter(nudged[0, 0], np.float32(9))
    others = [
        cf.NetworkPolicy(((nudged, bias), last)),
        cf.NetworkPolicy(greedy.layers, kind="softmax"),
        cf.NetworkPolicy(greedy.layers, kind="softmax", temperature=2.0),
    ]
    fingerprints = [policy_fingerprint(policy) for policy in [*policies, *others]]
    assert len(set(fingerprints)) == len(fingerprints)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({}, "unknown kind of policy None"),
        ({"policy": "oracle"}, "unknown kind of policy 'oracle'"),
        ({"policy": "network"}, "the field 'kind' is missing"),
        ({"policy": "network", "num_layers": 1, "kind": "greedy", "temperature": 1}, "lacks 'layer0.weight'"),
        ({"policy": "network", "num_layers": "2", "kind": "greedy", "temperature": 1}, "num_layers must be an integer"),
        ({"policy": "network", "num_layers": 0, "kind": "greedy", "temperature": 1}, "is malformed"),
        ({"policy": "network", "num_layers": 1, "kind": "greedy", "temperature": "1"}, "temperature must be a number"),
        (
            {"policy": "per_step_mixture", "weights": [1.0], "components": [{"policy": "uniform_random"}] * 2},
            "malformed",
        ),
        (None, "unknown kind of policy None"),
        (5, "unknown kind of policy 5"),
        ({"policy": "per_step_mixture", "weights": [1.0]}, "the field 'components' is missing"),
    ],
)
def test_descriptions_of_nothing_are_refused(description, message):
    with pytest.raises(cf.CheckpointError, match=message):
        policy_from_arrays(description, {})


def test_a_policy_of_ones_own_cannot_be_saved():
    @dataclass(frozen=True)
    class Own:
        core: object = None

    with pytest.raises(cf.InvalidArgumentError, match="to be saved, got Own"):
        policy_arrays(Own())
