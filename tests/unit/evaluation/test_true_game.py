"""True-game regret: the arithmetic on known payoffs, then the whole of it on the bargaining game."""

from __future__ import annotations

import json

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.evaluation import CombinedGame, RegretReport, combined_game


def sampled_game(payoffs, num_episodes=100, deviation=0.0):
    """An empirical game whose mean payoffs are ``payoffs [S, S]``, with the given deviation of single returns."""
    game = cf.EmpiricalGame(1)
    game.add_strategies(len(payoffs))
    for a, b in game.missing_profiles():
        mean = np.array([payoffs[a][b], payoffs[b][a]])
        squares = num_episodes * (mean**2 + deviation**2)
        game.record([[a, b]], [num_episodes], (num_episodes * mean)[None, :, None], squares[None, :, None])
    return game


def combined(selection, validation, mixture, **options):
    names = tuple(f"strategy {index}" for index in range(len(mixture)))
    return CombinedGame(
        strategies=(cf.UniformRandom(),) * len(mixture),
        strategy_names=names,
        mixtures=np.array([mixture]),
        selection=sampled_game(selection, **options),
        validation=sampled_game(validation, **options),
        response_reports=({},),
        num_simulations=100,
        seed=0,
    )


DILEMMA = [[3.0, 0.0], [5.0, 1.0]]


def test_regret_of_cooperation_in_the_prisoners_dilemma():
    report = combined(DILEMMA, DILEMMA, [1.0, 0.0]).regret(0)
    np.testing.assert_allclose(report.regret, [2.0, 2.0])
    np.testing.assert_allclose(report.debiased_regret, [2.0, 2.0])
    np.testing.assert_allclose(report.payoff, [3.0, 3.0])
    assert report.deviation == "strategy 1"
    assert (report.sum_regret, report.debiased_sum_regret) == (pytest.approx(4.0), pytest.approx(4.0))
    np.testing.assert_allclose(report.deviation_gains, [[0.0, 2.0]])


def test_regret_is_that_of_the_payoff_table(rng):
    payoffs, mixture = rng.normal(size=(5, 5)), rng.dirichlet(np.ones(5))
    table = cf.PayoffTable.symmetric(payoffs)
    report = combined(payoffs, payoffs, mixture).regret(0)
    np.testing.assert_allclose(report.regret, table.regret([mixture, mixture]))
    np.testing.assert_allclose(report.payoff, table.expected_payoffs([mixture, mixture]))


def test_the_deviation_is_picked_on_one_sample_and_measured_on_the_other():
    swapped = [[3.0, 0.0], [2.5, 1.0]]
    report = combined(DILEMMA, swapped, [1.0, 0.0]).regret(0)
    np.testing.assert_allclose(report.regret, [2.0, 2.0])
    np.testing.assert_allclose(report.debiased_regret, [-0.5, -0.5])


def test_standard_errors_come_from_the_spread_of_returns():
    report = combined(DILEMMA, DILEMMA, [1.0, 0.0], num_episodes=400, deviation=2.0).regret(0)
    one = 2.0 / np.sqrt(399)  # of one payoff
    np.testing.assert_allclose(report.payoff_standard_error, [one, one], rtol=1e-6)
    np.testing.assert_allclose(report.regret_standard_error, np.sqrt(2) * one, rtol=1e-6)
    assert report.sum_regret_standard_error == pytest.approx(2 * np.sqrt(2) * one)


def test_independent_measurement_removes_the_bias_of_the_maximum(rng):
    """All strategies are equally good: the largest estimate exceeds 0 on average, the de-biased one does not."""
    largest, fresh, mixture = [], [], np.full(12, 1 / 12)
    for _ in range(300):
        report = combined(rng.normal(size=(12, 12)), rng.normal(size=(12, 12)), mixture).regret(0)
        largest.append(report.regret[0])
        fresh.append(report.debiased_regret[0])
    assert np.mean(largest) > 0.3
    assert abs(np.mean(fresh)) < 4 * np.std(fresh) / np.sqrt(300)


@pytest.fixture
def game():
    return cf.load_game("generalized_bargaining")


@pytest.fixture
def result(model, config):
    return cf.coffee_psro(model, config, seed=3)


