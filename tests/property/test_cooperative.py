"""Laws of in-sample cooperative solvers: no step lowers the objective, and two methods that are one."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from coffee_fast.regularized import CommonPayoffGame, alberdice, inspo
from coffee_fast.regularized.cooperative.in_sample import joint_play
from coffee_fast.tabular.visits import state_transitions, visits


@st.composite
def common_payoff_games(draw, most_states=4):
    """A game with random rewards, behavior and moves that may end, of up to three players."""
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    S = draw(st.integers(1, most_states))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (S, *sizes)
    profiles = int(np.prod(sizes))
    behavior = rng.dirichlet(np.full(profiles, 0.5), size=S).reshape(shape)
    moves = rng.dirichlet(np.ones(S + 1), size=(S, profiles))[..., :S].reshape(*shape, S)
    return CommonPayoffGame.from_arrays(
        rng.normal(size=shape),
        behavior,
        transitions=moves,
        initial=rng.dirichlet(np.ones(S)),
        discount=draw(st.floats(0.0, 0.99)),
        floor=1e-6,
    )


@given(common_payoff_games(), st.floats(0.05, 2.0), st.floats(0.0, 1.0), st.booleans())
def test_no_step_of_inspo_lowers_the_objective(game, kl_weight, entropy_weight, has_random_order):
    found = inspo(
        game,
        kl_weight=kl_weight,
        entropy_weight=entropy_weight,
        has_random_order=has_random_order,
        max_iterations=200,
    )
    assert found.smallest_gain > -1e-9
    if found.status == "converged":
        np.testing.assert_allclose(found.gap, 0.0, atol=1e-6)
    for policy in found.policies:
        np.testing.assert_allclose(policy.sum(axis=-1), 1.0, atol=1e-12)


@settings(max_examples=25)
@given(common_payoff_games(), st.floats(0.1, 2.0))
def test_no_step_of_alberdice_lowers_the_objective(game, kl_weight):
    found = alberdice(game, kl_weight=kl_weight, max_iterations=20)
    assert found.smallest_gain > -1e-7
    np.testing.assert_allclose(found.flow_residual, 0.0, atol=1e-8)
    if found.status == "converged":
        np.testing.assert_allclose(found.gap, 0.0, atol=1e-5)


@settings(max_examples=40)
@given(st.lists(st.integers(2, 3), min_size=1, max_size=3), st.integers(0, 2**32 - 1), st.floats(0.1, 2.0))
def test_in_games_of_one_step_both_are_one(sizes, seed, kl_weight):
    rng = np.random.default_rng(seed)
    behavior = rng.dirichlet(np.ones(int(np.prod(sizes)))).reshape(sizes)
    game = CommonPayoffGame.from_arrays(rng.normal(size=sizes), behavior)
    for sweeps in (1, 3):
        first = inspo(game, kl_weight=kl_weight, max_iterations=sweeps)
        second = alberdice(game, kl_weight=kl_weight, max_iterations=sweeps)
        for x, y in zip(first.policies, second.policies, strict=True):
            np.testing.assert_allclose(x, y, atol=1e-8)
        np.testing.assert_allclose(first.value, second.value, atol=1e-8)


@st.composite
def random_logs(draw):
    """A few episodes in which up to three teammates got what depends on state and profile, on any scale."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes, S = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)), draw(st.integers(1, 3))
    lengths = draw(st.lists(st.integers(1, 3), min_size=2, max_size=5))
    scale, base = draw(st.sampled_from([1e-3, 1.0, 1e3])), draw(st.sampled_from([-2.0, 0.0, 2.0]))
    table = scale * (base + rng.normal(size=(S, *sizes)))
    state = rng.integers(S, size=sum(lengths))
    action = np.stack([rng.integers(size, size=len(state)) for size in sizes], axis=1)
    reward = np.repeat(table[(state, *action.T)][:, None], len(sizes), axis=1)
    trajectory = np.repeat(np.arange(len(lengths)), lengths)
    return {"trajectory": trajectory, "state": state, "action": action, "reward": reward}, scale


def best_return_within(game):
    """The best return of one profile a state, each seen there: no play of teammates within the log is better."""
    seen = [np.argwhere(counts > 0) for counts in game.counts]
    returns = []
    for profiles in itertools.product(*seen):
        cells = [np.ravel_multi_index((s, *profile), game.rewards.shape) for s, profile in enumerate(profiles)]
        moves = game.transitions.toarray()[cells]
        values = np.linalg.solve(np.eye(len(cells)) - game.discount * moves, game.rewards.ravel()[cells])
        returns.append(values @ game.initial)
    return max(returns)


@settings(max_examples=40)
@given(random_logs(), st.sampled_from([inspo, alberdice]))
def test_what_converged_stays_within_the_log_and_claims_no_more_than_it_holds(log_and_scale, solve):
    log, scale = log_and_scale
    game = CommonPayoffGame.from_log(log)
    found = solve(game, kl_weight=0.01 * scale)
    assert found.expected_return <= best_return_within(game) + 1e-4 * scale
    if found.status == "converged":
        joint = joint_play([policy.reshape(game.num_states, -1) for policy in found.policies])
        visited = visits(state_transitions(joint, game.transitions), game.initial, game.discount) > 1e-6
        assert (joint[visited][game.counts[visited] == 0] < 1e-4).all()
        assert found.unseen_probability <= 1e-6
