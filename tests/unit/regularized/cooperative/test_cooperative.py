"""InSPO and AlberDICE on XOR, three meeting points and Bridge: known values, limits, and what hard games end with."""

from functools import cache

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.data import bridge_log, xor_log
from coffee_fast.errors import DatasetError, InvalidArgumentError, InvalidGameError
from coffee_fast.games import Bridge
from coffee_fast.games.matrix import three_meeting_points
from coffee_fast.regularized import CommonPayoffGame, alberdice, clone_independently, clone_jointly, inspo
from coffee_fast.regularized.cooperative.flow_dual import FlowProblem

SOLVERS = [inspo, alberdice]
LOG_OF_TIES = {"action": [[0, 1], [1, 0]], "reward": [[1, 1], [1, 1]]}


@cache
def xor(name):
    return CommonPayoffGame.from_log(xor_log(name), num_actions=2)


@cache
def bridge(name):
    log = bridge_log(name, seed=0)
    return CommonPayoffGame.from_log(log, num_actions=5, floor=1e-6)


@cache
def rules():
    return Bridge()


def true_return(game, *policies):
    """Return of policies of the states of a log in Bridge itself; elsewhere both move at random."""
    everywhere = []
    for policy in policies:
        whole = np.full((324, *policy.shape[1:]), 1.0 / policy[0].size)
        whole[list(game.state_keys)] = policy
        everywhere.append(whole)
    return rules().expected_return(everywhere[0] if len(everywhere) == 1 else everywhere)


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize(("name", "value"), [("a", 1.0), ("b", 1.0), ("c", 0.99995), ("d", 0.99995)])
def test_xor_is_solved_from_every_log(solve, name, value):
    found = solve(xor(name), kl_weight=0.1)
    assert found.expected_return == pytest.approx(value, abs=1e-5)
    assert found.status == "converged"
    assert not found.was_perturbed
    np.testing.assert_allclose(found.gap, 0.0, atol=1e-9)
    np.testing.assert_allclose(found.residual, 0.0, atol=1e-6)


@pytest.mark.parametrize(("name", "value"), [("a", 1.0), ("b", 0.0), ("c", 2 / 9), ("d", 0.0)])
def test_players_of_xor_who_are_cloned_apart_miss_each_other(name, value):
    (first,), (second,) = clone_independently(xor(name))
    assert first @ np.array([[0, 1], [1, -2]]) @ second == pytest.approx(value, abs=0.03)


@pytest.mark.parametrize("solve", SOLVERS)
def test_a_heavy_weight_keeps_the_log_in_view(solve):
    found = solve(xor_log("c"), kl_weight=1.0)
    assert found.policies[1][0, 1] == pytest.approx(1 / (1 + (1707 / 1684) * np.exp(-1)), abs=1e-4)
    assert found.policies[1][0, 1] == pytest.approx(0.7284, abs=5e-5)


@pytest.mark.parametrize("solve", SOLVERS)
def test_ties_are_broken_by_the_seed_or_said_to_be_a_saddle(solve):
    stuck = solve(LOG_OF_TIES, perturbation=0.0)
    np.testing.assert_allclose(stuck.policies[0], 0.5, atol=1e-12)
    assert (stuck.status, stuck.was_perturbed) == ("saddle", False)
    mu = [[0.0, 0.5], [0.5, 0.0]]
    ends = [solve(CommonPayoffGame.from_arrays([[-1, 1], [1, -1]], mu), seed=seed) for seed in range(6)]
    assert all(end.was_perturbed and end.status == "converged" for end in ends)
    assert {end.policies[0].argmax() for end in ends} == {0, 1}
    assert all(end.expected_return == pytest.approx(1.0) for end in ends)
    assert solve(CommonPayoffGame.from_arrays([[0, 1], [1, -2]], mu)).expected_return == pytest.approx(1.0)


