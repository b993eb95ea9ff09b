"""The public face: every name is there, typed, and comes without what it does not need."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import coffee_fast as cf

STUB = ast.parse(next(file for root in cf.__path__ if (file := Path(root) / "__init__.pyi").is_file()).read_text())
TYPED = {
    (alias.asname, (node.module or "").removeprefix("coffee_fast").lstrip("."))
    for node in STUB.body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}


def test_types_are_of_the_names_that_are_there():
    assert {*cf._FACE.items(), *((room, "") for room in cf._ROOMS)} == TYPED


@pytest.mark.parametrize("name", sorted({*cf._FACE, *cf._ROOMS}))
def test_every_name_can_be_had(name):
    assert getattr(cf, name) is not None
    assert name in dir(cf)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'solve'"):
        cf.solve  # noqa: B018


def test_solving_payoffs_of_ones_own_needs_no_torch():
    code = (
        "import sys, coffee_fast as cf\n"
        "cf.meta_solvers.RobustReplicator().solve(cf.PayoffTable.symmetric([[0.0, 1.0], [1.0, 0.0]]))\n"
        "cf.simulate(cf.load_game('generalized_bargaining'), ['uniform_random'] * 2, num_episodes=2, seed=0)\n"
        "print([m for m in ('torch', 'matplotlib', 'pyspiel', 'typer') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