def test_several_solutions_share_one_combined_set(game, result, config):
    solutions = [result.solution_at(0), result.solve()]
    found = combined_game(game, solutions, 5, response=config.response, num_simulations=30)
    assert found.strategy_names == (*(f"strategy {i}" for i in range(4)), "best response 0", "best response 1")
    assert isinstance(found.strategies[0], cf.UniformRandom)
    np.testing.assert_array_equal(found.mixtures[0], [1, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(found.mixtures[1], [*solutions[1].mixture.probabilities, 0, 0])
    assert found.selection.counts.tolist() == [30] * 21
    assert (found.selection.sums != found.validation.sums).any()


def test_uniform_random_play_belongs_to_the_combined_set_always(game, result, config):
    trained = cf.Mixture(result.strategies[0][1:2], np.ones(1))
    found = combined_game(game, [trained], 5, response=config.response, num_simulations=10)
    assert isinstance(found.strategies[0], cf.UniformRandom)
    np.testing.assert_array_equal(found.mixtures, [[0.0, 1.0, 0.0]])


def test_best_responses_are_trained_for_payoffs_alone(game, result, config):
    config.response.asked.clear()
    cf.true_regret(game, result.solve(), 5, response=config.response, num_simulations=10)
    (asked,) = config.response.asked
    assert (asked["objective"].uncertainty_penalty, asked["objective"].coverage_weight) == (0.0, 0.0)
    assert asked["reward_scale"] == pytest.approx(4.9, abs=0.3)  # deviation of payoffs under uniform random play


def test_one_solution_gives_one_report_and_a_sequence_a_tuple(game, result, config):
    options = {"response": config.response, "num_simulations": 10}
    assert isinstance(cf.true_regret(game, result.solve(), 5, **options), RegretReport)
    reports = cf.true_regret(game, [result.solve(), result.solution_at(0)], 5, **options)
    assert [type(report) for report in reports] == [RegretReport, RegretReport]


def test_the_report_depends_on_the_seed_alone_and_survives_json(game, result, config):
    options = {"response": config.response, "num_simulations": 50}
    first = cf.true_regret(game, result.solve(), 5, **options).to_json()
    assert cf.true_regret(game, result.solve(), 5, num_threads=2, **options).to_json() == first
    assert cf.true_regret(game, result.solve(), 6, **options).to_json() != first
    assert RegretReport.from_json(json.loads(json.dumps(first))).to_json() == first


def test_kept_best_responses_are_used_again_and_verified(game, result, config, tmp_path):
    options = {"response": config.response, "num_simulations": 10, "cache_dir": tmp_path}
    first = cf.true_regret(game, result.solve(), 5, **options).to_json()
    config.response.asked.clear()
    assert cf.true_regret(game, result.solve(), 5, **options).to_json() == first
    assert config.response.asked == []
    cf.true_regret(game, result.solution_at(1), 5, **options)
    assert len(config.response.asked) == 1  # another solution, another response
    other = cf.Mixture(result.strategies[0], np.array([0.7, 0.1, 0.1, 0.1]))
    cf.true_regret(game, other, 5, **options)
    assert len(config.response.asked) == 2  # the same strategies, mixed in another way
    for file in tmp_path.glob("*.safetensors"):
        data = bytearray(file.read_bytes())
        data[-1] ^= 1
        file.write_bytes(data)
    with pytest.raises(cf.CheckpointError, match="was cut off or altered"):
        cf.true_regret(game, result.solve(), 5, **options)


@pytest.mark.parametrize("num_simulations", [1, 0, 2.5])
def test_too_few_simulations_are_refused(game, result, config, num_simulations):
    with pytest.raises(cf.InvalidArgumentError, match="num_simulations must be an integer >= 2"):
        cf.true_regret(game, result.solve(), 5, response=config.response, num_simulations=num_simulations)


def test_no_solution_at_all_is_refused(game):
    with pytest.raises(cf.InvalidArgumentError, match="at least one solution"):
        cf.true_regret(game, [], 5)


def test_a_second_judge_joins_the_combined_set_and_only_adds_to_regret(game, result, config):
    solutions, second = [result.solve(), result.solution_at(1)], type(config.response)(width=5)
    options = {"num_simulations": 60}
    alone = cf.true_regret(game, solutions, 5, response=config.response, **options)
    both = cf.true_regret(game, solutions, 5, response=[config.response, second], **options)
    for one, two in zip(alone, both, strict=True):
        count = len(one.strategy_names[0])
        assert two.strategy_names[0][:count] == one.strategy_names[0]
        assert two.strategy_names[0][count:] == ("best response 0 (stub)", "best response 1 (stub)")
        np.testing.assert_array_equal(two.deviation_gains[0][:count], one.deviation_gains[0])
        assert (two.regret >= one.regret).all()
        assert two.response_report["num_steps"] == two.response_report["stub/num_steps"] == 5.0


def test_responses_are_kept_under_the_same_names_by_one_judge_or_several(game, result, config, tmp_path):
    options = {"num_simulations": 10, "cache_dir": tmp_path}
    second = type(config.response)(width=5)
    cf.true_regret(game, result.solve(), 5, response=[second, config.response], **options)
    config.response.asked.clear()
    cf.true_regret(game, result.solve(), 5, response=config.response, **options)
    assert config.response.asked == []


@pytest.mark.parametrize("response", [[], [cf.DDQN(), cf.DDQN()], [cf.DDQN(), 3], cf.DDQN])
def test_what_is_no_judge_is_refused(game, response):
    with pytest.raises(cf.InvalidArgumentError, match="true_regret: response must be"):
        cf.true_regret(game, cf.UniformRandom(), 5, response=response)
