"""The first cases of every campaign, and that campaigns notice what goes wrong."""

from __future__ import annotations

import time

import pytest
from tests.soak import reliability
from tests.soak.campaign import NAMES, Block, done, go_on, in_blocks, load

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
    assert sum((block.outcomes for block in blocks), start=Block(0, 0, 0).outcomes) == {
        **{"number: even": 5, "number: odd": 2, "mismatch": 1, "died": 2}
    }


def test_a_sitting_goes_on_behind_the_last_even_if_a_line_was_cut_off(sabotaged):
    folder, blocks = sabotaged
    assert go_on("saboteur", 1.0, folder) == []
    file = folder / "saboteur.jsonl"
    whole = file.read_text()
    file.write_text(whole[: -len(whole.splitlines()[-1]) // 2])
    assert max((block["end"] for block in done("saboteur", folder)), default=0) < blocks[-1].end
    assert go_on("saboteur", 1.0, folder)[-1].end == 10
    file.write_text(whole)


def test_the_page_says_what_was_done(tmp_path):
    page = reliability.written_into(f"a\n{reliability.BEGIN}\nof last year\n{reliability.END}\nb\n", tmp_path)
    assert page.startswith("a\n")
    assert page.endswith("\nb\n")
    assert "last year" not in page
    for name in NAMES:
        assert f"| {name} | {load(name).about} | 0 |" in page
