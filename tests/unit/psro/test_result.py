"""Extraction: any solver, any iteration, and a solution as something to play and to keep."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.psro import load_result


@pytest.fixture
def result(model, config):
    return cf.coffee_psro(model, config, seed=3)


def test_extraction_by_the_own_solver_is_the_last_meta_strategy(result):
    solution = result.solve()
    np.testing.assert_array_equal(solution.probabilities, result.exploration_mixtures[-1])
    np.testing.assert_array_equal(solution.model_regret, result.records[-1].model_regret)


@pytest.mark.parametrize("solver", [cf.meta_solvers.Uniform(), cf.meta_solvers.Replicator(max_iterations=500)])
def test_extraction_by_another_solver_is_that_solver_on_the_table(result, solver):
    solution = result.solve(solver)
    np.testing.assert_array_equal(solution.probabilities, solver.solve(result.table).mixtures[0])
    assert solution.solver["kind"] == solver.kind
    assert (solution.pessimistic_regret >= solution.model_regret - 1e-12).all()


def test_an_earlier_solution_knows_only_what_was_known(result):
    for iteration, mixture in enumerate(result.exploration_mixtures):
        solution = result.solution_at(iteration)
        assert solution.policies == result.strategies[0][: iteration + 1]
        np.testing.assert_array_equal(solution.probabilities, mixture)
    assert result.solution_at(-1).probabilities.tolist() == result.solve().probabilities.tolist()


@pytest.mark.parametrize("iteration", [4, -5])
def test_an_iteration_that_never_was_is_refused(result, iteration):
    with pytest.raises(cf.InvalidArgumentError, match="solution_at: iteration must be an integer >= -4 and <= 3"):
        result.solution_at(iteration)


def test_a_solution_can_be_played(result):
    game = cf.load_game("generalized_bargaining")
    played = cf.simulate(game, [result.solve(), "uniform_random"], num_episodes=50, seed=0)
    assert played.returns.shape == (50, 2)


def test_support_lists_the_probable_strategies_first(result):
    solution = result.solve(cf.meta_solvers.Uniform())
    assert solution.support() == [0, 1, 2, 3]
    assert solution.support(min_probability=0.3) == []


def test_saving_a_solution_and_loading_it_is_the_identity(result, tmp_path):
    solution = result.solve()
    solution.save(tmp_path / "solution")
    loaded = cf.Solution.load(tmp_path / "solution")
    np.testing.assert_array_equal(loaded.probabilities, solution.probabilities)
    np.testing.assert_array_equal(loaded.table.payoffs(0), solution.table.payoffs(0))
    assert (loaded.solver, loaded.status) == (solution.solver, solution.status)
    game = cf.load_game("generalized_bargaining")
    episodes = [cf.simulate(game, [s, s], num_episodes=50, seed=0).returns for s in (solution, loaded)]
    np.testing.assert_array_equal(*episodes)


def test_a_solution_does_not_overwrite_another(result, tmp_path):
    result.solve().save(tmp_path / "solution")
    with pytest.raises(cf.CheckpointError, match="something here already"):
        result.solve().save(tmp_path / "solution")


@pytest.mark.parametrize("name", ["solution.json", "solution.safetensors"])
@pytest.mark.parametrize("place", [0, 0.3, 0.95])
def test_a_damaged_solution_names_its_file(result, tmp_path, name, place):
    result.solve().save(tmp_path / "solution")
    file = tmp_path / "solution" / name
    data = file.read_bytes()
    file.write_bytes(data[: int(place * len(data))])
    with pytest.raises(cf.CheckpointError, match=name.replace(".", r"\.")):
        cf.Solution.load(tmp_path / "solution")


def test_altered_weights_of_a_solution_are_refused(result, tmp_path):
    result.solve().save(tmp_path / "solution")
    file = tmp_path / "solution" / "solution.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(cf.CheckpointError, match="was cut off or altered"):
        cf.Solution.load(tmp_path / "solution")


def test_a_run_folder_gives_the_result_back_without_the_model(model, config, result, tmp_path):
    cf.coffee_psro(model, config, seed=3, run_dir=tmp_path)
    loaded = load_result(tmp_path)
    assert loaded.spec == result.spec
    assert loaded.fingerprint == result.fingerprint
    assert loaded.status == "complete"
    assert loaded.config is None  # the stub oracle is not of the package
    with pytest.raises(cf.InvalidArgumentError, match="no solver of its own"):
        loaded.solve()
    np.testing.assert_array_equal(
        loaded.solve(config.meta_solver).probabilities, result.solve(config.meta_solver).probabilities
    )


def test_a_solution_knows_its_game_and_is_played_in_it(result, tmp_path):
    result.solve(cf.meta_solvers.Uniform()).save(tmp_path / "solution")
    solution = cf.Solution.load(tmp_path / "solution")
    game = cf.load_game("generalized_bargaining")
    assert solution.spec == game.spec
    players = [solution.player(seat, seed=1) for seat in (0, 1)]
    drawn = set()
    for episode in range(20):
        state = game.new_state(seed=episode)
        for player in players:
            player.reset()
            drawn.add(player.drawn)
        while not state.is_terminal():
            seat = state.current_player()
            state.apply_action(players[seat].act(state.information_state(seat), state.legal_actions()))
    assert drawn == {0, 1, 2, 3}
    with pytest.raises(cf.InvalidArgumentError, match="seat must be an integer >= 0 and <= 1, got 2"):
        solution.player(2)


def test_a_solution_of_an_older_file_is_played_with_a_specification_or_information_states(result, tmp_path):
    result.solve().save(tmp_path / "solution")
    file = tmp_path / "solution" / "solution.json"
    older = {name: value for name, value in json.loads(file.read_text()).items() if name not in ("spec", "seal")}
    file.write_text(json.dumps(older | {"format": 1}))
    solution = cf.Solution.load(tmp_path / "solution")
    state = cf.load_game("generalized_bargaining").new_state(seed=1)
    for spec in (None, cf.load_game("generalized_bargaining").spec):
        player = solution.player(0, spec=spec)
        player.reset()
        assert player.act(state.information_state(0), state.legal_actions()) in state.legal_actions()
    with pytest.raises(cf.InvalidArgumentError, match=">= 0 and <= 1, got 2"):
        solution.player(2)


def test_a_solution_prints_as_one_line_and_shows_as_a_bounded_table(result):
    solution = result.solve(cf.meta_solvers.Uniform())
    assert repr(solution).count("\n") == 0
    for part in ("'generalized_bargaining'", "0: 25.0%", "of 4 strategies", "model regret", "uniform"):
        assert part in repr(solution)
    page = solution._repr_html_()
    assert page.count("<tr>") == 1 + 4
    assert f"{solution.table.payoffs(0).mean(axis=0)[2, 1]:.3g}" in page
    spec = dataclasses.replace(solution.spec, name="<script>" + "x" * 10**5)
    mixture = cf.Mixture(solution.policies * 50, np.full(200, 0.005))
    many = dataclasses.replace(solution, spec=spec, by_role=(mixture,))
    many = dataclasses.replace(many, table=cf.PayoffTable.symmetric(np.zeros((200, 200))))
    assert "<script>" not in many._repr_html_()
    assert len(many._repr_html_()) < 10_000
    assert len(repr(many)) < 500
