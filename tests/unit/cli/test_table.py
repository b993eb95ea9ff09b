"""``coffee-fast table``: logs as tables from the command line."""

import json

import pytest
from tests.unit.tabular.test_game import ultimatum_log
from tests.unit.tabular.test_logs import sealed_bids

from coffee_fast.pipeline.tabular import load_table_solution


@pytest.fixture
def log(tmp_path):
    ultimatum_log(60).save(tmp_path / "log")
    return tmp_path / "log"


def test_a_log_becomes_a_report(invoke, log, tmp_path):
    wanted = ("table", log, "--run-dir", tmp_path / "run", "--solver", "rqe", "--set", "temperature=0.5")
    result = invoke(*wanted, "--set", "environment_radius=0.1", "--seed", 3)
    assert result.exit_code == 0
    assert "by rqe. The search ended converged" in " ".join(result.stdout.split())
    solver = load_table_solution(tmp_path / "run")[0]["solver"]
    assert (solver["temperature"], solver["environment_radius"], solver["regularizer"]) == (0.5, 0.1, "log_barrier")
    assert json.loads((tmp_path / "run" / "config.json").read_text())["config"]["seed"] == 3
    assert invoke(*wanted).exit_code == 4  # holds a run already


def test_states_may_be_told_apart_by_some_entries(invoke, log, tmp_path):
    assert invoke("table", log, "--run-dir", tmp_path / "run", "--state-entry", 0).exit_code == 0
    assert load_table_solution(tmp_path / "run")[0]["states"] == [[0.0], [1.0]]


@pytest.mark.parametrize(
    ("options", "exit_code", "words"),
    [
        (("--solver", "gan"), 2, "did you mean 'gane'"),
        (("--set", "kl_wait=1"), 2, "did you mean 'table.solver.kl_weight'"),
        (("--solver", "alberdice"), 3, "all players must get the same reward"),
        (("--state-entry", 7), 2, "state_entries must lie below the state's size 2, got 7"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(invoke, log, tmp_path, options, exit_code, words):
    result = invoke("table", log, "--run-dir", tmp_path / "run", *options)
    assert (result.exit_code, words in result.stderr) == (exit_code, True)


def test_private_information_is_no_table_unless_it_is_said_not_to_matter(invoke, tmp_path):
    sealed_bids().save(tmp_path / "log")
    wanted = ("table", tmp_path / "log", "--run-dir", tmp_path / "run", "--state-entry", 0, "--set", "unseen_value=0")
    refused = invoke(*wanted)
    assert (refused.exit_code, "a table has no private information" in refused.stderr) == (3, True)
    assert invoke(*wanted, "--fully-observed").exit_code == 0


def test_solvers_of_tables_are_listed(invoke, invoke_json):
    found = invoke_json("solvers")["table_solvers"]
    learned = ["rqe_actor_critic", "srpo", "smoothed_best_response", "optimistic_rqre", "qrpo"]
    robust = ["robust_nash", "robust_q_ftrl", "rpq", "robust_vdn"]
    assert list(found) == ["gane", "gamd", "rqe", *learned, *robust, "inspo", "alberdice"]
    assert found["rqe"]["parameters"]["divergence"]["default"] == "kl"
    assert "coffee-fast table DATASET --solver KIND" in invoke("solvers").stdout
