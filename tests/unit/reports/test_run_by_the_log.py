"""What a run's report says of the tree of its log."""

from __future__ import annotations

import pytest

from coffee_fast.reports import run_by_the_log


def found(solution, logged=(0.5, 0.9), num_unseen=0):
    plays = {"solutions": [solution], "logged": logged, "uniform": (2.0, 3.0)}
    figures = {
        name: [figures_of(*play) for play in value] if name == "solutions" else figures_of(*value)
        for name, value in plays.items()
    }
    sizes = {"num_nodes": 11, "num_unseen": num_unseen, "num_episodes": 400}
    return {"status": "done", "sizes": sizes, **figures}


def figures_of(lowest, highest):
    return {"nash_conv": 0.0, "lowest": lowest, "highest": highest}


def test_bounds_of_the_solution_stand_beside_those_of_the_log_and_of_random_play():
    text = run_by_the_log.section(found((1e-9, 0.25)), is_judged=True)
    assert "| the solution | 0 | 0.25 |\n| what the log's players did | 0.5 | 0.9 |" in text
    assert "| uniform random play | 2 | 3 |" in text
    assert "none of its moves was missed" in text
    assert "what follows 3 of its 10 moves was never seen" in run_by_the_log.section(
        found((0.0, 1.0), num_unseen=3), is_judged=True
    )


@pytest.mark.parametrize(("highest", "is_better"), [(0.25, True), (0.5, False), (None, False)])
def test_it_is_called_better_than_the_log_only_where_bounds_are_apart(highest, is_better):
    text = run_by_the_log.section(found((0.0, highest)), is_judged=False)
    assert (run_by_the_log.BETTER in text) == is_better
    assert ("anything" in text) == (highest is None)


def test_why_there_are_no_bounds_is_said_only_where_nothing_else_judges():
    refused = {"status": "GameTree.from_dataset: nothing repeats"}
    assert run_by_the_log.section(refused, is_judged=True) == ""
    assert "nothing repeats" in run_by_the_log.section(refused, is_judged=False)
    assert run_by_the_log.in_short(refused) == ""
    assert run_by_the_log.section(None, is_judged=False) == run_by_the_log.in_short(None) == ""


def test_amounts_are_told_at_any_scale_of_payoffs():
    def scaled(unit):
        told = found((1e-9 * unit, 0.25 * unit), (0.5 * unit, 0.9 * unit))
        return told | {"uniform": figures_of(2.0 * unit, 3.0 * unit)}

    assert "| the solution | 0 | 2.5e-09 |" in run_by_the_log.section(scaled(1e-8), is_judged=True)
    assert "| the solution | 0 | 2.5e+07 |" in run_by_the_log.section(scaled(1e8), is_judged=True)
    assert "between **0** and **2.5e-09**" in run_by_the_log.in_short(scaled(1e-8))
