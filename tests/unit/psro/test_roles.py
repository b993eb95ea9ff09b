"""Two moves of unlike players: each role finds its own best strategy, and its own regret."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.unit.psro.test_seats import ORACLE, STRATEGIES, TwoMoves, plays

import coffee_fast as cf

CONFIG = cf.PSROConfig(num_iterations=2, num_simulations=60, response=ORACLE)


def unlike() -> TwoMoves:
    """Player 0 earns 2 by action 1, player 1 earns 1 by action 0; neither ever sits in the other's seat."""
    game = TwoMoves()
    game.spec = dataclasses.replace(game.spec, is_symmetric=False, player_names=("leader", "follower"))
    return game


@pytest.fixture(scope="module")
def result():
    return cf.coffee_psro(unlike(), CONFIG, seed=2)


def test_each_role_finds_its_own_best_strategy(result):
    assert [len(own) for own in result.strategies] == [3, 3]
    assert result.table.num_strategies == (3, 3)
    assert not result.table.is_symmetric
    solution = result.solve(cf.meta_solvers.Nash())
    played = cf.simulate(unlike(), solution, num_episodes=5, seed=1)
    np.testing.assert_array_equal(played.returns, [[2.0, 1.0]] * 5)
    assert [record.model_regret.shape for record in result.records] == [(2,)] * 3
    assert {name.split("/")[0] for name in result.records[1].response_report} == {"leader", "follower"}


def test_players_of_a_solution_are_found_by_seat_and_name(result):
    solution = result.solve()
    assert "leader plays" in repr(solution)
    assert "follower plays" in repr(solution)
    assert len(solution.mixtures) == 2
    for name in ("mixture", "policies", "probabilities"):
        with pytest.raises(cf.InvalidArgumentError, match=r"2 roles that play differently: take solution\.mixtures"):
            getattr(solution, name)
    assert "<table>" in solution._repr_html_()


def test_a_run_of_roles_is_kept_resumed_and_read_back(result, tmp_path):
    class Stop(Exception):
        pass

    def stop(phase, done, *_):
        if phase == "response" and (tmp_path / "run" / "iterations" / "0001").exists():
            raise Stop

    with pytest.raises(Stop):
        cf.coffee_psro(unlike(), CONFIG, 2, tmp_path / "run", progress=stop)
    again = cf.coffee_psro(unlike(), CONFIG, 2, tmp_path / "run", resume=True)
    assert again.fingerprint == result.fingerprint
    assert cf.psro.load_result(tmp_path / "run").fingerprint == result.fingerprint
    assert not list((tmp_path / "run").glob("response-*"))


def test_a_solution_of_roles_is_saved_read_and_exported(result, tmp_path):
    solution = result.solve()
    solution.save(tmp_path / "solution")
    again = cf.Solution.load(tmp_path / "solution")
    assert again.roles == (1, 1)
    assert again.spec == solution.spec
    for ours, theirs in zip(again.by_role, solution.by_role, strict=True):
        np.testing.assert_array_equal(ours.probabilities, theirs.probabilities)
    np.testing.assert_array_equal(again.table.payoffs(1), solution.table.payoffs(1))
    solution.export(tmp_path / "exported")
    files = {file.name for file in (tmp_path / "exported").iterdir()}
    assert {"solution.json", "role-0-strategy-1.npz", "role-1-strategy-2.npz"} <= files


def test_the_payoffs_of_roles_are_those_of_the_game():
    policies = list(STRATEGIES.values())
    game = cf.empirical.simulate_missing(cf.EmpiricalGame(1, (1, 1)), unlike(), [policies, policies], 3, seed=1)
    first = np.array([2.0 * pair[0] for pair in STRATEGIES])
    second = np.array([1.0 * (pair[1] == 0) for pair in STRATEGIES])
    table = game.table()
    np.testing.assert_array_equal(table.payoffs(0)[0], np.broadcast_to(first[:, None], (4, 4)))
    np.testing.assert_array_equal(table.payoffs(1)[0], np.broadcast_to(second[None], (4, 4)))
    assert game.counts.tolist() == [3] * 16


def test_a_profile_has_the_same_entry_whenever_it_is_asked_for():
    policies = [cf.UniformRandom(), *STRATEGIES.values()]
    whole = cf.empirical.simulate_missing(cf.EmpiricalGame(1, (1, 1)), unlike(), [policies] * 2, 50, seed=1)
    some = cf.empirical.simulate_missing(cf.EmpiricalGame(1, (1, 1)), unlike(), [policies[:2]] * 2, 50, seed=1)
    grown = cf.empirical.simulate_missing(some, unlike(), [policies] * 2, 50, seed=1, num_threads=3)
    for player in (0, 1):
        np.testing.assert_array_equal(grown.table().payoffs(player), whole.table().payoffs(player))


def test_true_regret_of_roles_is_each_role_s_own_gain():
    report = cf.true_regret(unlike(), "uniform_random", 1, response=ORACLE, num_simulations=400)
    np.testing.assert_allclose(report.regret, [1.0, 0.5], atol=0.15)
    np.testing.assert_allclose(report.debiased_regret, [1.0, 0.5], atol=0.15)
    assert report.deviations == ("best response 0", "best response 0")
    assert (report.regret_standard_error > 0).all()
    best = cf.true_regret(unlike(), [[plays(1, 1), plays(0, 0)]], 1, response=ORACLE, num_simulations=50)[0]
    np.testing.assert_array_equal(best.regret, [0.0, 0.0])
    assert best.deviations == ("none", "none")
    assert cf.RegretReport.from_json(report.to_json()).to_json() == report.to_json()


def test_a_second_judge_of_roles_only_adds_to_what_the_first_finds():
    second = cf.PolicyGradient(hidden_sizes=(8,), num_updates=5, num_episodes=40, batch_size=16)
    one, both = (
        cf.true_regret(unlike(), "uniform_random", 1, response=response, num_simulations=400)
        for response in (ORACLE, [ORACLE, second])
    )
    for role in (0, 1):
        assert both.strategy_names[role] == (*one.strategy_names[role], "best response 0 (policy_gradient)")
        np.testing.assert_array_equal(both.deviation_gains[role][:-1], one.deviation_gains[role])
    assert (both.regret >= one.regret).all()
    names = {name.rpartition("/")[0] for name in both.response_report}
    assert names == {"leader", "follower", "policy_gradient/leader", "policy_gradient/follower"}
    assert cf.RegretReport.from_json(both.to_json()).to_json() == both.to_json()


def test_strategies_must_be_given_for_each_role():
    game, policy = unlike(), cf.UniformRandom()
    for wrong in ([policy], [[policy]], [[policy], [policy, policy]], "uniform_random", None):
        with pytest.raises(cf.InvalidArgumentError, match="simulate_missing: strategies must be"):
            cf.empirical.simulate_missing(cf.EmpiricalGame(1, (1, 1)), game, wrong, 4, seed=1)
    with pytest.raises(cf.InvalidArgumentError, match=r"the roles of the dynamics, \[1, 1\] seats, got \[2\]"):
        cf.empirical.simulate_missing(cf.EmpiricalGame(1), game, [[policy]] * 2, 4, seed=1)
