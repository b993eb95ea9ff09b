"""The solvers that learn from minibatches: where they come to, by the exact figures of the log's game."""

import numpy as np
import pytest

from coffee_fast.data import bridge_log, xor_log
from coffee_fast.errors import InvalidArgumentError
from coffee_fast.games import Bridge
from coffee_fast.games.matrix import three_meeting_points
from coffee_fast.regularized import CommonPayoffGame, sampled_alberdice, sampled_inspo

SOLVERS = [sampled_inspo, sampled_alberdice]


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize("name", ["b", "c", "d"])
def test_xor_is_solved_from_minibatches(solve, name):
    found = solve(xor_log(name), num_sweeps=150, batch_size=32, seed=1)
    assert found.expected_return == pytest.approx(1.0, abs=0.02)
    np.testing.assert_allclose(found.gap, 0.0, atol=0.02)


def test_annealed_entropy_leads_past_the_worse_meeting_points():
    rng = np.random.default_rng(0)
    action = rng.choice(3, size=(3000, 2), p=[0.6, 0.3, 0.1])
    payoffs = three_meeting_points().payoffs[0]
    log = {"action": action, "reward": np.repeat(payoffs[action[:, 0], action[:, 1]][:, None], 2, axis=1)}
    settings = {"kl_weight": 1.0, "num_sweeps": 400, "batch_size": 256, "learning_rate": 0.3, "seed": 0}
    assert sampled_inspo(log, **settings).expected_return == pytest.approx(5.0, abs=0.1)
    annealed = sampled_inspo(log, entropy_weight=(10.0, 0.0), **settings)
    assert annealed.expected_return == pytest.approx(20.0, abs=0.1)


@pytest.mark.parametrize("solve", SOLVERS)
def test_bridge_is_crossed(solve):
    """Cloned apart, the agents return -3.38; who clones the log's joint play returns -1.262, the best -1.235."""
    log = bridge_log("optimal", seed=0)
    states = list(CommonPayoffGame.from_log(log, num_actions=5).state_keys)
    found = solve(log, num_sweeps=300, seed=1)
    everywhere = []
    for policy in found.policies:
        whole = np.full((324, 5), 0.2)
        whole[states] = policy
        everywhere.append(whole)
    assert Bridge().expected_return(everywhere) > -1.3
    assert (found.num_iterations, found.status) == (300, "max_iterations")


@pytest.mark.parametrize("solve", SOLVERS)
def test_the_seed_decides_and_no_action_is_played_that_the_log_lacks(solve):
    log = xor_log("b")
    same = [solve(log, num_actions=3, num_sweeps=5, seed=seed).policies for seed in (1, 1, 2)]
    np.testing.assert_array_equal(same[0][0], same[1][0])
    assert not np.array_equal(same[0][0], same[2][0])
    assert same[0][0][0, 2] == 0.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_sweeps": 0}, "num_sweeps must be an integer >= 1"),
        ({"batch_size": 0}, "batch_size must be an integer >= 1"),
        ({"learning_rate": 0.0}, "learning_rate must be a finite number > 0"),
        ({"kl_weight": (1.0, 0.0)}, "kl_weight must be a finite number > 0"),
        ({"seed": -1}, "seed must lie in"),
    ],
)
@pytest.mark.parametrize("solve", SOLVERS)
def test_bad_arguments_are_refused(solve, settings, message):
    with pytest.raises(InvalidArgumentError, match=message):
        solve(xor_log("b"), **settings)
