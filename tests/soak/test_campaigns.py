"""The first cases of every campaign, and that campaigns notice what goes wrong."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from tests.soak import record, reliability
from tests.soak.campaign import NAMES, Campaign, again, go_on, in_blocks, load

# Of each that takes no more than seconds: a few runs are killed in tests/determinism.
FEW = {"boundaries": 6, "damage": 200, "arguments": 150, "solvers": 18, "zero_sum": 12}
AT_A_LANDING = {
    **{"kills": 10, "boundaries": 10**9, "damage": 20_000, "arguments": 50_000, "solvers": 5_400, "zero_sum": 100}
}


def faults(name: str, num_cases: int) -> list[str]:
    blocks = list(in_blocks(name, 0, num_cases, time.monotonic() + 3600.0, load(name).patience))
    assert sum(block.end - block.first for block in blocks) == min(num_cases, blocks[-1].count)
    return [f"python -m tests.soak case {name} {fault['case']}: {fault['what']}" for b in blocks for fault in b.faults]


@pytest.mark.parametrize("name", FEW)
def test_the_first_cases_end_as_promised(name):
    assert faults(name, FEW[name]) == []


@pytest.mark.slow
@pytest.mark.timeout(4000)
@pytest.mark.parametrize("name", NAMES)
def test_more_cases_end_as_promised(name):
    assert faults(name, AT_A_LANDING[name]) == []


@pytest.fixture(scope="module")
def sabotaged(tmp_path_factory):
    """A campaign with a crash, a mismatch and a case that does not come back, in one sitting."""
    folder = tmp_path_factory.mktemp("sabotaged")
    return folder, go_on("saboteur", 1.0, folder)


def test_whatever_goes_wrong_is_a_fault_of_its_case(sabotaged):
    _, blocks = sabotaged
    found = {fault["case"]: fault["what"] for block in blocks for fault in block.faults}
    assert sorted(found) == [3, 5, 7]
    assert "SIGSEGV" in found[3]
    assert "5 is odd" in found[5]
    assert "did not come back" in found[7]
    assert sum((block.outcomes for block in blocks), start=record.Counter()) == {
        **{"number: even": 5, "number: odd": 2, "mismatch": 1, "died": 2}
    }


def test_a_sitting_goes_on_where_the_record_ends(sabotaged):
    folder, blocks = sabotaged
    done = record.read("saboteur", folder)
    assert (done.next, done.count, done.outcomes.total()) == (10, 10, 10)
    assert [(fault["case"], fault["ended"]) for fault in done.faults] == [(3, "died"), (5, "mismatch"), (7, "died")]
    assert [build["cases"] for build in done.builds] == [10]
    assert go_on("saboteur", 1.0, folder) == []
    assert record.read("saboteur", folder) == done
    first = next(block for block in blocks if block.end > block.first)
    file = folder / "saboteur.json"
    whole = file.read_bytes()
    part = record.Record()
    part.add(first, {"version": "0.1", "isa": "old", "machine": "another"})
    record.write("saboteur", part, folder)
    rest = go_on("saboteur", 1.0, folder)
    assert (rest[0].first, rest[-1].end) == (first.end, 10)
    both = record.read("saboteur", folder)
    assert both.outcomes == done.outcomes
    assert [fault["case"] for fault in both.faults] == [3, 5, 7]
    assert [build["cases"] for build in both.builds] == [first.end, 10 - first.end]
    file.write_bytes(whole)


def test_faults_that_are_mended_are_faults_no_more(sabotaged, tmp_path, monkeypatch):
    folder, _ = sabotaged
    (tmp_path / "saboteur.json").write_bytes((folder / "saboteur.json").read_bytes())
    assert [block.outcomes for block in again("saboteur", tmp_path)] == [{"died": 1}, {"mismatch": 1}, {"died": 1}]
    assert record.read("saboteur", tmp_path).outcomes == record.read("saboteur", folder).outcomes
    monkeypatch.setenv("SABOTEUR_IS_TIRED", "yes")
    again("saboteur", tmp_path)
    done = record.read("saboteur", tmp_path)
    assert done.faults == []
    assert done.outcomes == {"number: even": 5, "number: odd": 5}
    assert done.next == 10


def test_cases_that_are_numbered_otherwise_are_not_gone_on_with(tmp_path):
    other = record.Record()
    other.add(record.Block(0, 4, 9, record.Counter(odd=4)), {"version": "0.1", "isa": "old", "machine": "another"})
    record.write("saboteur", other, tmp_path)
    with pytest.raises(record.RecordError, match="10 cases in place of 9; begin anew with --anew"):
        go_on("saboteur", 1.0, tmp_path)
    assert record.read("saboteur", tmp_path) == other
    assert go_on("saboteur", 1.0, tmp_path, anew=True)[0].first == 0


def test_a_damaged_record_is_refused_by_name(sabotaged, tmp_path):
    folder, _ = sabotaged
    file = tmp_path / "saboteur.json"
    whole = (folder / "saboteur.json").read_text()
    changes = [
        ("next", "11"),
        ("next", '"ten"'),
        ("count", "9"),
        ("outcomes", "[]"),
        ("builds", "[{}]"),
        ("faults", "[]"),
    ]
    damaged = [json.dumps({**json.loads(whole), name: json.loads(value)}) for name, value in changes]
    for text in [*damaged, "", "[]", "null", whole[:-9], json.dumps({**json.loads(whole), "more": 1})]:
        file.write_text(text)
        with pytest.raises(record.RecordError, match="saboteur.json"):
            go_on("saboteur", 1.0, tmp_path)
        assert file.read_text() == text


def test_the_committed_records_are_whole():
    for name in NAMES:
        campaign, done = load(name), record.read(name)
        assert isinstance(campaign, Campaign)
        assert campaign.target in (None, done.count) or done.next == 0, name
        assert len(json.dumps(vars(done))) < 50_000, name


def test_the_page_has_what_the_records_say():
    page = Path(__file__).parents[2] / "docs" / "reliability.md"
    assert reliability.written_into(page.read_text()) == page.read_text(), "python -m tests.soak report writes it"


def test_the_page_says_what_was_done(tmp_path):
    page = reliability.written_into(f"a\n{reliability.BEGIN}\nof last year\n{reliability.END}\nb\n", tmp_path)
    assert page.startswith("a\n")
    assert page.endswith("\nb\n")
    assert "last year" not in page
    for name in NAMES:
        assert f"| {name} | {load(name).about} | 0 |" in page
