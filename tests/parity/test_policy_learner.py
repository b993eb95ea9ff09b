import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tests.parity.test_actor import CORE, NUM_ACTIONS, NUM_FEATURES, BargainingEpisode, random_ensemble, random_network

from coffee_fast import _core
from coffee_fast._reference import policy_learner as reference
from coffee_fast._reference.actor import choose_greedily, choose_uniformly
from coffee_fast._reference.experience import ExperienceOptions
from coffee_fast._reference.policy_loss import PolicyLoss
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.responses._initial_weights import initial_layers

SELF_PLAY = [[(0, 0, None), (1, 0, None)]]
OPTIONS = {"num_episodes": 30, "num_parallel_episodes": 8, "batch_size": 40, "num_epochs": 2, "reward_scale": 5.0}


def layers_of(seed, outputs, features=NUM_FEATURES):
    return [(w.copy(), b.copy()) for w, b in initial_layers((features, 24, outputs), seed, "torch")]


def make_learner(
    learning_seats=SELF_PLAY, num_networks=1, dynamics=CORE, opponents=None, reference_policy=None, **changes
):
    num_own = num_networks - len(changes.get("adversaries", ()))
    features, actions = dynamics.information_state_size, dynamics.num_actions
    uniform = _core.Policy.uniform_random()
    return _core.PolicyLearner(
        dynamics,
        [layers_of(10 + k, actions, features) for k in range(num_networks)],
        [layers_of(20 + k, 1, features) for k in range(num_networks)],
        learning_seats,
        opponents or [([uniform], [1.0])] * 2,
        [reference_policy or uniform] * num_own,
        **({"seed": 7} | OPTIONS | changes),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"update": "mirror_descent", "step_size": 0.3, "averaging": 0.8},
        {"learning_seats": [[(0, 0, None), (1, 1, None)]], "num_networks": 2, "kl_in_rewards": True, "gae_lambda": 0.7},
        {"learning_seats": [[(0, 0, None)], [(1, 0, None)]], "has_opponents": True, "has_reference": True},
        {
            "learning_seats": [[(0, 0, None)], [(1, 0, None)]],
            "has_opponents": True,
            "opponent_weights": [[0.5, 1.5], [1.75, 0.25]],
            "coverage_weight": 0.2,
            "uncertainty_penalty": 0.5,
        },
        {"coverage_weight": 0.4, "uncertainty_penalty": 1.0},
        {
            "learning_seats": [[(0, 0, None), (1, 1, 0)], [(1, 0, None), (0, 1, 1)]],
            "num_networks": 2,
            "adversaries": [(0, 0.7)],
        },
        {
            "learning_seats": [[(0, 0, None), (1, 3, 0)], [(1, 1, None), (0, 2, 1)]],
            "num_networks": 4,
            "adversaries": [(0, 0.3), (1, 2.0)],
            "has_reference": True,
            "update": "mirror_descent",
        },
    ],
)
def test_updates_are_the_twins(changes):
    changes = dict(changes)
    opponent_weights = changes.pop("opponent_weights", [])
    greedy, anchor = random_network(11), random_network(12)
    has_opponents, has_reference = changes.pop("has_opponents", False), changes.pop("has_reference", False)
    opponents = twin_opponents = None
    if has_opponents:
        policies = [_core.Policy.uniform_random(), _core.Policy.greedy(greedy)]
        opponents = [(policies, [0.5, 0.5])] * 2
        twin_opponents = [choose_uniformly, lambda s, m, _: choose_greedily(greedy.forward(s[None])[0], m)]
    learner = make_learner(
        opponents=opponents, reference_policy=_core.Policy.softmax(anchor, 2.0) if has_reference else None, **changes
    )
    seats, count = changes.get("learning_seats", SELF_PLAY), changes.get("num_networks", 1)
    networks = [
        reference.Network(
            layers_of(10 + k, NUM_ACTIONS),
            layers_of(20 + k, 1),
            (lambda states: anchor.forward(states) / np.float32(2.0)) if has_reference else None,
        )
        for k in range(count)
    ]
    choices = twin_opponents or [choose_uniformly]
    episodes = ExperienceOptions(
        7,
        seats,
        [(choices, np.full(len(choices), 1 / len(choices)))] * 2,
        changes.get("uncertainty_penalty", 0.0),
        changes.get("coverage_weight", 0.0),
    )
    loss = PolicyLoss(changes.get("update", "clipped"), step_size=changes.get("step_size", 1.0))
    options = reference.Options(
        30,
        40,
        2,
        loss,
        changes.get("gae_lambda", 1.0),
        changes.get("kl_in_rewards", False),
        5.0,
        changes.get("averaging", 0.0),
        changes.get("adversaries", ()),
    )
    twin = reference.PolicyLearner(BargainingEpisode, networks, episodes, options)
    for _ in range(3):
        found, wanted = (one.update(0.2, 1e-3, opponent_weights) for one in (learner, twin))
        for name, value in wanted.items():
            for one, two in (
                zip(found[name], value, strict=True) if isinstance(found[name], list) else [(found[name], value)]
            ):
                assert_allclose(one, two, rtol=2e-4, atol=1e-5, err_msg=name)
    for k, network in enumerate(networks):
        for own, other in (
            (learner.policy(k), network.policy),
            (learner.value(k), network.value),
            (learner.average(k), network.average),
        ):
            for arrays, twins in zip(own, other, strict=True):
                for one, two in zip(arrays, twins, strict=True):
                    assert_allclose(one, two, rtol=1e-3, atol=1e-4)


