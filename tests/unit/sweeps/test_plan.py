"""Plans: what they expand to, and what is refused before anything starts."""

from __future__ import annotations

import itertools

import pytest

import coffee_fast as cf
from coffee_fast.sweeps import SweepPlan

SOLVERS = [{"kind": "replicator"}, {"kind": "uniform"}]
GRID = {"psro.num_iterations": [2, 3], "psro.meta_solver": SOLVERS}


def plan(**values) -> SweepPlan:
    return SweepPlan.from_mapping({"name": "test", **values})


def keys(**values) -> list[str]:
    return [run.key for run in plan(**values).runs]


def test_every_combination_with_every_seed_once():
    runs = plan(grid=GRID, seeds=[4, 9]).runs
    found = [(run.seed, run.config.psro.num_iterations, type(run.config.psro.meta_solver).__name__) for run in runs]
    assert sorted(found) == sorted(itertools.product([4, 9], [2, 3], ["Replicator", "Uniform"]))
    assert [seed for seed, *_ in found] == [4] * 4 + [9] * 4  # the first seed of all before the second of any
    assert len({run.key for run in runs}) == 8
    assert len({run.setting for run in runs}) == 4


def test_a_key_depends_on_the_configuration_alone():
    nested = {"psro": {"meta_solver": SOLVERS[::-1], "num_iterations": [3, 2]}}
    assert set(keys(grid=nested, seeds=[1, 0], name="other")) == set(keys(grid=GRID, seeds=2))
    (one,) = keys(base={"psro": {"num_iterations": 3, "meta_solver": {"kind": "uniform"}}}, seeds=[1])
    assert one in keys(grid=GRID, seeds=2)
    assert len(set(keys(grid=GRID)) | set(keys(grid=GRID, base={"model": {"num_members": 5}}))) == 8


def test_grids_are_united_and_equal_runs_are_one():
    first, second = {"psro.num_iterations": [2, 3]}, {"psro.num_iterations": [3, 4, 3]}
    assert keys(grid=[first, second]) == keys(grid={"psro.num_iterations": [2, 3, 4]})
    spelled_out = {"psro.meta_solver": [{"kind": "replicator", "step_size": 1e-3}, {"kind": "replicator"}]}
    assert len(keys(grid=spelled_out, seeds=[0, 0])) == 1
    assert plan(grid=[first, {"psro.meta_solver": SOLVERS}]).fields == ("psro.meta_solver", "psro.num_iterations")


def test_base_lies_over_the_preset_and_the_grid_over_both():
    base = {"psro": {"num_simulations": 77, "num_iterations": 9}}
    (run,) = plan(preset="demo", base=base, grid={"psro.num_iterations": [4]}).runs
    demo = cf.RunConfig.preset("demo")
    assert (run.config.psro.num_iterations, run.config.psro.num_simulations) == (4, 77)
    assert run.config.model == demo.model


@pytest.mark.parametrize("order", [1, -1])
def test_a_part_and_a_field_inside_it(order):
    grid = {"psro.meta_solver": [{"kind": "replicator"}], "psro.meta_solver.step_size": [0.1, 0.2]}
    grid = dict(list(grid.items())[::order])
    assert [run.config.psro.meta_solver.step_size for run in plan(grid=grid).runs] == [0.1, 0.2]


def test_no_grid_is_one_run_a_seed():
    assert [run.seed for run in plan(seeds=3).runs] == [0, 1, 2]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"sedes": 3}, "did you mean 'seeds'"),
        ({"preset": "papr"}, "demo, quick, paper"),
        ({"seeds": 0}, "how many"),
        ({"seeds": []}, "how many"),
        ({"seeds": [-1]}, r"seeds: .*\[0, 2\*\*63\), got -1"),
        ({"name": "../up"}, "name must be"),
        ({"base": {"psro": {"num_iteratons": 3}}}, "base: .*did you mean 'psro.num_iterations'"),
        ({"base": {"seed": 3}}, "seed stands outside"),
        ({"grid": {"seed": [3]}}, "seed stands outside"),
        ({"grid": {"psro.num_iteratons": [3]}}, "did you mean 'psro.num_iterations'"),
        ({"grid": {"psro.num_iterations": 3}}, "psro.num_iterations must be a list"),
        ({"grid": {"psro.num_iterations": []}}, "psro.num_iterations must be a list"),
        ({"grid": {"psro.num_iterations": [1], "psro": {"num_iterations": [2]}}}, "given twice"),
        ({"grid": {"psro.num_iterations": [3, 0]}}, "at psro.num_iterations = 0: .*num_iterations"),
        ({"grid": {"psro.meta_solver": [{"kind": "nas"}]}}, r'at psro.meta_solver = {kind = "nas"}: .*did you mean'),
        ({"grid": {"psro.meta_solver": ["nash"], "psro.meta_solver.step_size": [1]}}, "cannot be set"),
    ],
)
def test_a_wrong_plan_is_refused(values, words):
    with pytest.raises(cf.ConfigError, match=words):
        plan(**values)


def test_errors_name_the_file(tmp_path):
    file = tmp_path / "plan.toml"
    file.write_text("seeds = 'many'\n")
    with pytest.raises(cf.ConfigError, match=rf"^{file}: seeds must be"):
        SweepPlan.read(file)
    file.write_text("seeds = \n")
    with pytest.raises(cf.ConfigError, match=rf"^{file}: is not TOML"):
        SweepPlan.read(file)


def test_a_dataset_of_ones_own_is_known_by_its_content(tmp_path):
    game = cf.load_game("generalized_bargaining")
    first, other = (cf.generate_dataset(game, num_trajectories=10, seed=seed) for seed in (1, 2))
    for name, dataset in (("a", first), ("b", other), ("moved", first)):
        dataset.save(tmp_path / name)
    a, b, moved = (keys(base={"dataset": {"path": str(tmp_path / name)}}) for name in ("a", "b", "moved"))
    assert a == moved
    assert a != b
    assert a != keys()
    both = plan(grid={"dataset.path": [str(tmp_path / "a"), str(tmp_path / "b")]})
    assert [run.key for run in both.runs] == [*a, *b]


def test_a_dataset_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(cf.DatasetError, match="nothing-here"):
        plan(base={"dataset": {"path": str(tmp_path / "nothing-here")}})
    with pytest.raises(cf.ConfigError, match="online_psro learns from no dataset"):
        plan(base={"dataset": {"path": str(tmp_path)}, "algorithm": "online_psro"})
