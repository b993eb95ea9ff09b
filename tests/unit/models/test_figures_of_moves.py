"""Errors by moves made against slow counts, and what of them is a reason."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.models import FitReport, Verdict
from coffee_fast.models.figures_of_moves import figures_by_moves
from coffee_fast.models.following import Followed


def reasons(report, figure):
    return [reason for reason in Verdict.of(report).reasons if reason.figure == figure]


def test_following_is_one_step_after_another(model, dataset):
    """States and observations are those of next_states and observe, from the first state on."""
    followed, first = Followed.of(model, dataset), dataset.trajectory_offsets[0]
    state = dataset.state[first : first + 1]
    for row in range(first, dataset.trajectory_offsets[1]):
        np.testing.assert_allclose(followed.states[row], state[0], rtol=1e-5, atol=1e-5)
        rewards, _ = model.core.rewards(state, dataset.action[row : row + 1])
        np.testing.assert_allclose(followed.rewards[row], rewards.mean(axis=2)[0], rtol=1e-5, atol=1e-5)
        if row > first:
            seen, _ = model.core.observe(state)
            np.testing.assert_allclose(followed.observations[row], seen[0], rtol=1e-5, atol=1e-5)
        state = model.core.next_states(state, dataset.action[row : row + 1])


def test_figures_are_counts_by_moves_made(model, dataset):
    followed = Followed.of(model, dataset)
    for row in figures_by_moves(followed, dataset):
        state, mover, others = [], [], []
        for i in range(dataset.num_trajectories):
            t = dataset.trajectory_offsets[i] + int(row["moves_made"])
            if t >= dataset.trajectory_offsets[i + 1]:
                continue
            state.append(np.abs(followed.states[t] - dataset.state[t]).mean())
            if dataset.terminal[t] and dataset.reward[t].any():
                player, error = dataset.acting_player[t], followed.rewards[t] - dataset.reward[t]
                mover.append(error[player])
                others.append(error[1 - player])
        assert row["num_episodes"] == len(state) / 2  # each with its mirror image
        assert row["state_error"] == pytest.approx(np.mean(state))
        assert row["state_error_standard_error"] == pytest.approx(np.std(state) / (len(state) / 2 - 1) ** 0.5)
        assert row["num_paying"] == len(mover) / 2
        if len(mover) >= 4:
            assert row["mover_bias"] == pytest.approx(np.mean(mover))
            assert row["others_bias"] == pytest.approx(np.mean(others))
            assert row["payoff_error"] == pytest.approx(np.abs(mover + others).mean())
        else:
            assert "mover_bias" not in row


def test_one_episode_has_no_figures(model, dataset):
    one = dataset.select(np.arange(2))
    assert figures_by_moves(Followed.of(model, one), one) == []


def test_games_of_one_move_are_judged_by_their_payoffs():
    """A guess is paid by the first state: nothing is followed, nothing can grow."""
    spec = cf.GameSpec("guess", 2, 3, np.eye(3), 2, 2, history_start=2, max_episode_length=1)
    rng = np.random.default_rng(0)
    told, action = rng.integers(3, size=300), rng.integers(3, size=300)
    paid = np.where(told == action, 2.0, -1.0)
    state = np.stack([told, np.ones(300)], axis=1)
    log = {
        "trajectory": np.arange(300),
        "state": state,
        "observation": np.stack([state, state], axis=1),
        "action": action,
        "acting_player": np.zeros(300, dtype=int),
        "reward": np.stack([paid, -paid], axis=1),
    }
    dataset = cf.TrajectoryDataset.from_transitions(spec, log, behavior="uniform_random")
    config = cf.EnsembleConfig(
        num_members=2, hidden_sizes=(32,), num_steps=50, num_reward_steps=400, learning_rate=1e-2
    )
    report = cf.DynamicsEnsemble.fit(dataset, config, seed=1).fit_report
    (row,) = report.by_moves
    assert (row["moves_made"], row["num_episodes"], row["num_paying"], row["state_error"]) == (0, 30, 30, 0)
    assert report.last_state_error is None
    assert report.leaks == []
    assert not reasons(report, "last_state_error") + reasons(report, "by_moves")


def test_the_papers_model_is_at_fault_at_the_last_decision(papers, longer_log, short_config):
    """Networks that learn the jump to the end predict a state halfway to it where the end is near.

    The same networks with ends apart do not.
    """
    (reason,) = reasons(papers.fit_report, "last_state_error")
    assert reason.text.startswith("last decision: the state after ")
    before, last = papers.fit_report.by_moves[-3]["state_error"], papers.fit_report.last_state_error
    assert last > 3 * before
    config = dataclasses.replace(short_config, ends="probability", num_steps=600)
    apart = cf.DynamicsEnsemble.fit(longer_log, config, seed=2).fit_report
    assert not reasons(apart, "last_state_error"), str(apart)


def rows(**columns):
    """Figures by moves made, of 0, 1, 2, ... moves."""
    longest = len(next(iter(columns.values())))
    usual = {"num_episodes": 30.0, "num_paying": 30.0, "state_error": 0.0, "observation_error": 0.0}
    usual |= {"state_error_standard_error": 0.01}
    return [
        {**usual, "moves_made": float(made), **{name: values[made] for name, values in columns.items()}}
        for made in range(longest)
    ]


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({"state_error": [0.0, 0.1, 0.2, 0.3, 0.9]}, True),
        ({"state_error": [0.0, 0.1, 0.2, 0.9, 0.9]}, True),  # wherever it jumps
        ({"state_error": [0.0, 0.2, 0.4, 0.6, 0.8]}, False),  # piles up evenly
        ({"state_error": [0.0, 0.01, 0.02, 0.03, 0.15]}, False),  # small
        ({"state_error": [0.0, 0.1, 0.2, 0.3, 0.9], "state_error_standard_error": [0.0, 0.0, 0.0, 0.0, 0.2]}, False),
        ({"state_error": [0.0, 0.1, 0.2, 0.3, 0.9], "num_episodes": [9, 9, 9, 9, 3]}, False),
        ({"state_error": [0.0]}, False),
    ],
)
def test_what_jumps_beyond_noise_is_a_reason(changes, is_found):
    report = FitReport(by_moves=rows(**changes), state_spread=1.0)
    assert bool(reasons(report, "last_state_error")) == is_found


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({"mover_bias": [0.0, 0.1, -1.5], "mover_bias_standard_error": [0.1, 0.1, 0.3]}, "use with care"),
        ({"others_bias": [0.0, 0.1, 5.0], "others_bias_standard_error": [0.1, 0.1, 0.3]}, "do not trust"),
        ({"mover_bias": [0.0, 0.1, -1.5], "mover_bias_standard_error": [0.1, 0.1, 0.5]}, None),  # noise
        ({"mover_bias": [1.2, 1.2, 1.2], "mover_bias_standard_error": [0.4, 0.4, 0.4]}, "use with care"),  # as a whole
        (
            {
                "mover_bias": [0.0, 0.1, -1.5],
                "mover_bias_standard_error": [0.1, 0.1, 0.3],
                "num_paying": [30.0, 30.0, 4.0],
            },
            None,
        ),
        ({"mover_bias": [0.1, 0.1, -0.5], "mover_bias_standard_error": [0.1, 0.1, 0.01]}, None),  # small
    ],
)
def test_payoffs_to_one_side_are_a_reason(changes, level):
    report = FitReport(by_moves=rows(**changes), reward_spread=4.0)
    assert [reason.level for reason in reasons(report, "by_moves")] == ([level] if level else [])


def test_long_episodes_are_told_in_few_lines(model, dataset):
    report = dataclasses.replace(model.fit_report, by_moves=rows(state_error=[0.1] * 40))
    words = str(report)
    assert words.count(": state 0.1, observations") == 12
    assert "     39: state" in words


def test_predictions_that_are_no_numbers_make_reports_that_can_be_read(model, dataset):
    followed = Followed.of(model, dataset)
    states = followed.states.copy()
    states[5:9] = [[np.nan], [np.inf], [-np.inf], [1e38]]
    figures = figures_by_moves(dataclasses.replace(followed, states=states), dataset)
    report = dataclasses.replace(model.fit_report, by_moves=figures)
    assert FitReport.from_json(json.loads(json.dumps(report.to_json()))) == report
