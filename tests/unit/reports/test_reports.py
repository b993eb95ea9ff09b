"""The report of a sweep: what is in the table is on the page, and what is not is said to be missing."""

from __future__ import annotations

import io
import json
import math
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import coffee_fast as cf
from coffee_fast import _files, statistics
from coffee_fast._sealed import seal_of
from coffee_fast.evaluation import compare
from coffee_fast.reports import read_results, report_sweep, tables
from coffee_fast.reports.results import solver_name
from coffee_fast.sweeps import SweepPlan
from coffee_fast.sweeps.folder import SweepFolder
from coffee_fast.sweeps.table import Table

from .conftest import BASE, results_of, write_sweep

EXHIBITS = ("table-1", "table-4", "table-5", "figure-2", "figure-3")


@pytest.fixture(scope="session")
def results(sweep_dir):
    return read_results(sweep_dir)


@pytest.fixture(scope="session")
def runs(results):
    return results.by_run()


@pytest.fixture(scope="session")
def settings(runs):
    return tables.settings_table(runs)


@pytest.fixture(scope="session")
def report(sweep_dir, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    return out, report_sweep(sweep_dir, out, command="coffee-fast report sweep -o out")


def read_csv(out, name):
    return pd.read_csv(out / f"{name}.csv")


def test_every_judged_solution_has_a_row(plan, results):
    assert set(results.states) == {"done"}
    expected = sum(len(results_of(run)["evaluation"]["regret"]) for run in plan.runs)
    assert len(results.table) == expected
    assert set(results.table.condition) == {"(500, uniform)", "(500, equilibrium)"}
    assert set(results.table.exploration) == set(results.table.extraction) == {"R2D", "RD"}
    of_coffee = results.table.algorithm == "COffeE"
    assert results.table[of_coffee].uncertainty_penalty.isin([2.0, 4.0]).all()
    assert results.table[~of_coffee].uncertainty_penalty.isna().all()
    assert set(results.table[~of_coffee].algorithm) == {"OEF", "OEF-BC"}  # weight 0 is OEF
    assert set(results.table.cloning_weight.dropna()) == {0.2, 0.4}


def test_a_runs_regret_is_the_mean_of_its_last_judged_iterations(plan, results):
    run = plan.runs[0]
    regrets = [
        entry
        for entry in results_of(run)["evaluation"]["regret"]
        if entry["meta_solver"]["kind"] == "robust_replicator"
    ]
    for num_last, iterations in ((1, {12}), (5, {9, 12}), (100, {3, 6, 9, 12})):
        found = results.by_run(num_last)
        row = found[(found.key == run.key) & (found.extraction == "R2D")]
        expected = np.mean([entry["sum_regret"] for entry in regrets if entry["iteration"] in iterations])
        assert row.regret.tolist() == [pytest.approx(expected)]


def test_fidelity_and_coverage_stand_beside_the_regret_they_belong_to(plan, runs):
    run = next(run for run in plan.runs if run.config.algorithm == "oef_bc")
    found = results_of(run)["evaluation"]
    rows = runs[runs.key == run.key].to_dict("records")
    assert len(rows) == 6
    names = {"replicator": "RD", "robust_replicator": "R2D"}
    for row in rows:
        weight = 0.0 if row["algorithm"] == "OEF" else row["cloning_weight"]
        (fidelity,) = [entry for entry in found["fidelity"] if entry["cloning_weight"] == weight]
        (coverage,) = [
            entry
            for entry in found["coverage"]
            if entry["cloning_weight"] == weight and names[entry["meta_solver"]["kind"]] == row["extraction"]
        ]
        assert row["utility_error"] == pytest.approx(fidelity["mean_utility_error"])
        assert row["coverage"] == pytest.approx(coverage["share_of_actions"])


def test_settings_are_means_over_seeds(runs, settings):
    assert (settings.num_runs == 3).all()
    row = settings[(settings.algorithm == "OEF-BC") & (settings.cloning_weight == 0.2)].iloc[0]
    of_row = (
        (runs.algorithm == "OEF-BC")
        & (runs.cloning_weight == 0.2)
        & (runs.condition == row.condition)
        & (runs.exploration == row.exploration)
        & (runs.extraction == row.extraction)
    )
    values = runs[of_row].regret
    assert row.regret_mean == pytest.approx(values.mean())
    assert row.regret_standard_error == pytest.approx(values.std() / math.sqrt(3))


def test_table_1_tests_each_method_against_tuned_coffee_with_r2d(runs, settings):
    found = tables.tests_table(runs, settings)
    shown = found[(found.measure == "regret") & (found.condition == "(500, uniform)") & (found.extraction == "RD")]
    methods = list(zip(shown.algorithm, shown.exploration, strict=True))
    assert methods == [(a, s) for a in ("COffeE", "OEF", "OEF-BC") for s in ("R2D", "RD")]
    assert shown.is_reference.tolist() == [True] + [False] * 5
    samples = {}
    for row in shown.to_dict("records"):
        own = runs[(runs.condition == row["condition"]) & (runs.extraction == "RD")]
        own = own[(own.algorithm == row["algorithm"]) & (own.exploration == row["exploration"])]
        means = own.groupby(["uncertainty_penalty", "coverage_weight", "cloning_weight"], dropna=False).regret
        best = min((list(values) for _, values in means), key=np.mean)  # the setting of the lowest mean
        assert row["mean"] == pytest.approx(np.mean(best))
        samples[row["algorithm"], row["exploration"]] = best
    table = compare({str(name): values for name, values in samples.items()}, reference=str(("COffeE", "R2D")))
    for row in shown.to_dict("records")[1:]:
        expected = table[str((row["algorithm"], row["exploration"]))]
        for test in ("welch", "mann_whitney", "permutation"):
            assert row[test] == pytest.approx(getattr(expected, test))


def test_holms_column_counts_every_test_of_the_table(runs, settings):
    found = tables.tests_table(runs, settings)
    for measure in tables.MEASURES:
        of_measure = found[found.measure == measure]
        assert of_measure.welch.notna().sum() == 2 * 2 * 5
        np.testing.assert_allclose(of_measure.welch_holm, statistics.holm(of_measure.welch.to_numpy()))


def test_files_and_page_are_there_and_whole(report):
    out, written = report
    expected = {f"{name}.{ending}" for name in EXHIBITS for ending in ("csv", "png")}
    assert {file.name for file in out.iterdir()} == expected | {"index.html", "settings.csv", "results.csv"}
    assert set(written.files) == {file.name for file in out.iterdir()}
    assert written.missing == {}
    for name in EXHIBITS:
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert len(read_csv(out, name))


class Checker(HTMLParser):
    """Every tag that is opened is closed; remembers what a browser would fetch."""

    VOID = ("meta", "img", "br")

    def __init__(self):
        super().__init__()
        self.open, self.sources, self.links, self.tags = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name == "src"]
        self.links += [value for name, value in attrs if name == "href"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_needs_nothing_but_itself(report):
    out, _ = report
    page = Checker()
    page.feed((out / "index.html").read_text())
    assert page.open == []
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert len(page.sources) == 2
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert all(link.startswith("#") or (out / link).exists() for link in page.links)


def test_captions_say_scale_seeds_and_command(report):
    out, _ = report
    text = (out / "index.html").read_text()
    assert text.count("12 iterations") == text.count("3 seeds a setting") == len(EXHIBITS)
    assert text.count("<code>coffee-fast report sweep -o out</code>") == len(EXHIBITS)


def test_the_page_shows_the_tables_figures(report, settings):
    out, _ = report
    text = (out / "index.html").read_text()
    for row in settings[settings.algorithm == "COffeE"].to_dict("records"):
        assert f"{row['regret_mean']:.2f} ± {row['regret_standard_error']:.2f} (3)" in text


def test_the_same_sweep_makes_the_same_files(sweep_dir, report, tmp_path):
    report_sweep(sweep_dir, tmp_path, command="coffee-fast report sweep -o out")
    for file in report[0].iterdir():
        assert (tmp_path / file.name).read_bytes() == file.read_bytes(), file.name


@pytest.fixture
def small_plan():
    base = {"algorithm": "oef", "psro": {"num_iterations": 12}}
    return SweepPlan.from_mapping({"name": "small", "base": base})


def test_what_has_no_data_is_said_to_be_missing(small_plan, tmp_path):
    """One run of OEF: nothing to compare, no parameters of COffeE, no band, and figures of the one run."""
    folder, out = write_sweep(tmp_path / "s", small_plan), tmp_path / "out"
    out.mkdir()
    (out / "table-1.png").write_bytes(b"of an earlier report")
    written = report_sweep(folder, out)
    assert set(written.missing) == {"table-1", "table-5"}
    assert not (out / "table-1.png").exists()
    text = (out / "index.html").read_text()
    assert "Missing: it needs COffeE with R2D and another method, both with two runs or more." in text
    assert "too few" not in text
    assert "nan" not in re.sub(r"base64,[^\"]*", "", text)


def test_failed_runs_are_counted_and_left_out(plan, tmp_path):
    folder = write_sweep(tmp_path / "s", plan, failed=(0, 1))
    found = read_results(folder)
    assert found.states == {"done": len(plan.runs) - 2, "failed": 2}
    assert not {plan.runs[0].key, plan.runs[1].key} & set(found.table.key)


def test_fields_without_a_column_make_conditions_of_their_own(tmp_path):
    grid = {"algorithm": ["oef"], "model.num_members": [4, 8]}
    plan = SweepPlan.from_mapping({"name": "members", "grid": grid})
    found = read_results(write_sweep(tmp_path / "s", plan))
    conditions = {"(1000, uniform); model.num_members = 4", "(1000, uniform); model.num_members = 8"}
    assert set(found.table.condition) == conditions


def test_fields_that_are_left_out_at_their_defaults_make_conditions_too(tmp_path):
    grid = {"algorithm": ["oef"], "model.ends": ["auto", "probability"]}
    plan = SweepPlan.from_mapping({"name": "ends", "grid": grid})
    assert "ends" not in plan.runs[0].config.to_json()["model"]
    found = read_results(write_sweep(tmp_path / "s", plan))
    conditions = {"(1000, uniform); model.ends = default", '(1000, uniform); model.ends = "probability"'}
    assert set(found.table.condition) == conditions
    assert set(found.table.key) == {run.key for run in plan.runs}


def test_an_ablation_beside_the_comparison_is_no_part_of_it(tmp_path):
    solvers = [{"kind": "robust_replicator"}, {"kind": "replicator"}]
    grid = [
        {"algorithm": ["coffee_psro", "oef"], "dataset.num_trajectories": [500, 1000]},
        {"psro.meta_solver": solvers, "evaluation.num_last_iterations": [12]},
    ]
    plan = SweepPlan.from_mapping({"name": "both", "seeds": 2, "base": BASE, "grid": grid})
    found = read_results(write_sweep(tmp_path / "s", plan))
    apart = "(1000, uniform); evaluation.num_last_iterations = 12"
    assert set(found.table.condition) == {"(500, uniform)", "(1000, uniform)", apart}
    settings = tables.settings_table(found.by_run())
    assert set(tables.tests_table(found.by_run(), settings).condition) == {"(500, uniform)", "(1000, uniform)"}


def test_a_plan_without_configurations_has_them_from_the_runs(small_plan, tmp_path):
    folder = write_sweep(tmp_path / "s", small_plan)
    expected = read_results(folder).table
    plan = _files.read_json(folder / "plan.json")
    del plan["settings"]
    _files.write_json(folder / "plan.json", plan | {"seal": seal_of(plan)})
    with pytest.raises(cf.CheckpointError, match=r"config\.json: cannot be read"):
        read_results(folder)
    (run,) = small_plan.runs
    _files.write_json(folder / "runs" / run.key / "config.json", {"config": run.config.to_json()})
    pd.testing.assert_frame_equal(read_results(folder).table, expected)


def test_a_log_of_ones_own_is_a_condition_of_its_own(tmp_path):
    game = cf.load_game("generalized_bargaining")
    logs = [str(tmp_path / name) for name in ("june", "july")]
    for seed, path in enumerate(logs):
        cf.generate_dataset(game, num_trajectories=10, seed=seed).save(path)
    plan = SweepPlan.from_mapping({"name": "own", "base": {"algorithm": "oef"}, "grid": {"dataset.path": logs}})
    assert set(read_results(write_sweep(tmp_path / "s", plan)).table.condition) == set(logs)


def test_runs_of_unlike_machines_are_named(tmp_path):
    plan = SweepPlan.from_mapping({"name": "two", "seeds": 2, "base": BASE})
    folder = write_sweep(tmp_path / "s", plan)
    assert "unlike machines" not in Path(report_sweep(folder, tmp_path / "out").page).read_text()
    sweep = SweepFolder(folder)
    for run, isa in zip(plan.runs, ("avx2", "portable"), strict=True):
        machines = {"machines": [{"isa": isa, "torch": "2"}]}
        _files.write_json(sweep.run_dir(run.key) / "results.json", results_of(run) | machines)
    Table(plan, sweep).write()
    assert read_results(folder).machines == ("isa avx2, torch 2", "isa portable, torch 2")
    page = Path(report_sweep(folder, tmp_path / "out").page).read_text()
    assert "unlike machines or builds" in page
    assert "isa portable, torch 2" in page


def test_an_altered_table_or_plan_is_noticed(small_plan, tmp_path, rng):
    folder = write_sweep(tmp_path / "s", small_plan)
    expected = read_results(folder).table
    for name in ("results.parquet", "plan.json"):
        whole = (folder / name).read_bytes()
        noticed = 0
        for place in rng.integers(len(whole), size=60):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << int(rng.integers(8))
            (folder / name).write_bytes(damaged)
            try:
                pd.testing.assert_frame_equal(read_results(folder).table, expected)
            except cf.CheckpointError as error:
                noticed += name in str(error)
        assert noticed > 15
        (folder / name).write_bytes(whole)


def test_rows_of_one_extraction_solver_stand_together():
    solvers = ["RQE", "R2D", "GANE", "RD"]
    table = pd.DataFrame([{"extraction": y, "exploration": x} for x in solvers for y in solvers])
    ordered = tables.in_order(table, ("extraction", "exploration"))
    assert list(ordered.extraction) == [name for name in ("R2D", "RD", "GANE", "RQE") for _ in solvers]
    assert list(ordered.exploration) == ["R2D", "RD", "GANE", "RQE"] * 4


def test_online_psro_has_no_log(tmp_path):
    plan = SweepPlan.from_mapping({"name": "online", "base": {"algorithm": "online_psro"}})
    assert set(read_results(write_sweep(tmp_path / "s", plan)).table.condition) == {"true game"}


def test_what_is_no_sweep_is_named(sweep_dir, small_plan, tmp_path):
    with pytest.raises(cf.CheckpointError, match=r"plan\.json: cannot be read"):
        report_sweep(tmp_path, tmp_path / "out")
    folder = write_sweep(tmp_path / "s", small_plan)
    (folder / "results.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(cf.CheckpointError, match=r"results\.parquet: is not a whole Parquet file"):
        report_sweep(folder, tmp_path / "out")
    (folder / "results.parquet").unlink()
    with pytest.raises(cf.CheckpointError, match=r"results\.parquet: cannot be read: No such file"):
        report_sweep(folder, tmp_path / "out")
    (folder / "results.parquet").write_bytes((sweep_dir / "results.parquet").read_bytes())
    with pytest.raises(cf.CheckpointError, match="is not the table of this sweep"):
        report_sweep(folder, tmp_path / "out")
    failed = write_sweep(tmp_path / "failed", small_plan, failed=(0,))
    with pytest.raises(cf.InvalidArgumentError, match="no run of .* has been judged"):
        report_sweep(failed, tmp_path / "out")
    with pytest.raises(cf.InvalidArgumentError, match="num_last must be an integer >= 1, got 0"):
        report_sweep(sweep_dir, tmp_path / "out", num_last=0)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"kind": "replicator"}, "RD"),
        ({"kind": "replicator", "regret_threshold": 0.35}, "RRD"),
        ({"kind": "robust_replicator", "regret_threshold": 1e-5}, "R2D"),
        ({"kind": "robust_replicator", "regret_threshold": 0.35}, "R3D"),
        ({"kind": "projected_replicator", "regret_threshold": math.nan}, "PRD"),
        ({"kind": "annealed_replicator", "is_robust": True}, "R3D, annealed"),
        ({"kind": "something_new"}, "something_new"),
    ],
)
def test_solvers_have_the_fields_names(config, name):
    assert solver_name(config) == name


def test_the_command_reports_a_sweep(small_plan, tmp_path):
    folder, out = write_sweep(tmp_path / "a sweep", small_plan), tmp_path / "out"
    command = [sys.executable, "-m", "coffee_fast", "report", str(folder), "-o", str(out), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    written = json.load(io.StringIO(done.stdout))
    assert written["page"] == str(out / "index.html")
    assert set(written["missing"]) == {"table-1", "table-5"}
    assert f"coffee-fast report &#x27;{folder}&#x27; -o {out}" in (out / "index.html").read_text()
