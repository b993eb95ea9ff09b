"""What the pages say of the reproductions is what the committed results say."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pandas as pd
import pytest

from coffee_fast.reports import report_sweep
from coffee_fast.sweeps import SweepPlan

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "reproductions"
REPORTS = sorted(folder.parent for folder in FOLDER.glob("**/sweep"))
REGRET = re.compile(r"^\|.* \| (?:R2D|RD) \|.*±.*\|$", re.MULTILINE)


@pytest.fixture(scope="module")
def claims():
    spec = importlib.util.spec_from_file_location("claims", FOLDER / "claims.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    ablation = FOLDER / "reduced_ablation"
    return module.page(FOLDER / "reduced", ablation)


def test_the_claims_are_those_of_the_results(claims):
    assert (FOLDER / "reduced" / "claims.md").read_text() == claims


def test_the_page_shows_regrets_of_the_results(claims):
    rows = REGRET.findall((FOLDER / "README.md").read_text())
    assert len(rows) == 6
    assert set(rows) <= set(claims.splitlines())


@pytest.mark.parametrize("folder", REPORTS, ids=lambda folder: folder.name)
def test_reports_are_made_of_the_results(folder, tmp_path):
    report_sweep(folder / "sweep", tmp_path)
    for file in sorted(tmp_path.glob("*.csv")):
        pd.testing.assert_frame_equal(pd.read_csv(folder / file.name), pd.read_csv(file), rtol=1e-6)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("**/*.toml")), ids=lambda file: file.stem)
def test_plans_are_plans_and_results_are_of_their_runs(file):
    plan = SweepPlan.read(file)
    raw = file.parent / file.stem / "sweep" / "results.parquet"
    if raw.exists():
        assert set(pd.read_parquet(raw, columns=["key"]).key) == {run.key for run in plan.runs}
