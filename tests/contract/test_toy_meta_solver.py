"""A meta-strategy solver of one's own: one class, one line that makes it known, and all else takes it."""

import json
from dataclasses import dataclass, make_dataclass
from typing import ClassVar

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.cli.app import app
from coffee_fast.errors import ConfigError, InvalidArgumentError
from coffee_fast.meta_solvers.base import ConfigurableSolver, complete_table, make_solution


@cf.meta_solvers.register_solver
@dataclass(frozen=True)
class ToySolver(ConfigurableSolver):
    """Each player plays mostly its best response to uniform play.

    Parameters
    ----------
    weight
        Of the best response.
    """

    weight: float = 0.5

    kind: ClassVar[str] = "toy"

    def solve(self, table):
        table = complete_table(table)
        uniform = [np.full(size, 1 / size) for size in table.num_strategies]
        best = [np.eye(len(q))[q.argmax()] for q in table.deviation_payoffs(uniform)]
        mixtures = [self.weight * b + (1 - self.weight) * u for b, u in zip(best, uniform, strict=True)]
        return make_solution(table, mixtures, num_iterations=1, solver=self.kind)


def test_configurations_and_runs_know_it():
    assert cf.meta_solvers.from_config({"kind": "toy", "weight": 0.25}) == ToySolver(0.25)
    config = cf.RunConfig().with_overrides(["psro.meta_solver=toy", "psro.meta_solver.weight=0.75"])
    assert config.psro.meta_solver == ToySolver(0.75)
    assert cf.RunConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    solution = cf.Solution.extract([cf.UniformRandom()] * 2, cf.PayoffTable.symmetric([[3, 0], [5, 1]]), ToySolver())
    assert solution.probabilities.tolist() == [0.25, 0.75]


def test_commands_know_it(tmp_path, capsys):
    file = tmp_path / "dilemma.csv"
    file.write_text("3,0\n5,1\n")
    for arguments in (["solve", str(file), "--solver", "toy", "--set", "weight=1"], ["solvers"]):
        with pytest.raises(SystemExit) as ended:
            app([*arguments, "--json"])
        assert ended.value.code == 0
    solved, listed = map(json.loads, capsys.readouterr().out.splitlines())
    assert solved["mixtures"] == [[0, 1], [0, 1]]
    assert listed["solvers"]["toy"]["parameters"]["weight"] == {"default": 0.5, "meaning": "Of the best response."}


def test_a_kind_is_of_one_class_and_options_have_defaults():
    assert cf.meta_solvers.register_solver(ToySolver) is ToySolver  # once more changes nothing

    with pytest.raises(InvalidArgumentError, match="there is a solver of the kind toy already"):
        cf.meta_solvers.register_solver(dataclass(frozen=True)(type("Toy", (ToySolver,), {})))
    for wrong in (type("Toy", (), {"kind": "toy2", "solve": 1}), ToySolver(), "toy", None):
        with pytest.raises(InvalidArgumentError, match="solver must be a dataclass with a kind"):
            cf.meta_solvers.register_solver(wrong)
    needy = make_dataclass("Needy", ["goal"], namespace={"kind": "needy", "solve": ToySolver.solve, "to_config": dict})
    with pytest.raises(InvalidArgumentError, match="the field goal of needy must have a default"):
        cf.meta_solvers.register_solver(needy)
    assert {"toy2", "needy"}.isdisjoint(cf.meta_solvers.known_solvers())


def test_runs_refuse_a_solver_of_correlated_play():
    correlated = cf.meta_solvers.CorrelatedEquilibrium()
    with pytest.raises(ConfigError, match="PSROConfig: meta_solver must be a solver whose mixtures players draw from"):
        cf.PSROConfig(meta_solver=correlated)
    with pytest.raises(ConfigError, match="EvaluationConfig: each of meta_solvers must be a solver whose mixtures"):
        cf.RunConfig().with_overrides(["evaluation.meta_solvers=['nash', 'correlated_equilibrium']"])
    with pytest.raises(InvalidArgumentError, match="Solution.extract: solver must be a solver whose mixtures"):
        cf.Solution.extract([cf.UniformRandom()], cf.PayoffTable.symmetric([[0.0]]), correlated)
