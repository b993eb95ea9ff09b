"""Figures: they are made without pyplot, show what they are given and refuse what they cannot show."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast import plotting
from coffee_fast.evaluation import FidelityReport, RegretReport


@pytest.fixture
def result(model, config):
    return cf.coffee_psro(model, config, seed=3)


def report(regret):
    one, none = np.full(2, float(regret)), np.full(2, 0.1)
    return RegretReport(
        one, none, one * 0.9, none, one, none, ("strategy 0",), (np.zeros(1),), (("strategy 0",),), {}, 10, 0
    )


def is_png(figure):
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue().startswith(b"\x89PNG")


def test_the_regret_curve_shows_the_run_and_the_true_game(result):
    figure = plotting.regret_curve(result, {0: report(7.0), 3: report(2.0)})
    (axes,) = figure.axes
    regret, bound = result.final_game_regret()
    lines = [tuple(line.get_ydata()) for line in axes.get_lines()]
    assert tuple(regret) in lines
    assert tuple(bound) in lines
    assert (14.0, 4.0) in lines
    assert (12.6, 3.6) in lines
    assert is_png(figure)


def test_the_regret_curve_of_reports_alone():
    assert is_png(plotting.regret_curve({i: report(9 - i) for i in range(4)}))
    with pytest.raises(cf.InvalidArgumentError, match="at least one report"):
        plotting.regret_curve({})


def test_regret_in_the_final_game_counts_strategies_learned_later(result):
    regret, bound = result.final_game_regret()
    for iteration, record in enumerate(result.records):
        assert regret[iteration] >= record.model_regret.sum() - 1e-12
    assert regret[-1] == pytest.approx(result.records[-1].model_regret.sum())
    assert (bound >= regret - 1e-12).all()


def test_the_payoff_table_shows_every_payoff_and_the_support(result):
    solution = result.solve(cf.meta_solvers.Uniform())
    figure = plotting.payoff_table(solution.table, solution)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    for value in solution.table.payoffs(0).mean(axis=0).ravel():
        assert f"{value:.2f}" in texts
    assert texts.count("25%") == 4
    assert is_png(figure)


def of_roles(*sizes, names=()):
    """A solution of players that are a role each, of a table of zeros but for the first player's last strategy."""
    payoffs = [np.zeros(sizes) for _ in sizes]
    payoffs[0][-1] = 1.0
    spec = cf.GameSpec(
        name="x", num_players=len(sizes), num_actions=2, action_vectors=np.eye(2), state_size=1, observation_size=1,
        history_start=1, max_episode_length=2, player_names=names,
    )  # fmt: skip
    policies = [[cf.UniformRandom()] * size for size in sizes]
    return cf.Solution.extract(policies, cf.PayoffTable.from_arrays(payoffs), cf.meta_solvers.Nash(), spec)


def test_the_payoff_table_of_unlike_players_is_either_s():
    solution = of_roles(2, 3)
    figure = plotting.payoff_table(solution.table, solution)
    assert [text.get_text() for text in figure.axes[0].texts + figure.axes[3].texts].count("100%") == 1
    (image,) = (axes.images[0] for axes in figure.axes if axes.images)
    assert image.get_array().tolist() == [[0.0] * 3, [1.0] * 3]
    (image,) = (axes.images[0] for axes in plotting.payoff_table(solution.table, solution, 1).axes if axes.images)
    assert image.get_array().shape == (3, 2)
    with pytest.raises(cf.InvalidArgumentError, match="one probability a strategy"):
        plotting.payoff_table(cf.PayoffTable.from_arrays([np.zeros((3, 2))] * 2), solution)


def test_mixtures_have_a_panel_a_role():
    figure = plotting.mixtures(of_roles(2, 3, 2, names=("$a$", "b", "c")))
    assert [axes.get_title(loc="left") for axes in figure.axes] == [r"\$a\$", "b", "c"]
    assert [bar.get_height() for bar in figure.axes[0].patches] == [0.0, 1.0]
    assert is_png(figure)


def test_the_payoff_table_alone_and_a_large_one():
    assert is_png(plotting.payoff_table(cf.PayoffTable.from_arrays([np.ones((2, 3)), np.zeros((2, 3))])))
    assert is_png(plotting.payoff_table(cf.PayoffTable.symmetric(np.random.default_rng(0).normal(size=(41, 41)))))


def test_a_table_that_cannot_be_shown_is_refused(result):
    with pytest.raises(cf.InvalidArgumentError, match="of two players, got 3"):
        plotting.payoff_table(cf.PayoffTable.from_arrays([np.zeros((2, 2, 2))] * 3))
    with pytest.raises(cf.InvalidArgumentError, match="one probability a strategy"):
        plotting.payoff_table(cf.PayoffTable.symmetric(np.zeros((2, 2))), result.solve())


def test_disagreement_against_error():
    profiles = np.array([[0, 0], [0, 1], [1, 1]], dtype=np.int32)
    fidelity = FidelityReport(profiles, np.array([0.1, 0.4, 0.9]), np.array([0.2, 0.3, 0.8]), 0.97)
    figure = plotting.disagreement_vs_utility_error(fidelity)
    (axes,) = figure.axes
    points = np.concatenate([collection.get_offsets() for collection in axes.collections])
    assert sorted(map(tuple, points.tolist())) == [(0.2, 0.1), (0.3, 0.4), (0.8, 0.9)]
    assert "0.97" in axes.get_title(loc="left")


def test_plotting_needs_neither_pyplot_nor_a_display():
    code = "import sys, coffee_fast.plotting; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def history(num_roles=2):
    rows = np.linspace(0.0, 1.0, 5)
    by_role = np.outer(rows, np.arange(1, num_roles + 1))
    found = {"returns": by_role, "entropy": by_role, "kl": by_role, "disagreement": rows, "kl_weight": 1.0 - rows}
    judged = {"snapshot_update": np.array([4.0, 5.0]), "snapshot_chosen": np.array([0.0, 1.0])}
    return found, judged | {
        "snapshot_pessimistic_regret": np.ones((2, 2)),
        "snapshot_model_regret": np.full((2, 2), 0.5),
    }


def test_self_play_shows_updates_and_snapshots():
    found, judged = history()
    figure = plotting.self_play(found | judged, ["buyer", "seller"])
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert len([title for title in titles if title]) == 5
    lines = {axes.get_title(loc="left"): [tuple(line.get_ydata()) for line in axes.get_lines()] for axes in figure.axes}
    assert lines["entropy of a decision"] == [tuple(column) for column in found["entropy"].T]
    assert lines["regret of the snapshots in the model, summed over players"] == [(2.0, 2.0), (1.0, 1.0), (2.0,)]
    assert is_png(figure)
    assert is_png(plotting.self_play(history(1)[0]))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "history must be the history of a solution of self-play, with returns, "),
        (history()[0] | {"kl": np.zeros(4)}, "as many rows of each of returns"),
        (history()[0] | {"kl": "none"}, r"history\['kl'\] must be numbers, a row an update"),
        (None, "history must be the history of a solution of self-play"),
    ],
)
def test_what_is_no_history_of_self_play_is_refused(given, message):
    with pytest.raises(cf.InvalidArgumentError, match=message):
        plotting.self_play(given)
