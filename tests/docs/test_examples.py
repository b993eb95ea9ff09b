"""The examples run as they stand. The one in C++ is built and run by tests/embed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "examples" / "notebooks").glob("*.ipynb"))
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_an_example_runs(example, tmp_path):
    pytest.importorskip("pandas")
    if "openspiel" in example.stem:
        pytest.importorskip("pyspiel")
    ended = subprocess.run([sys.executable, str(example), str(tmp_path / "log")], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_runs(notebook, tmp_path):
    """Its cells as one program; its outputs are of a run of all of it, one cell after another."""
    pytest.importorskip("pandas")
    pytest.importorskip("pyspiel")
    cells = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert notebook.stat().st_size < 200_000
    program = tmp_path / "notebook.py"
    program.write_text("import matplotlib\nmatplotlib.use('Agg')\n" + "\n".join("".join(c["source"]) for c in cells))
    ended = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
