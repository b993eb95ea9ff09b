"""Laws of in-sample cooperative solvers: no step lowers the objective, and two methods that are one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from coffee_fast.regularized import CommonPayoffGame, alberdice, inspo


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