@pytest.mark.parametrize("solve", SOLVERS)
def test_a_maximum_that_is_the_behavior_itself_is_no_saddle(solve):
    found = solve(CommonPayoffGame.from_arrays(np.zeros((2, 3))), perturbation=0.0)
    assert (found.status, found.was_perturbed) == ("converged", False)
    np.testing.assert_allclose(found.policies[1], 1 / 3, atol=1e-12)


@pytest.mark.parametrize("m", [(0.6, 0.3, 0.1), (0.8, 0.15, 0.05)])
def test_annealed_entropy_leads_past_the_worse_meeting_points(m):
    game = CommonPayoffGame.from_arrays(three_meeting_points().payoffs[0], np.outer(m, m))
    assert inspo(game, kl_weight=1.0).expected_return == pytest.approx(5.0, abs=1e-8)
    spread = inspo(game, kl_weight=1.0, entropy_weight=10.0)
    assert spread.policies[0][0].argmax() == 2
    if m[0] == 0.6:
        assert spread.policies[0][0, 2] == pytest.approx(0.9175, abs=5e-5)
    annealed = inspo(game, kl_weight=1.0, entropy_weight=[10, 8, 6, 4, 2, 1, 0.5, 0.1, 0])
    assert annealed.expected_return == pytest.approx(20.0, abs=1e-12)
    assert annealed.smallest_gain > -1e-12


@pytest.mark.parametrize(("name", "apart", "together"), [("optimal", -3.3826, -1.26202), ("mix", -6.7399, None)])
def test_cloning_of_bridge(name, apart, together):
    game = bridge(name)
    assert true_return(game, *clone_independently(game)) == pytest.approx(apart, abs=0.12)
    if together is not None:
        assert true_return(game, clone_jointly(game)) == pytest.approx(together, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "kl_weight", "expected"),
    [("optimal", 0.01, -1.2378), ("mix", 0.01, -1.2373), ("optimal", 0.1, -1.2588), ("mix", 0.1, -1.2759)],
)
def test_inspo_crosses_the_bridge(name, kl_weight, expected):
    """Values of published episodes; ours are other draws of the same play."""
    found = inspo(bridge(name), kl_weight=kl_weight)
    assert true_return(bridge(name), *found.policies) == pytest.approx(expected, abs=3e-3)
    assert found.status == "converged"
    assert found.smallest_gain > -1e-12
    np.testing.assert_allclose(found.gap, 0.0, atol=1e-10)


@pytest.mark.parametrize(
    ("kl_weight", "expected"),
    [(1.0, -1.2617), (0.1, -1.2594), (0.03, -1.2559), (0.01, -1.2438), (np.geomspace(1.0, 0.01, 6), -1.2438)],
)
def test_alberdice_crosses_the_bridge(kl_weight, expected):
    found = alberdice(bridge("optimal"), kl_weight=kl_weight, max_iterations=6)
    assert true_return(bridge("optimal"), *found.policies) == pytest.approx(expected, abs=2.5e-3)
    np.testing.assert_allclose(found.gap, 0.0, atol=1e-7)
    np.testing.assert_allclose(found.flow_residual, 0.0, atol=1e-8)


def test_alberdice_on_a_mixed_log_needs_a_light_weight():
    heavy = alberdice(bridge("mix"), kl_weight=1.0, max_iterations=6)
    assert true_return(bridge("mix"), *heavy.policies) == pytest.approx(-7.265, abs=0.1)


def test_one_agent_alone_solves_its_flow():
    """The corrected shares d = d_D e^(e / alpha) of the log are the visits of the policy."""
    rng = np.random.default_rng(0)
    S, A, alpha = 4, 3, 0.3
    rewards, moves = rng.random((S, A)), rng.dirichlet(np.ones(S), size=(S, A))
    game = CommonPayoffGame.from_arrays(
        rewards, rng.dirichlet(np.ones(A), size=S), transitions=moves, initial=[1, 0, 0, 0], discount=0.9
    )
    found = alberdice(game, kl_weight=alpha)
    (policy,) = found.policies
    P = np.einsum("sa,sat->st", policy, moves)
    d = 0.1 * np.linalg.solve(np.eye(S) - 0.9 * P.T, game.initial)
    np.testing.assert_allclose(found.visits, d, atol=1e-10)
    assert found.flow_residual[0] < 1e-8
    share = game.state_share * 0.9
    value = (
        d[:, None]
        * policy
        * (rewards - alpha * np.log(d[:, None] * policy / share[:, None] / np.exp(game.log_behavior)))
    ).sum()
    assert found.value == pytest.approx(value, abs=1e-8)
    # No other policy is better: the gap is that of the dual, and random ones are worse.
    assert found.gap[0] < 1e-10


