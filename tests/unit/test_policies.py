"""Policies and mixtures as a user writes them, and what is wrong with some."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import _core
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


def test_a_network_shows_its_sizes_and_not_its_weights():
    network = cf.NetworkPolicy([layer(41, 200), layer(200, 109)])
    assert repr(network) == "NetworkPolicy(41-200-109, greedy)"
    assert "softmax, temperature 0.5" in repr(cf.Mixture((cf.NetworkPolicy([layer(3, 2)], "softmax", 0.5),), [1.0]))


def test_impossible_kinds_and_temperatures():
    with pytest.raises(InvalidArgumentError, match="kind must be 'greedy' or 'softmax', got 'best'"):
        cf.NetworkPolicy((layer(41, 109),), kind="best")
    for temperature in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(InvalidArgumentError, match="temperature must be a finite number > 0"):
            _ = cf.NetworkPolicy((layer(41, 109),), "softmax", temperature).core


@pytest.mark.parametrize(
    ("components", "weights", "message"),
    [
        ((UNIFORM, UNIFORM), (0.5, 0.6), "weights must sum to 1"),
        ((UNIFORM, UNIFORM), (1.5, -0.5), "weights must be nonnegative"),
        ((UNIFORM,), (0.5, 0.5), r"weights must have shape \[1\], one a component and at least one, got \[2\]"),
        ((), (), "one a component and at least one"),
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
        ("greedy", "there is uniform_random"),
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


def draws(policy, features, mask, count=20_000):
    """How often the kernel plays each action at one decision."""
    rows = np.repeat(features[None], count, axis=0), np.repeat(mask[None], count, axis=0)
    return np.bincount(_core.choose_actions(policy.core, *rows, 5), minlength=len(mask)) / count


@pytest.fixture
def decisions(rng):
    """Four decisions: information states [4, 6] and legal masks [4, 5], one of them with a single legal action."""
    masks = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 0, 1], [0, 1, 1, 0, 0], [0, 0, 0, 1, 0]], np.uint8)
    return rng.normal(size=(4, 6)).astype(np.float32), masks


def networks(rng, **options):
    layers = [
        (rng.normal(size=s).astype(np.float32), rng.normal(size=s[0]).astype(np.float32)) for s in ((7, 6), (5, 7))
    ]
    return cf.NetworkPolicy(tuple(layers), **options)


def test_probabilities_of_a_greedy_policy_are_the_actions_of_the_kernel(rng, decisions):
    policy = networks(rng)
    features, masks = rng.normal(size=(500, 6)).astype(np.float32), rng.integers(2, size=(500, 5)).astype(np.uint8)
    masks[:, 2] = 1
    played = _core.choose_actions(policy.core, features, masks, 0)
    np.testing.assert_array_equal(policy.probabilities(features, masks), np.eye(5)[played])
    tied = cf.NetworkPolicy(((np.zeros((5, 6)), np.zeros(5)),))
    np.testing.assert_array_equal(tied.probabilities(*decisions).argmax(axis=1), [0, 0, 1, 3])


def test_probabilities_are_the_frequencies_of_the_kernel(rng, decisions):
    softmax = networks(rng, kind="softmax", temperature=0.7)
    greedy = networks(rng)
    policies = [UNIFORM, softmax, cf.PerStepMixture((greedy, softmax, UNIFORM), (0.2, 0.5, 0.3))]
    for policy in policies:
        probabilities = policy.probabilities(*decisions)
        assert (probabilities.shape, probabilities.dtype) == ((4, 5), np.float64)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-12)
        for row, (features, mask) in enumerate(zip(*decisions, strict=True)):
            frequencies = draws(policy, features, mask)
            np.testing.assert_allclose(probabilities[row], frequencies, atol=0.015)  # four standard errors
            assert ((frequencies > 0) <= (probabilities[row] > 0)).all()


def test_probabilities_of_an_illegal_action_are_zero_whatever_its_value():
    bias = np.array([0.0, 1e30, 1.0], np.float32)
    for kind in ("greedy", "softmax"):
        policy = cf.NetworkPolicy(((np.zeros((3, 1)), bias),), kind=kind)
        assert policy.probabilities([[0.0]], [[1, 0, 1]])[0, 1] == 0.0


@pytest.mark.parametrize(
    ("features", "masks", "message"),
    [
        (np.zeros((1, 5)), np.ones((1, 5)), r"information_states must have shape \[B, 6\], got \[1, 5\]"),
        (np.zeros(6), np.ones((1, 5)), r"information_states must have shape \[B, 6\], got \[6\]"),
        (np.zeros((1, 6)), np.ones((1, 4)), r"legal_masks must have shape \[B, 5\], got \[1, 4\]"),
        (np.zeros((2, 6)), np.ones((1, 5)), "legal_masks must have 2 rows, got 1"),
        (np.full((1, 6), np.nan), np.ones((1, 5)), r"information_states must be finite, got nan at \[0, 0\]"),
        (np.full((1, 6), 1e300), np.ones((1, 5)), "information_states must be finite, got inf"),
        (np.zeros((1, 6)), np.zeros((1, 5)), r"legal_masks\[0\] must allow an action"),
        (np.zeros((1, 6)), np.full((1, 5), 2), "legal_masks must be 0 and 1"),
        (np.zeros((1, 6)), [[0.5] * 5], "legal_masks must be 0 and 1"),
        (None, np.ones((1, 5)), "information_states must"),
        ("x", np.ones((1, 5)), "information_states must be numbers"),
        (np.zeros((1, 6)), None, "legal_masks must be 0 and 1"),
        (np.zeros((1, 6)), {}, "legal_masks must be 0 and 1"),
        ([[1, 2], [3]], np.ones((1, 5)), "information_states must be numbers"),
    ],
)
def test_impossible_decisions(rng, features, masks, message):
    with pytest.raises(InvalidArgumentError, match=f"NetworkPolicy.probabilities: {message}"):
        networks(rng).probabilities(features, masks)


def test_outputs_beyond_all_numbers_are_refused():
    huge = np.full((2, 1), 3e38, np.float32)
    with pytest.raises(cf.NumericalError, match="output for action 0 at decision 0 is inf"):
        cf.NetworkPolicy(((huge, np.zeros(2)),), kind="softmax").probabilities([[10.0]], [[1, 1]])


def test_policies_are_copied_and_pickled_after_play(rng, decisions):
    mixed = cf.PerStepMixture((networks(rng), UNIFORM), (0.5, 0.5))
    for original in (UNIFORM, networks(rng, kind="softmax"), mixed):
        expected = original.probabilities(*decisions)
        _ = original.core
        for again in (copy.deepcopy(original), pickle.loads(pickle.dumps(original))):
            np.testing.assert_array_equal(again.probabilities(*decisions), expected)
            assert isinstance(again.core, _core.Policy)


WRONG = [None, 1.5, "x", "x" * 10**6, [], {}, -1, 10**30, 10**5000, float("nan"), object(), [object()], [None], UNIFORM]
CALLS = {
    "layers": lambda value: cf.NetworkPolicy(value),
    "kind": lambda value: cf.NetworkPolicy((layer(2, 3),), kind=value),
    "temperature": lambda value: cf.NetworkPolicy((layer(2, 3),), "softmax", value).core,
    "components": lambda value: cf.PerStepMixture(value, (1.0,)),
    "weights": lambda value: cf.PerStepMixture((UNIFORM,), value),
    "policies": lambda value: cf.Mixture(value, [1.0]),
    "probabilities": lambda value: cf.Mixture((UNIFORM,), value),
    "information_states": lambda value: UNIFORM.probabilities(value, [[1, 1]]),
    "legal_masks": lambda value: UNIFORM.probabilities([[0.0]], value),
}
RIGHT = {"temperature": (1.5, 10**30)}


@pytest.mark.parametrize("value", WRONG, ids=lambda value: f"{type(value).__name__}")
@pytest.mark.parametrize("argument", CALLS)
def test_what_is_wrong_is_said_in_a_sentence(argument, value):
    if isinstance(value, float | int) and value in RIGHT.get(argument, ()):
        CALLS[argument](value)
        return
    with pytest.raises(cf.CoffeeError) as caught:
        CALLS[argument](value)
    assert len(str(caught.value)) < 500


def test_a_game_or_a_class_is_no_strategy():
    with pytest.raises(InvalidArgumentError, match="got GeneralizedBargaining"):
        as_mixture(cf.load_game("generalized_bargaining"))
    with pytest.raises(InvalidArgumentError, match="got the class UniformRandom"):
        as_mixture(cf.UniformRandom)
