"""The lines by which a report plays its solution run as they stand, in the game that was solved."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.reports.how_to_play import how_to_play

CAKE = cf.GameSpec(
    name="cake", num_players=3, num_actions=2, action_vectors=np.eye(2), state_size=2, observation_size=3,
    history_start=1, max_episode_length=7,
)  # fmt: skip
BARGAINING = cf.load_game("generalized_bargaining", discount=0.9, only_feasible_offers=True).spec


TWO = cf.PayoffTable.symmetric(np.eye(2))
NAMED = dataclasses.replace(
    CAKE, player_names=("buyer", "seller", "broker"), action_names=("take", "leave"), turn_order="predicted",
    num_chance_actions=2,
)  # fmt: skip


def solution(spec, sizes=None):
    inputs, outputs = sizes or (spec.information_state_size, spec.num_actions)
    network = cf.NetworkPolicy(((np.ones((outputs, inputs)), np.zeros(outputs)),))
    roles = spec.roles if spec else (2,)
    policies = [(cf.UniformRandom(), network)] * len(roles)
    shape = (2,) * sum(roles)
    table = cf.PayoffTable.from_arrays([np.zeros(shape)] * sum(roles)) if roles != (2,) else TWO
    return cf.Solution.extract(policies, table, cf.meta_solvers.Uniform(), spec)


@pytest.mark.parametrize(
    ("solved", "says", "knows"),
    [
        (solution(CAKE), "15 numbers: the first 1 of the observation, then the last 2", "np.zeros(3)"),
        (solution(dataclasses.replace(CAKE, history_start=3)), "3 numbers as in the log:", "np.zeros(3)"),
        (solution(dataclasses.replace(CAKE, roles=(1, 2))), "in seat 0", "seats are 0 to 2"),
        (solution(NAMED), "as 'buyer'", "player('buyer', seed=0)  # or 'seller', 'broker'"),
        (solution(NAMED), "wherever another player or chance is to move", "spec.action_names[action]"),
        (
            solution(dataclasses.replace(CAKE, moves="simultaneous", state_size=9)),
            "`act` once in every round.",
            "player.act(known",
        ),
        (solution(BARGAINING), "To play the solution in 'generalized_bargaining'", "discount=0.9"),
        (solution(dataclasses.replace(BARGAINING, name="our_bargaining")), "in 'our_bargaining'", "np.zeros(11)"),
        (solution(None, (5, 4)), "saved without a description", "np.zeros(5)"),
    ],
)
def test_the_lines_run_and_are_of_this_game(solved, says, knows, tmp_path, monkeypatch):
    text = how_to_play(solved)
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert says in text
    assert knows in code
    assert len(code.splitlines()) <= 10
    solved.save(tmp_path / "solution")
    monkeypatch.chdir(tmp_path)
    exec(code, {})


def test_a_game_of_a_known_name_that_is_another_is_not_loaded():
    other = dataclasses.replace(BARGAINING, max_episode_length=99)
    assert "load_game" not in how_to_play(solution(other))
