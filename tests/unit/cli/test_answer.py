"""``coffee-fast answer``: robust networks on a log from the command line."""

import numpy as np
import pytest
from tests.unit.tabular.test_game import ultimatum_log

import coffee_fast as cf

FEW = ("--set", "num_iterations=1", "--set", "num_steps=3", "--set", "hidden_sizes=[4]")


@pytest.fixture
def log(tmp_path):
    ultimatum_log(20, player_names=("ann", "ben")).save(tmp_path / "log")
    return tmp_path / "log"


@pytest.mark.parametrize("seat", [1, "ben"])
def test_a_seat_is_answered_and_kept(invoke_json, log, tmp_path, seat):
    found = invoke_json("answer", log, "-o", tmp_path / "answer", "--player", seat, *FEW, "--set", "weight=0.5")
    assert (found["solver"], found["weight"], found["num_decisions"]) == ("network_rpq", 0.5, 20)
    (policy,) = cf.regularized.load_answer(tmp_path / "answer")
    options = {"hidden_sizes": (4,), "num_iterations": 1, "num_steps": 3, "weight": 0.5}
    wanted = cf.regularized.network_rpq(cf.TrajectoryDataset.load(log), 1, **options).policy
    for mine, other in zip(policy.layers, wanted.layers, strict=True):
        np.testing.assert_array_equal(mine[0], other[0])


@pytest.mark.parametrize(
    ("options", "exit_code", "words"),
    [
        (("--set", "wait=1"), 2, "network_rpq has no option 'wait'; did you mean 'weight'"),
        (("--player", "bob"), 2, "player must be one of ann, ben, got 'bob'"),
        (("--team",), 3, "players must act at once, got a log of turns"),
        (("--team", "--player", 0), 2, "exclude each other"),
    ],
)
def test_what_cannot_be_is_refused(invoke, log, tmp_path, options, exit_code, words):
    result = invoke("answer", log, "-o", tmp_path / "answer", *options)
    assert (result.exit_code, words in " ".join(result.stderr.split())) == (exit_code, True)
    assert not (tmp_path / "answer").exists()
