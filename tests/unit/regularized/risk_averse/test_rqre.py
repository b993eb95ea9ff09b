"""Least-squares value iteration with risk per action: stag hunts, tables, limits, doubt, refusals."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast._reference.action_risk import solve_action_risk
from coffee_fast.errors import DatasetError, InvalidArgumentError
from coffee_fast.regularized import gane, one_hot_features, rqe, rqre

STAG_HUNT = np.array([[4.0, 0.0], [2.0, 2.0]])


def hunt(temperature, risk_aversion, **options):
    options = {"damping": 0.5, "tolerance": 1e-10, "max_iterations": 300, **options}
    payoffs = [STAG_HUNT[None], STAG_HUNT.T[None]]
    return solve_action_risk(payoffs, np.full(2, temperature), np.full(2, risk_aversion), **options)


def random_log(seed=0, num_episodes=60, horizon=3, num_states=2, num_actions=(2, 3)):
    rng = np.random.default_rng(seed)
    size = num_episodes * horizon
    return {
        "state": rng.integers(num_states, size=size),
        "action": np.stack([rng.integers(n, size=size) for n in num_actions], axis=1),
        "reward": rng.normal(size=(size, len(num_actions))),
        "trajectory": np.repeat(np.arange(num_episodes), horizon),
    }


@pytest.mark.parametrize(
    ("temperature", "inverse_risk", "stag"),
    [(0.5, 2, 0.0192085), (0.5, 1, 0.0186507), (1, 1, 0.1349497), (2, 1, 0.3053783), (1, 5, 0.1907583)],
)
def test_stag_hunt(temperature, inverse_risk, stag):
    found = hunt(temperature, 1 / inverse_risk)
    assert found.converged.all()
    assert found.gap.max() < 1e-15
    np.testing.assert_allclose([x[0, 0] for x in found.mixtures], stag, atol=5e-8)


def test_neutral_hunters_stay_on_the_knife_edge():
    """Uniform play is an equilibrium without risk aversion, unstable at temperature 1: rounding must not decide."""
    for risk_aversion in (0.0, 1e-12):
        found = hunt(1.0, risk_aversion)
        np.testing.assert_allclose(found.mixtures[0], [[0.5, 0.5]], atol=1e-10)


def test_without_risk_aversion_it_is_the_logit_equilibrium():
    rng = np.random.default_rng(3)
    payoffs = [rng.normal(size=(3, 4)) for _ in range(2)]
    logit = gane(cf.PayoffTable.from_arrays(payoffs), kl_weight=1.0)
    for risk_aversion in (0.0, 1e-9):
        found = solve_action_risk(
            [u[None] for u in payoffs],
            np.ones(2),
            np.full(2, risk_aversion),
            damping=0.5,
            tolerance=1e-9,
            max_iterations=300,
        )
        for x, y in zip(found.mixtures, logit.mixtures, strict=True):
            np.testing.assert_allclose(x[0], y, atol=1e-6)


@pytest.mark.parametrize("risk_aversion", [0.0, 1.5])
def test_one_hot_features_are_backward_induction_on_the_tables_of_the_log(risk_aversion):
    log = random_log(num_episodes=150)
    table = cf.TabularGame.from_dataset(log)
    assert table.num_unseen == 0
    found = rqre(
        log, one_hot_features(2, (2, 3)), temperature=0.8, risk_aversion=risk_aversion, ridge=1e-10, tolerance=1e-10
    )
    assert found.status == "converged"
    values = np.zeros((2, 2))
    for step in reversed(range(3)):
        payoffs = table.rewards[:, step]
        if step < 2:
            payoffs = payoffs + np.einsum("sabt,nt->nsab", table.transitions[step], values)
        stage = solve_action_risk(
            list(payoffs), np.full(2, 0.8), np.full(2, risk_aversion), damping=0.5, tolerance=1e-10, max_iterations=100
        )
        values = stage.value.T
        for x, y in zip(found.solve(step, [0, 1]).mixtures, stage.mixtures, strict=True):
            np.testing.assert_allclose(x, y, atol=1e-7)


def test_the_last_step_is_the_risk_averse_game_without_risk_aversion():
    log = {name: column[::3] for name, column in random_log(num_episodes=40).items() if name != "trajectory"}
    table = cf.TabularGame.from_dataset(log)
    options = {"temperature": 0.8, "risk_aversion": 0.0}
    found = rqre(log, one_hot_features(2, (2, 3)), ridge=1e-10, tolerance=1e-10, **options)
    stage = rqe(table, regularizer="entropy", unseen_value=0.0, **options)
    for x, policy in zip(found.solve(0, [0, 1]).mixtures, stage.policies, strict=True):
        np.testing.assert_allclose(x, policy[0], atol=1e-7)


def test_doubt_shrinks_with_the_root_of_visits():
    for visits in (1, 4, 100):
        log = {"state": np.zeros(visits), "action": np.zeros((visits, 2)), "reward": np.ones((visits, 2))}
        found = rqre(log, one_hot_features(1, (2, 2)), num_actions=2, ridge=1e-9, bonus=-0.5, temperature=1.0)
        np.testing.assert_allclose(found.game.uncertainty(0, [0], [[0, 0]]), visits**-0.5, rtol=1e-6)
        np.testing.assert_allclose(found.game.payoffs(0, [0])[0][0, 0, 0], 1 - 0.5 * visits**-0.5, rtol=1e-6)
    bounded = rqre(log, one_hot_features(1, (2, 2)), num_actions=2, bonus=9.0, reward_bound=1.0, temperature=1.0)
    assert max(q.max() for q in bounded.game.payoffs(0, [0])) == 1.0


def test_few_features_speak_for_states_never_seen():
    rng = np.random.default_rng(1)
    state, action = rng.uniform(size=400), rng.integers(2, size=(400, 2))
    reward = np.stack([state * (action[:, 0] == action[:, 1])] * 2, axis=1)

    def features(states, actions):
        agree = (actions[:, 0] == actions[:, 1]).astype(float)
        return np.stack([np.ones(len(actions)), agree, states * agree], axis=1)

    found = rqre({"state": state, "action": action, "reward": reward}, features, ridge=1e-6)
    np.testing.assert_allclose(found.game.payoffs(0, [2.0])[0], [[[2, 0], [0, 2]]], atol=1e-4)


def test_games_that_circle_end_with_less_damping_or_a_status():
    pennies = [np.array([[[9.0, 0], [0, 1]]]), np.array([[[0, 1.0], [1, 0]]])]
    weights = np.full(2, 0.5), np.zeros(2)
    found = solve_action_risk(pennies, *weights, damping=1.0, tolerance=1e-8, max_iterations=2000)
    assert found.converged.all()
    short = solve_action_risk(pennies, *weights, damping=1.0, tolerance=1e-8, max_iterations=3)
    assert not short.converged.any()
    assert short.gap.max() > 0
    log = {"state": [0] * 4, "action": [[0, 0], [0, 1], [1, 0], [1, 1]], "reward": [[9, 0], [0, 1], [0, 1], [1, 0]]}
    features = one_hot_features(1, (2, 2))
    stuck = rqre(log, features, temperature=0.05, risk_aversion=0, damping=1.0, max_iterations=3)
    assert stuck.status == "max_iterations"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"ridge": 0.0}, InvalidArgumentError, "rqre: ridge"),
        ({"damping": 1.5}, InvalidArgumentError, "rqre: damping must be at most 1"),
        ({"temperature": 0.0}, InvalidArgumentError, "rqre: temperature"),
        ({"risk_aversion": -1.0}, InvalidArgumentError, "rqre: risk_aversion must be >= 0"),
        ({"bonus": float("nan")}, InvalidArgumentError, "rqre: bonus"),
        ({"features": lambda s, a: np.ones(len(a))}, InvalidArgumentError, r"features must return shape \[180, d\]"),
        ({"features": lambda s, a: np.full((len(a), 2), np.nan)}, InvalidArgumentError, "features must be finite"),
        ({"log": {"state": [0]}}, DatasetError, "rqre: column 'action' is missing"),
        ({"log": random_log() | {"wage": 1}}, DatasetError, "there is no column 'wage'"),
        ({"log": random_log() | {"state": [0]}}, DatasetError, r"state must have shape \[180\]"),
        ({"num_actions": 1}, DatasetError, "rqre: actions of player 0 must lie below num_actions 1"),
        ({"log": 3}, InvalidArgumentError, "log must be a mapping of arrays, got int"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(change, error, message):
    arguments = {"log": random_log(), "features": one_hot_features(2, (2, 3)), **change}
    with pytest.raises(error, match=message):
        rqre(**arguments)