def test_without_a_future_one_agent_reweights_its_behavior():
    rng = np.random.default_rng(1)
    rewards, mu = rng.random((3, 4)), rng.dirichlet(np.ones(4), size=3)
    game = CommonPayoffGame.from_arrays(rewards, mu, initial=[0.2, 0.3, 0.5])
    expected = mu * np.exp(rewards / 0.5)
    for solve in SOLVERS:
        np.testing.assert_allclose(
            solve(game, kl_weight=0.5).policies[0], expected / expected.sum(axis=1, keepdims=True), atol=1e-7
        )


def test_inspo_of_one_agent_is_soft_value_iteration():
    rng = np.random.default_rng(2)
    S, A, alpha, beta, gamma = 4, 3, 0.2, 0.1, 0.9
    rewards, moves = rng.random((S, A)), rng.dirichlet(np.ones(S), size=(S, A))
    mu = rng.dirichlet(np.ones(A), size=S)
    game = CommonPayoffGame.from_arrays(rewards, mu, transitions=moves, initial=[1, 0, 0, 0], discount=gamma)
    V = np.zeros(S)
    for _ in range(600):
        scores = (rewards + gamma * moves @ V + alpha * np.log(mu)) / (alpha + beta)
        V = (alpha + beta) * np.log(np.exp(scores).sum(axis=1))
    found = inspo(game, kl_weight=alpha, entropy_weight=beta)
    np.testing.assert_allclose(found.policies[0], np.exp(scores - V[:, None] / (alpha + beta)), atol=1e-7)
    assert found.value == pytest.approx(V[0], abs=1e-10)


def test_the_flow_dual_beats_every_other_point():
    import scipy.sparse

    rng = np.random.default_rng(3)
    S, A = 3, 2
    moves = rng.dirichlet(np.ones(S + 1), size=S * A)[:, :S]
    problem = FlowProblem(
        rng.random((S, A)),
        np.log(0.8 * rng.dirichlet(np.ones(S * A)).reshape(S, A)),
        scipy.sparse.csr_array(moves),
        np.array([0.5, 0.5, 0.0]),
        0.95,
        0.2,
    )
    best = problem.solve(0.05)
    matrix, costs, log_d, linear = problem._arrays()
    for _ in range(50):
        nu = best.all_state_values + 0.1 * rng.standard_normal(S + 1)
        assert linear @ nu + 0.05 * np.log(np.exp(log_d + (costs + matrix @ nu) / 0.05).sum()) >= best.value - 1e-12
    assert best.flow_residual < 1e-9


def test_steps_of_a_finite_horizon_have_policies_of_their_own():
    """Two teammates may claim a prize of 3 in the last step, or 1 now and nothing later."""
    claims = np.zeros((2, 2, 1, 2, 2))
    claims[:, 0, 0, 1, 1], claims[:, 1, 0, 1, 1] = 1.0, 3.0
    moves = np.ones((2, 1, 2, 2, 1))
    moves[0, 0, 1, 1] = 0.0
    game = cf.TabularGame(claims, transitions=moves)
    for solve in SOLVERS:
        found = solve(game, kl_weight=0.05)
        assert [policy.shape for policy in found.policies] == [(2, 1, 2)] * 2
        assert found.policies[0][:, 0].argmax(axis=1).tolist() != [1, 1]
        assert found.policies[0][1, 0, 1] > 0.99
        assert found.smallest_gain > -1e-9


