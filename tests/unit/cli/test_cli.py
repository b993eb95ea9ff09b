"""What every command promises: one JSON object on the last line, one sentence an error, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

ROCK_PAPER_SCISSORS = "0,-1,1\n1,0,-1\n-1,1,0\n"


@pytest.fixture
def payoffs(tmp_path):
    file = tmp_path / "payoffs.csv"
    file.write_text(ROCK_PAPER_SCISSORS)
    return file


@pytest.mark.parametrize(
    "solver",
    ["replicator", "robust_replicator", "projected_replicator", "uniform", "nash", "gane", "gamd", "logit_qre"],
)
def test_solve_finds_the_equilibrium_with_every_solver(invoke_json, payoffs, solver):
    found = invoke_json("solve", payoffs, "--solver", solver)
    assert found["mixtures"][0] == pytest.approx([1 / 3] * 3)
    assert found["sum_regret"] == pytest.approx(0, abs=1e-9)
    assert found["solver"]["kind"] == solver


def test_solve_passes_options_to_the_solver(invoke_json, payoffs):
    found = invoke_json("solve", payoffs, "--solver", "replicator", "--set", "max_iterations=7")
    assert found["num_iterations"] == 7


@pytest.mark.parametrize(
    ("arguments", "content", "code", "words"),
    [
        (["--solver", "best"], ROCK_PAPER_SCISSORS, 2, "robust_replicator"),
        (["--solver", "replicator", "--set", "step_sise=1"], ROCK_PAPER_SCISSORS, 2, "did you mean 'step_size'"),
        (["--set", "step_size"], ROCK_PAPER_SCISSORS, 2, "NAME=VALUE"),
        ([], "0,1\n1\n", 3, "line 2"),
        ([], "0,inf\n1,0\n", 3, "line 1"),
        ([], "0,nan\n1,0\n", 3, "not known"),
    ],
)
def test_errors_are_one_sentence_with_their_exit_code(invoke, invoke_json, payoffs, arguments, content, code, words):
    payoffs.write_text(content)
    result = invoke("solve", payoffs, *arguments)
    assert result.exit_code == code
    assert result.stdout == ""
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert invoke_json("solve", payoffs, *arguments)["exit_code"] == code


def test_missing_file_is_named(invoke, tmp_path):
    result = invoke("solve", tmp_path / "absent.csv")
    assert result.exit_code == 2
    assert "absent.csv" in result.stderr


def test_unknown_command_and_option_are_usage_errors(invoke, payoffs):
    assert invoke("solv").exit_code == 2
    assert invoke("solve", payoffs, "--sover", "nash").exit_code == 2


def test_doctor_finds_nothing_wrong_here(invoke, invoke_json):
    assert invoke("doctor").exit_code == 0
    found = invoke_json("doctor")
    assert (found["ok"], found["problems"]) == (True, [])
    assert found["isa"] in ("portable", "avx2", "avx512")


def test_help_loads_no_torch():
    code = (
        "import sys\n"
        "from coffee_fast.cli.app import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'matplotlib', 'scipy', 'pandas') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_module_runs_as_the_command(payoffs):
    done = subprocess.run(
        [sys.executable, "-m", "coffee_fast", "solve", str(payoffs), "--json"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[-1])["status"]
    assert "Traceback" not in done.stderr
