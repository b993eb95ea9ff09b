"""``coffee-fast commit``: Stackelberg play of payoff files, and of payoffs that a learner's moves tell."""

import json

import numpy as np
import pytest


@pytest.fixture
def payoffs(tmp_path):
    path = tmp_path / "payoffs.json"
    path.write_text(json.dumps({"players": [[[2, 4], [1, 3]], [[1, 0], [0, 1]]]}))
    return path


def test_a_leader_does_better_than_in_equilibrium(invoke, invoke_json, payoffs):
    found = invoke_json("commit", payoffs)
    assert found["mixture"] == pytest.approx([0.5, 0.5])
    assert (found["response"], found["value"], found["status"]) == (1, pytest.approx(3.5), "converged")
    text = invoke("commit", payoffs, "--margin", 0.1).stdout
    assert "the learner comes to answer 1" in text
    assert "at least 0.1" in text
    turned = invoke_json("commit", payoffs, "--leader", 1)
    assert turned["mixture"] == pytest.approx([1.0, 0.0])  # the first row is better for the other whatever is played
    assert turned["value"] == pytest.approx(1.0)


def test_payoffs_come_from_moves(invoke, invoke_json, payoffs, tmp_path):
    leader = [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.2, 0.8], [0.7, 0.3]]
    learner = [np.array([0.5, 0.5])]
    for mixture in leader[:-1]:
        weights = learner[-1] * np.exp(0.1 * np.array(mixture) @ np.eye(2))
        learner.append(weights / weights.sum())
    moves = tmp_path / "moves.json"
    moves.write_text(json.dumps({"leader": leader, "learner": [row.tolist() for row in learner]}))
    found = invoke_json("commit", payoffs, "--moves", moves, "--learning-rate", 0.1)
    assert found["value"] == pytest.approx(3.5, abs=1e-6)
    assert np.allclose(found["recovered"]["payoffs"], [[0.5, -0.5], [-0.5, 0.5]])
    assert "payoffs recovered from 4 moves" in invoke("commit", payoffs, "--moves", moves).stdout
    moves.write_text(json.dumps({"leader": leader}))
    result = invoke("commit", payoffs, "--moves", moves)
    assert (result.exit_code, "learner missing or more" in result.stderr) == (3, True)


def test_three_players_are_refused(invoke, tmp_path):
    path = tmp_path / "three.json"
    path.write_text(json.dumps({"players": [[[[0.0]]]] * 3}))
    result = invoke("commit", path)
    assert (result.exit_code, "must be of two players, got 3" in result.stderr) == (3, True)