def test_what_is_unseen_costs_as_much_as_going_on_for_ever():
    """Ending an episode would else be the best of all where every step costs."""
    log = {"state": [0, 0, 0], "action": [[0], [1], [0]], "reward": [[-1], [-3], [-1]], "terminal": [0, 0, 1]}
    game = CommonPayoffGame.from_log(log, num_actions=3, discount=0.9)
    np.testing.assert_allclose(game.rewards[0], [-1.0, -3.0, -30.0])
    assert game.transitions.toarray().tolist() == [[0.5], [1.0], [0.0]]
    np.testing.assert_allclose(game.log_anchor[0, 2], 10 * game.log_behavior[0, 2])
    assert inspo(game, kl_weight=0.1).policies[0][0, 2] < 1e-6


def market_log(**changes):
    log = {
        "state": ["road", "market", "road", "market"],
        "action": [(0, 0), (0, 0), (1, 1), (1, 1)],
        "reward": [[0, 0], [5, 5], [0, 0], [10, 10]],
        "trajectory": [0, 0, 1, 1],
    }
    return {**log, **changes}


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize(("rewards", "best"), [((0, 5, 0, 10), 9.9), ((3, 5, 3, 10), 12.9), ((-1, -5, -1, -2), -2.98)])
def test_rewards_of_the_log_are_not_earned_over_and_over_outside_of_it(solve, rewards, best):
    found = solve(market_log(reward=np.repeat(np.array(rewards, dtype=float)[:, None], 2, axis=1)))
    assert found.expected_return == pytest.approx(best, abs=1e-6)
    assert found.unseen_probability < 1e-9
    assert found.status == "converged"
    assert found.about.startswith("the table of 4 logged steps, in which every player sees the state")


@pytest.mark.parametrize("solve", SOLVERS)
def test_a_finite_horizon_does_not_reward_leaving_the_log_either(solve):
    found = solve(cf.TabularGame.from_dataset(market_log()))
    assert found.expected_return == pytest.approx(9.9, abs=1e-6)
    assert found.unseen_probability < 1e-9


def test_play_that_leaves_the_log_is_not_called_converged():
    found = inspo(xor_log("b"), entropy_weight=10.0)
    assert found.unseen_probability > 0.4
    assert found.status == "off_log"


def with_one_tie(num_states, place):
    """XOR in one state, a clear best action of each player in the others."""
    rewards, behavior = np.zeros((num_states, 2, 2)), np.zeros((num_states, 2, 2))
    rewards[:, 1, 1], behavior[:, 1, 1], behavior[:, 0, 0] = 1.0, 0.5, 0.5
    rewards[place], behavior[place] = [[0, 1], [1, 0]], [[0, 0.5], [0.5, 0]]
    return rewards, behavior


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize(("num_states", "place"), [(2, 0), (2, 1), (3, 1), (5, 4), (5, 0)])
def test_a_tie_in_one_state_of_several_is_broken(solve, num_states, place):
    game = CommonPayoffGame.from_arrays(*with_one_tie(num_states, place), initial=np.full(num_states, 1 / num_states))
    found = solve(game)
    assert found.expected_return == pytest.approx(1.0, abs=1e-6)
    assert (found.status, found.was_perturbed) == ("converged", True)
    assert solve(game, perturbation=0.0).status == "saddle"


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize("share", [0.5, 0.4])
def test_a_tie_on_the_way_is_broken_wherever_the_search_began(solve, share):
    """Where the first state is no tie in the log the cloned behavior is not at rest, and the second still is one."""
    rewards, behavior = with_one_tie(3, 1)
    behavior[0] = [[1 - share, 0], [0, share]]
    moves = np.zeros((3, 2, 2, 3))
    moves[0, 1, 1, 1] = moves[1, 0, 1, 2] = moves[1, 1, 0, 2] = 1.0
    game = CommonPayoffGame.from_arrays(rewards, behavior, transitions=moves, initial=[1, 0, 0], discount=0.9)
    found = solve(game, kl_weight=0.01)
    assert found.expected_return == pytest.approx(1 + 0.9 + 0.81, abs=1e-4)
    assert found.status == "converged"


