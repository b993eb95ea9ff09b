"""README and docs tell the truth: their Python runs, their commands exist, the set-up lines are the ones CI runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main

import coffee_fast as cf
from coffee_fast.cli.app import app

ROOT = Path(__file__).parents[2]
DOCS = sorted(ROOT.glob("docs/*.md"))
PAGES = (*map(ROOT.joinpath, ("README.md", "bench/README.md", "reproductions/README.md", "CONTRIBUTING.md")), *DOCS)
README = (ROOT / "README.md").read_text()
# A block after this mark takes too long to run here: it is compiled, and the names it uses are looked up.
LONG = "<!-- takes long -->"
BLOCK = re.compile(rf"^({re.escape(LONG)}\n)?```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str, text: str = README) -> list[tuple[bool, str]]:
    """Return the blocks of a language as (takes long, content)."""
    return [(bool(long), content) for long, tongue, content in BLOCK.findall(text) if tongue == language]


def programs() -> list[object]:
    """Every block of Python of README and docs."""
    return [
        pytest.param(*block, id=f"{page.stem}-{number}")
        for page in (ROOT / "README.md", *DOCS)
        for number, block in enumerate(blocks("python", page.read_text()))
    ]


@pytest.mark.parametrize(("long", "code"), programs())
def test_python_runs(long, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = compile(code, "page", "exec")
    for path in set(re.findall(r"\bcf((?:\.\w+)+)", code)):
        value = cf
        for name in path.strip(".").split("."):
            value = getattr(value, name)
    if not long:
        exec(program, {})


def commands() -> list[list[str]]:
    """Every use of ``coffee-fast`` in a console block, split into words."""
    found = []
    for page in PAGES:
        for _, content in blocks("console", page.read_text()):
            for part in re.split(r"&&|\n", content.replace("\\\n", " ")):
                words = shlex.split(part, comments=True)
                if words and Path(words[0]).name == "coffee-fast":
                    found.append(words[1:])
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_commands_exist_with_their_options(words):
    command = typer.main.get_command(app)
    context = command.make_context("coffee-fast", words[:1] if words else ["--help"])
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    known = {name for parameter in command.params for name in parameter.opts + parameter.secondary_opts}
    used = {word.split("=")[0] for word in words if word.startswith("--")}
    assert used <= known
    assert context is not None


def test_continuous_integration_runs_the_test_command_of_readme():
    lines = [line for _, content in blocks("console") for line in content.splitlines() if "venv" in line]
    assert len(lines) == 2
    assert all("-c constraints.txt" in line for line in lines)
    (tests,) = (line for line in lines if "pytest" in line)
    pattern = re.search(r"grep -m1 '(.*?)' README.md", (ROOT / ".ci" / "run").read_text())
    assert pattern is not None
    assert next(line for line in README.splitlines() if re.search(pattern[1], line)) == tests


def test_the_configuration_of_a_run_is_read(tmp_path):
    pages = (ROOT / "docs" / "sweeps.md").read_text()
    (toml,) = (content for _, content in blocks("toml", pages) if content.startswith("algorithm"))
    (tmp_path / "run.toml").write_text(toml)
    assert cf.RunConfig().with_toml(tmp_path / "run.toml").evaluation.num_last_iterations == 5