def test_what_the_learner_earns_is_counted_where_it_sits():
    alone = [make_learner([[(seat, 0, None)]], num_episodes=40).update(0.1, 1e-3) for seat in (0, 1)]
    for seat, figures in enumerate(alone):
        assert figures["learner_returns"][0] == figures["returns"][seat]
    of_both = make_learner(SELF_PLAY, num_episodes=40).update(0.1, 1e-3)
    assert of_both["learner_returns"][0] == pytest.approx(of_both["returns"].mean())


def states_of(learner, num_updates=3, **options):
    figures = [learner.update(0.1, 1e-3, **options) for _ in range(num_updates)]
    return learner.export_state(), figures


def assert_same(one, two):
    for (state, figures), (other_state, other_figures) in [(one, two)]:
        for name in state:
            assert_array_equal(state[name], other_state[name], err_msg=name)
        for own, other in zip(figures, other_figures, strict=True):
            for name in own.keys() - {"learning_s"}:
                assert_array_equal(own[name], other[name], err_msg=name)


@pytest.mark.parametrize("ensemble", [False, True])
def test_threads_and_lanes_change_no_bit(ensemble):
    changes = {"dynamics": random_ensemble(), "uncertainty_penalty": 0.5, "coverage_weight": 0.3} if ensemble else {}
    changes |= {"batch_size": 400, "num_episodes": 200}
    one = states_of(make_learner(**changes))
    assert_same(one, states_of(make_learner(**changes), num_threads=3))
    assert_same(one, states_of(make_learner(**changes | {"num_parallel_episodes": 200}), num_threads=2))
    assert_same(one, states_of(make_learner(**changes | {"num_parallel_episodes": 1})))


def test_a_restored_learner_goes_on_with_the_same_bits():
    learner = make_learner(averaging=0.5)
    states_of(learner, 2)
    middle = learner.export_state()
    rest = states_of(learner, 2)
    other = make_learner(averaging=0.5)
    other.restore(middle)
    assert other.num_updates == 2
    assert_same(rest, states_of(other, 2))


def test_what_does_not_fit_is_refused():
    with pytest.raises(InvalidArgumentError, match=r"seats in \[0, 2\), got 2"):
        make_learner(learning_seats=[[(2, 0, None)]])
    with pytest.raises(InvalidArgumentError, match=r"networks in \[0, 1\), got 1"):
        make_learner(learning_seats=[[(0, 1, None)]])
    with pytest.raises(InvalidArgumentError, match="named once"):
        make_learner(learning_seats=[[(0, 0, None), (0, 0, None)]])
    with pytest.raises(InvalidArgumentError, match="group of seats or more"):
        make_learner(learning_seats=[])
    with pytest.raises(InvalidArgumentError, match="softmax policies"):
        make_learner(reference_policy=_core.Policy.greedy(random_network(1)))
    with pytest.raises(InvalidArgumentError, match="update must be clipped or mirror_descent, got sgd"):
        make_learner(update="sgd")
    with pytest.raises(InvalidArgumentError, match=r"adversaries of seats in \[0, 2\), got 2"):
        make_learner(learning_seats=[[(0, 0, None), (1, 0, 2)]])
    with pytest.raises(InvalidArgumentError, match=r"drawn to networks in \[0, 1\), got 1"):
        make_learner(num_networks=2, adversaries=[(1, 1.0)])
    with pytest.raises(InvalidArgumentError, match="adversary's kl_weight must be positive, got 0"):
        make_learner(num_networks=2, adversaries=[(0, 0.0)])
    learner = make_learner()
    with pytest.raises(InvalidArgumentError, match="kl_weight must be at least 0"):
        learner.update(-1.0, 1e-3)
    with pytest.raises(InvalidArgumentError, match="opponent_weights must be one list a seat, 2, got 1"):
        learner.update(0.1, 1e-3, [[1.0]])
    with pytest.raises(InvalidArgumentError, match="one a policy of its mixture, 1, got 2"):
        learner.update(0.1, 1e-3, [[1.0], [1.0, 1.0]])
    with pytest.raises(InvalidArgumentError, match="finite numbers of at least 0, got nan"):
        learner.update(0.1, 1e-3, [[1.0], [float("nan")]])
    state = learner.export_state()
    with pytest.raises(InvalidArgumentError, match="lacks 'average.0'"):
        learner.restore({name: array for name, array in state.items() if name != "average.0"})
    with pytest.raises(InvalidArgumentError, match="must have"):
        learner.restore(state | {"policy.0.parameters": np.zeros(3, np.float32)})