@pytest.mark.parametrize("solve", SOLVERS)
def test_the_status_follows_from_the_gap_and_not_from_a_lenient_tolerance(solve):
    found = solve(market_log(), tolerance=10.0)
    assert found.gap.max() > 1e-4
    assert found.status == "max_iterations"


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("solve", SOLVERS)
def test_units_of_reward_change_nothing(solve, scale):
    rewards, behavior = with_one_tie(2, 0)
    game = CommonPayoffGame.from_arrays(scale * rewards, behavior, initial=[0.5, 0.5])
    found = solve(game, kl_weight=0.1 * scale)
    assert found.expected_return == pytest.approx(scale, rel=1e-6)
    assert found.status == "converged"


def test_visits_that_lead_nowhere_are_passed_over():
    log = {"state": [0, 1, 0], "next_state": [1, 2, 0], "action": [[0], [0], [0]], "reward": [[1], [5], [0]],
           "trajectory": [0, 0, 1], "terminal": [0, 0, 1]}  # fmt: skip
    game = CommonPayoffGame.from_log(log)
    assert (game.state_keys, game.counts.tolist()) == ((0,), [[1]])


def bandit(**columns):
    return CommonPayoffGame.from_log({"action": [[0, 1], [1, 0]], "reward": [[1, 1], [1, 1]], **columns})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: inspo(LOG_OF_TIES, kl_weight=0.0), InvalidArgumentError, "kl_weight must be a finite number > 0"),
        (lambda: inspo(LOG_OF_TIES, kl_weight=[]), InvalidArgumentError, "got an empty one"),
        (lambda: inspo(LOG_OF_TIES, entropy_weight=-1.0), InvalidArgumentError, "entropy_weight must be .* >= 0"),
        (lambda: inspo(LOG_OF_TIES, kl_weight=[1, 2], entropy_weight=[1] * 3), InvalidArgumentError, "as many stages"),
        (lambda: inspo([[1, 2], [3, 4]]), InvalidArgumentError, "must be a CommonPayoffGame, .* got list"),
        (lambda: inspo(LOG_OF_TIES, discount=1.0), InvalidArgumentError, r"discount must lie in \[0, 1\)"),
        (lambda: inspo(bridge("optimal"), discount=0.5), InvalidArgumentError, "the game's own, 0.99"),
        (lambda: inspo(LOG_OF_TIES, max_iterations=0), InvalidArgumentError, "max_iterations must be an integer"),
        (lambda: alberdice(LOG_OF_TIES, end_share=1.0), InvalidArgumentError, r"end_share must lie in \(0, 1\)"),
        (lambda: bandit(reward=[[1, 1], [1, 2]]), InvalidGameError, "got 1 for player 0 and 2 for player 1"),
        (lambda: bandit(reward=[[1, 1], [1, np.nan]]), DatasetError, "reward must be finite, got nan in row 1"),
        (lambda: bandit(terminal=[0, 2]), DatasetError, "terminal must hold 0 or 1, got 2 in row 1"),
        (lambda: bandit(terminal=[0, 1, 1]), DatasetError, r"terminal must have shape \[2\], got \[3\]"),
        (lambda: CommonPayoffGame.from_arrays([[1.0, np.inf]]), InvalidGameError, r"must be finite, got inf at"),
        (lambda: CommonPayoffGame.from_arrays([[1.0, 2.0]], [[0.5, 0.6]]), InvalidGameError, "behavior must hold prob"),
        (lambda: CommonPayoffGame.from_arrays([[1.0, 2.0]], floor=0.5), InvalidArgumentError, "must lie below 1 / 2"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_running_out_of_sweeps_is_said():
    found = inspo(bridge("mix"), kl_weight=0.1, max_iterations=2)
    assert (found.status, found.num_iterations) == ("max_iterations", 2)
    assert found.residual.max() > 1e-6
