"""Robust value decomposition: one state for ever, plain VDN, values that add up, worst models, and what does not."""

import numpy as np
import pytest
from tests.unit.regularized.robust.test_robust_games import play_values, random_game

import coffee_fast as cf
from coffee_fast.errors import InvalidArgumentError, InvalidGameError
from coffee_fast.regularized import robust_nash, robust_vdn


def team(seed=0):
    """A team of two whose rewards are sums of the players' parts and whose next state is the first player's doing."""
    game, rng = random_game((3, 2), seed=seed), np.random.default_rng(seed)
    rewards = rng.normal(size=(3, 3, 3, 1)) + rng.normal(size=(3, 3, 1, 2))
    moves = np.repeat(game.transitions[..., :1, :], 2, axis=3)
    return cf.TabularGame(np.stack([rewards, rewards]), moves, game.initial)


@pytest.mark.parametrize(("radius", "discount"), [(0.0, 0.9), (0.02, 0.8), (0.25, 0.95)])
def test_one_state_that_pays_one_for_ever(radius, discount):
    game = cf.TabularGame(np.ones((2, 1, 1, 2, 2)), np.ones((1, 1, 2, 2, 1)))
    options = {"distance": "contamination", "radius": radius, "discount": discount, "has_fail_state": True}
    found = robust_vdn(game, **options)
    assert found.team_values[0, 0] == pytest.approx(1.0 / (1.0 - discount * (1.0 - radius)), abs=1e-9)
    assert sum(q[0, 0, 0] for q in found.action_values) == pytest.approx(found.team_values[0, 0])
    assert found.status == "converged"


def test_without_fear_it_is_value_decomposition():
    game = team()
    found, following = robust_vdn(game, radius=0.0), np.zeros(3)
    for step in (2, 1, 0):
        q = game.rewards[0, step] + (game.transitions[step] @ following if step < 2 else 0.0)
        following = q.max(axis=(1, 2))
        np.testing.assert_allclose(found.team_values[step], following, atol=1e-9)
        greedy = [policy[step].argmax(axis=1) for policy in found.policies]
        assert np.array_equal(q.reshape(3, -1).argmax(axis=1), np.ravel_multi_index(greedy, (3, 2)))
    np.testing.assert_allclose(found.value[0], found.nominal_value[0])


@pytest.mark.parametrize(("distance", "strength"), [("total_variation", {"radius": 0.2}), ("kl", {"weight": 0.5})])
def test_where_values_add_up_apart_is_as_good_as_together(distance, strength):
    game = team()
    found = robust_vdn(game, distance=distance, **strength)
    assert np.nanmax(found.residual) < 1e-12
    assert found.status == "converged"
    np.testing.assert_allclose(found.team_values[0] @ game.initial, found.value, atol=1e-9)
    # The same team as one player who chooses for both.
    whole = cf.TabularGame(game.rewards[:1].reshape(1, 3, 3, 6), game.transitions.reshape(3, 3, 6, 3), game.initial)
    together = robust_nash(whole, distance=distance, **strength)
    np.testing.assert_allclose(found.value[0], together.value[0], atol=1e-9)


def test_no_kernel_of_the_set_is_worse_and_more_fear_is_worth_less():
    game, rng = team(), np.random.default_rng(1)
    found = robust_vdn(game, distance="contamination", radius=0.2)
    for _ in range(20):
        moves = 0.8 * game.transitions + 0.2 * rng.dirichlet(np.full(3, 0.2), size=game.transitions.shape[:-1])
        assert (play_values(game, found.policies, moves) >= found.value - 1e-10).all()
    values = [robust_vdn(game, radius=radius).value[0] for radius in (0.0, 0.1, 0.3, 1.0)]
    assert np.all(np.diff(values) < 0)


def test_what_does_not_add_up_is_said():
    meet = [[8.0, -12.0, -12.0], [-12.0, 0.0, 0.0], [-12.0, 0.0, 0.0]]  # best together, where a slip is punished
    found = robust_vdn(cf.TabularGame([[[meet]], [[meet]]]))
    assert found.status == "converged"
    assert found.value.tolist() == [0.0, 0.0]  # nobody can leave it alone
    assert found.residual[0, 0] > 1.0
    exclusive = [[0.0, 1.0], [1.0, -0.1]]
    found = robust_vdn(cf.TabularGame([[[exclusive]], [[exclusive]]]))
    assert (found.status, found.gap.tolist()) == ("not_additive", [1.0, 1.0])


def test_logs_are_learned_from_what_they_show():
    log = {"action": [[0, 0], [0, 1], [1, 0]], "reward": [[0, 0], [1, 1], [2, 2]]}
    with pytest.raises(InvalidGameError, match="1 cells are empty"):
        robust_vdn(log)
    found = robust_vdn(log, unseen_value=-5.0)
    assert [policy[0, 0].tolist() for policy in found.policies] == [[0.0, 1.0], [0.0, 1.0]]  # 2 + 1 - 0
    assert found.team_values[0, 0] == pytest.approx(3.0)
    assert (found.value[0], found.status) == (-5.0, "not_additive")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"game": random_game((2, 2))}, InvalidGameError, "all players must get the same reward"),
        ({"radius": -1.0}, InvalidArgumentError, "robust_vdn: radius must be a finite number >= 0"),
        ({"radius": [0.1, 0.2]}, InvalidArgumentError, "robust_vdn: radius must be a finite number >= 0"),
        ({"distance": "chi_squared"}, InvalidArgumentError, r"distance \(with a radius\) must be one of"),
        ({"discount": 0.9}, InvalidArgumentError, "discount needs a game of one step"),
        ({"has_fail_state": 1}, InvalidArgumentError, "has_fail_state must be True or False"),
    ],
)
def test_bad_arguments_are_refused_with_a_sentence(options, error, message):
    with pytest.raises(error, match=message):
        robust_vdn(**{"game": team(), **options})
