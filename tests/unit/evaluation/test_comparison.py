"""Methods against a reference."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import statistics
from coffee_fast.evaluation import compare


@pytest.fixture
def results(rng):
    return {"COffeE": rng.normal(1, size=5), "OEF": rng.normal(3, size=6), "OEF-BC": list(rng.normal(2, size=5))}


def test_each_row_has_the_tests_against_the_reference(results):
    table = compare(results, reference="COffeE")
    assert [row.name for row in table.rows] == list(results)
    assert math.isnan(table["COffeE"].welch)
    for name in ("OEF", "OEF-BC"):
        row = table[name]
        assert row.mean == pytest.approx(np.mean(results[name]))
        assert row.welch == statistics.welch_test(results["COffeE"], results[name], "less")
        assert row.mann_whitney == statistics.mann_whitney_test(results["COffeE"], results[name], "less")
        assert row.permutation == statistics.permutation_test(results["COffeE"], results[name], "less")
    first, second = sorted(table[name].permutation for name in ("OEF", "OEF-BC"))
    assert table["OEF"].permutation_holm >= 2 * first
    assert max(row.permutation_holm for row in table.rows[1:]) == pytest.approx(max(2 * first, second))


def test_the_other_side_and_the_order_of_rows(results):
    less, greater = (compare(results, reference="COffeE", alternative=side) for side in ("less", "greater"))
    assert less["OEF"].welch + greater["OEF"].welch == pytest.approx(1.0)
    backwards = compare(dict(reversed(results.items())), reference="COffeE")
    assert {row.name: str(row) for row in backwards.rows} == {row.name: str(row) for row in less.rows}


def test_reports_count_by_their_summed_regret():
    reports = {name: [SimpleNamespace(sum_regret=r) for r in runs] for name, runs in {"a": (1, 2), "b": (3, 5)}.items()}
    assert compare(reports, reference="a")["b"].mean == 4.0


def test_it_prints_and_becomes_a_data_frame(results):
    pandas = pytest.importorskip("pandas")
    table = compare(results, reference="COffeE")
    frame = pandas.DataFrame(table.to_rows()).set_index("name")
    assert frame.loc["OEF", "welch"] == table["OEF"].welch
    lines = str(table).splitlines()
    assert len({len(line) for line in lines[:4]}) == 1
    assert lines[-1] == "p-values: COffeE is less"


def test_what_cannot_be_compared_is_refused(results):
    with pytest.raises(cf.InvalidArgumentError, match="reference must be one of COffeE, OEF, OEF-BC, got 'ours'"):
        compare(results, reference="ours")
    with pytest.raises(cf.InvalidArgumentError, match="OEF must have two runs or more, got 1"):
        compare({**results, "OEF": [1.0]}, reference="COffeE")
    with pytest.raises(cf.InvalidArgumentError, match="OEF must have finite figures"):
        compare({**results, "OEF": [1.0, math.nan]}, reference="COffeE")
    with pytest.raises(cf.InvalidArgumentError, match="got SimpleNamespace; judge"):
        compare({**results, "OEF": [SimpleNamespace(), 1.0]}, reference="COffeE")
