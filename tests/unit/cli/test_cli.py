"""What every command promises: one JSON object on the last line, one sentence an error, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

ROCK_PAPER_SCISSORS = "0,-1,1\n1,0,-1\n-1,1,0\n"


@pytest.fixture
def payoffs(tmp_path):
    file = tmp_path / "payoffs.csv"
    file.write_text(ROCK_PAPER_SCISSORS)
    return file


@pytest.mark.parametrize(
    "solver",
    [
        "replicator",
        "robust_replicator",
        "projected_replicator",
        "uniform",
        "nash",
        "gane",
        "gamd",
        "logit_qre",
        "correlated_equilibrium",
    ],
)
def test_solve_finds_the_equilibrium_with_every_solver(invoke_json, payoffs, solver):
    found = invoke_json("solve", payoffs, "--solver", solver)
    assert found["mixtures"][0] == pytest.approx([1 / 3] * 3)
    assert found["sum_regret"] == pytest.approx(0, abs=1e-9)
    assert found["solver"]["kind"] == solver


def test_solve_passes_options_to_the_solver(invoke_json, payoffs):
    found = invoke_json("solve", payoffs, "--solver", "replicator", "--set", "max_iterations=7")
    assert found["num_iterations"] == 7


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e3, 1e9])
@pytest.mark.parametrize("is_symmetric", [True, False])
def test_solve_answers_in_any_unit_of_payoff(invoke_json, tmp_path, unit, is_symmetric):
    rng = np.random.default_rng(0)
    file = tmp_path / "payoffs.json"
    for _ in range(3):
        payoffs = unit * rng.normal(size=(5, 5) if is_symmetric else (2, 4, 6))
        file.write_text(json.dumps({"symmetric" if is_symmetric else "players": payoffs.tolist()}))
        found = invoke_json("solve", file)
        assert (found["solver"]["kind"], found["status"]) == ("nash", "converged")
        assert max(found["relative_regret"]) < 1e-12
        ranges = [np.ptp(payoffs)] * 2 if is_symmetric else np.ptp(payoffs, axis=(1, 2))
        assert found["payoff_range"] == pytest.approx(ranges)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_solve_certifies_games_of_three(invoke_json, tmp_path, unit):
    file = tmp_path / "payoffs.json"
    for seed in range(3):
        payoffs = unit * np.random.default_rng(seed).normal(size=(3, 2, 3, 2))
        file.write_text(json.dumps({"players": payoffs.tolist()}))
        found = invoke_json("solve", file)
        assert (found["solver"]["kind"], found["status"]) == ("nash", "converged")
        assert max(found["relative_regret"]) < 1e-12


def test_solve_prints_the_names_of_players_and_strategies(invoke, invoke_json, tmp_path):
    file = tmp_path / "game.csv"
    file.write_text(
        "Ann,Bob,Eve,Ann_payoff,Bob_payoff,Eve_payoff\n"
        "go,go,go,0,0,3\ngo,go,stay,0,0,2\ngo,stay,go,0,1,3\ngo,stay,stay,0,1,2\n"
        "stay,go,go,1,0,3\nstay,go,stay,1,0,2\nstay,stay,go,1,1,3\nstay,stay,stay,1,1,2\n"
    )
    lines = invoke("solve", file).stdout.splitlines()
    assert lines[0].startswith("nash: converged after")
    assert lines[1:] == [
        "Ann  regret 0 (0 % of the payoff range)  plays stay: 1.0000",
        "Bob  regret 0 (0 % of the payoff range)  plays stay: 1.0000",
        "Eve  regret 0 (0 % of the payoff range)  plays go: 1.0000",
    ]
    found = invoke_json("solve", file)
    assert found["player_names"] == ["Ann", "Bob", "Eve"]
    assert found["strategy_names"] == [["go", "stay"]] * 3
    assert found["mixtures"] == [[0, 1], [0, 1], [1, 0]]


def test_solve_finds_correlated_equilibria_of_gambits_games(invoke, invoke_json, tmp_path):
    file = tmp_path / "chicken.nfg"
    file.write_text(
        'NFG 1 R "Chicken" { "Row" "Column" } { { "Dare" "Chicken out" } { "Dare" "Chicken out" } }\n0 0 2 7 7 2 6 6'
    )
    options = ("--solver", "correlated_equilibrium", "--set", "objective=welfare")
    lines = invoke("solve", file, *options).stdout.splitlines()
    told = "is told Dare: 0.2500, Chicken out: 0.7500"
    assert lines[1:] == [
        f"Row       regret 0 (0 % of the payoff range)  {told}",
        f"Column    regret 0 (0 % of the payoff range)  {told}",
        "together  (Dare, Chicken out): 0.2500, (Chicken out, Dare): 0.2500, (Chicken out, Chicken out): 0.5000",
    ]
    found = invoke_json("solve", file, *options, "--set", "coarse=true")
    assert found["solver"] == {"kind": "correlated_equilibrium", "coarse": True, "objective": "welfare"}
    assert found["joint"] == [[0, pytest.approx(0.25)], [pytest.approx(0.25), pytest.approx(0.5)]]
    assert sum(found["expected_payoffs"]) == pytest.approx(found["objective_value"]) == pytest.approx(10.5)


def test_solve_says_when_a_regret_is_large_and_what_to_do(invoke, payoffs):
    payoffs.write_text("0,-10,20\n10,0,-10\n-20,10,0\n")
    coarse = invoke("solve", payoffs, "--solver", "replicator", "--set", "step_size=1e-6", "--set", "max_iterations=10")
    assert "% of the payoff range)" in coarse.stdout
    assert "this is no equilibrium: a player could gain" in coarse.stderr
    assert "--set step_size=" in coarse.stderr
    assert "try no --solver at all" in invoke("solve", payoffs, "--solver", "uniform").stderr
    assert invoke("solve", payoffs).stderr == ""


@pytest.mark.parametrize(
    ("arguments", "content", "code", "words"),
    [
        (["--solver", "best"], ROCK_PAPER_SCISSORS, 2, "robust_replicator"),
        (["--solver", "replicator", "--set", "step_sise=1"], ROCK_PAPER_SCISSORS, 2, "did you mean 'step_size'"),
        (["--set", "step_size"], ROCK_PAPER_SCISSORS, 2, "NAME=VALUE"),
        ([], "0,1\n1\n", 3, "line 2"),
        ([], "0,inf\n1,0\n", 3, "line 1"),
        ([], "0,nan\n1,0\n", 3, "not known"),
        (["--solver", "correlated_equilibrium", "--set", "objective=luck"], ROCK_PAPER_SCISSORS, 2, "entropy, welfare"),
        (["--solver", "corelated_equilibrium"], ROCK_PAPER_SCISSORS, 2, "did you mean 'correlated_equilibrium'"),
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
    assert found["isa"] in ("portable", "neon", "avx2", "avx512")


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


def test_figures_that_are_not_known_yet_are_left_out():
    from coffee_fast.cli._report import in_words

    assert in_words({"loss": float("nan"), "mean_return": 2.5}) == "mean return 2.5"
    assert in_words({"loss": float("nan")}) == ""
