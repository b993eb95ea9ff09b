"""What is said of a model, and that nonsense is never called good."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import CheckpointError, DatasetError, InvalidArgumentError
from coffee_fast.models import FitReport, Verdict
from coffee_fast.models.figures_of_log import gaps

BRIEF = cf.EnsembleConfig(
    num_members=2,
    hidden_sizes=(32, 32),
    num_steps=500,
    num_reward_steps=100,
    learning_rate=5e-3,
    normalization="per_dimension",
)
# Of the paper's networks at preset "quick" on 1000 uniform trajectories, but for the payoffs.
GOOD = FitReport(
    num_held_out=100,
    num_episodes=500,
    state_error=0.018,
    state_unexplained=0.001,
    worst_entry=14,
    worst_unexplained=0.002,
    last_state_error=0.092,
    earlier_state_error=0.066,
    state_spread=1.5,
    terminal_recall=0.99,
    terminal_precision=1.0,
    mask_errors=0.0,
    reward_error=0.5,
    reward_spread=3.9,
    model_mean_length=9.33,
    data_mean_length=9.15,
    data_length_deviation=3.08,
    model_mean_return=2.54,
    data_mean_return=2.68,
    data_return_deviation=4.77,
    data_is_uniform=True,
    exploring_near_log=0.94,
    num_repeated=100,
    num_unlike_states=0,
    num_unlike_ends=0,
    num_unlike_rewards=0,
    num_unlike_views=0,
)


def test_a_random_log_warns_once_and_says_so_first(toy_log):
    config = dataclasses.replace(BRIEF, num_steps=20, num_reward_steps=20)
    with pytest.warns(
        cf.ModelWarning, match="do not trust this model: the log is random where the model is not"
    ) as told:
        model = cf.DynamicsEnsemble.fit(toy_log(60, is_random=True), config, seed=1)
    assert len(told) == 1
    assert str(model.fit_report).startswith("verdict: do not trust\n- the log is random where the model is not: of ")
    assert "verdict: do not trust" in repr(model)


def test_a_coin_is_told_from_a_rule_where_no_state_occurs_twice(toy_log):
    reports = [
        cf.DynamicsEnsemble.fit(toy_log(150, is_random=is_random, is_continuous=True), BRIEF, seed=1).fit_report
        for is_random in (True, False)
    ]
    assert [report.num_unlike_states for report in reports] == [0, 0]
    assert reports[0].verdict.reasons[0].figure == "worst_unexplained"
    assert reports[0].worst_entry == 2  # the lamp
    assert "random or not learned" in str(reports[0])
    assert reports[0].verdict.level == "do not trust"
    assert reports[1].verdict.level != "do not trust"
    assert reports[1].worst_unexplained < 0.1


def test_four_rows_teach_nothing():
    spec = cf.GameSpec("nothing", 2, 2, np.eye(2), 1, 1, history_start=0, max_episode_length=2)
    log = {
        "trajectory": [0, 0, 1, 1],
        "state": [[0.0]] * 4,
        "observation": [[[0.0]] * 2] * 4,
        "action": [0, 1, 1, 0],
        "acting_player": [0, 1, 0, 1],
        "reward": [[0, 0], [1, -1], [0, 0], [-1, 1]],
    }
    config = dataclasses.replace(BRIEF, num_steps=10, num_reward_steps=10)
    dataset = cf.TrajectoryDataset.from_transitions(spec, log)
    with pytest.warns(cf.ModelWarning, match="do not trust"):
        report = cf.DynamicsEnsemble.fit(dataset, config, seed=1).fit_report
    assert report.verdict.level == "do not trust"
    assert {"num_episodes", "num_unlike_ends"} <= {reason.figure for reason in report.verdict.reasons}


def test_nothing_held_out_is_not_judged(fit):
    verdict = fit(holdout_fraction=0.0).fit_report.verdict
    assert verdict.level == "not judged"
    assert verdict.headline.startswith("nothing was held out, at least 10 are needed")


@pytest.mark.parametrize(
    ("fraction", "chooses", "words"),
    [
        (
            0.2,
            False,
            "4 held-out trajectories, at least 10 are needed to judge a model; holdout_fraction 0.2 takes a log"
            " of 50 trajectories or more",
        ),
        (0.0, False, "; set holdout_fraction to 0.1 or more; it takes a log of 100 trajectories or more"),
        (
            0.3,
            True,
            "to judge a model and to choose its networks, kinds of entries and when to stop; holdout_fraction 0.3"
            " takes a log of 34 trajectories",
        ),
    ],
)
def test_what_it_takes_to_hold_enough_out_is_said(fraction, chooses, words):
    report = dataclasses.replace(GOOD, num_held_out=4, holdout_fraction=fraction, chooses=chooses)
    assert words in Verdict.of(report).headline


def test_outcomes_and_entries_that_nobody_learns_are_told():
    """Chance shows 2 of 3 outcomes, and one entry of the state changes in the held-out part alone."""
    spec = cf.GameSpec("dealt", 2, 2, np.eye(2), 2, 2, 2, 3, turn_order="predicted", num_chance_actions=3)
    rng = np.random.default_rng(0)
    rows = []
    for game in range(40):
        card, action, odd = rng.integers(2), rng.integers(2), float(game == 39)
        paid = 1.0 if card == action else -1.0
        for move, (player, taken) in enumerate([(-1, card), (0, action)]):
            state = [move * (1 + card), odd]
            pays = [paid * move, -paid * move]
            rows.append((game, state, [state, state], taken, player, pays, [move, move]))
    names = ("trajectory", "state", "observation", "action", "acting_player", "reward", "legal_mask")
    log = {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    dataset = cf.TrajectoryDataset.from_transitions(spec, log)
    found = gaps(dataset, dataset.select(np.arange(39)), dataset.select(np.array([39])))
    assert found == {"num_unseen_outcomes": 1, "new_entries": [1]}
    assert gaps(dataset, dataset, dataset)["new_entries"] == []
    config = dataclasses.replace(BRIEF, num_steps=10, num_reward_steps=10)
    report = cf.DynamicsEnsemble.fit(dataset, config, seed=1).fit_report
    assert report.num_unseen_outcomes == 1
    assert "chance outcomes never seen: 1 of the GameSpec's num_chance_actions" in str(report)


def test_what_training_tells_is_in_the_report(model, dataset):
    told = {
        "choices": {"reward": {"relu": float("inf"), "product": 0.25, "chosen": "product"}},
        "kinds": ("entries 0 to 2 of the state are copied",),
        "codes_explained": 0.81,
    }
    report = FitReport.of(model, {}, dataset, None, seed=0, told=told)
    assert FitReport.from_json(json.loads(json.dumps(report.to_json()))) == report
    words = str(report)
    assert "network of reward: product chosen; held-out losses: relu not finite, product 0.25" in words
    assert "entries 0 to 2 of the state are copied" in words
    assert "explain 81% of the variance" in words
    assert "could be chosen" not in words
    assert "nothing was held out: no network, kind of entry or time to stop could be chosen" in str(
        dataclasses.replace(report, chooses=True)
    )


def test_good_figures_are_good():
    assert Verdict.of(GOOD) == Verdict("good")
    assert dataclasses.replace(GOOD, verdict=Verdict.of(GOOD)).caution() == ""


@pytest.mark.parametrize(
    ("changes", "figure", "level"),
    [
        ({"terminal_recall": 0.8}, "terminal_recall", "use with care"),
        ({"terminal_recall": 0.0, "terminal_precision": None}, "terminal_recall", "do not trust"),
        ({"terminal_precision": 0.3}, "terminal_precision", "do not trust"),
        ({"mask_errors": 0.3}, "mask_errors", "use with care"),
        ({"mask_errors": 3.0}, "mask_errors", "do not trust"),
        ({"worst_unexplained": 0.2}, "worst_unexplained", "use with care"),
        ({"worst_unexplained": 1.1}, "worst_unexplained", "do not trust"),
        ({"reward_error": 2.6}, "reward_error", "use with care"),
        ({"reward_error": 3.9}, "reward_error", "do not trust"),
        ({"last_state_error": 0.7}, "last_state_error", "use with care"),
        ({"model_mean_length": 7.0}, "model_mean_length", "use with care"),
        ({"model_mean_length": 1.0}, "model_mean_length", "do not trust"),
        ({"model_mean_return": -2.0}, "model_mean_return", "do not trust"),
        ({"num_held_out": 4}, "num_held_out", "not judged"),
        ({"num_episodes": 4}, "num_episodes", "do not trust"),
        ({"num_repeated": None}, "num_repeated", "not judged"),
        ({"num_unlike_states": 30}, "num_unlike_states", "do not trust"),
        ({"num_unlike_ends": 2}, "num_unlike_ends", "do not trust"),
        ({"num_repeated": 10_000, "num_unlike_states": 2}, "num_unlike_states", "use with care"),
        ({"num_unlike_rewards": 30}, "num_unlike_rewards", "use with care"),
        ({"num_unlike_views": 30}, "num_unlike_views", "use with care"),
        ({"num_unseen_outcomes": 2}, "num_unseen_outcomes", "use with care"),
        ({"new_entries": [3]}, "new_entries", "use with care"),
        ({"exploring_near_log": 0.75}, "exploring_near_log", "use with care"),
        ({"exploring_near_log": 0.0}, "exploring_near_log", "use with care"),
    ],
)
def test_each_figure_beyond_its_limit_is_a_reason(changes, figure, level):
    verdict = Verdict.of(dataclasses.replace(GOOD, **changes))
    assert (verdict.level, verdict.reasons[0].figure) == (level, figure)
    assert len(verdict.reasons) == 1
    assert f"verdict: {level}\n- {verdict.reasons[0].text}" == str(verdict)


DRAWN = {"mover": {"accuracy": 0.6, "log_loss": 0.7, "base_log_loss": 0.69}}


@pytest.mark.parametrize(
    ("changes", "figure", "level"),
    [
        ({"num_unlike_ends": 30}, None, "good"),  # luck
        ({"num_unlike_ends": 30, "terminal_recall": 0.0}, None, "good"),
        ({"num_repeated": 0, "terminal_recall": 0.0}, None, "good"),  # luck, for all we know
        ({"terminal_recall": 0.8}, "terminal_recall", "use with care"),
        ({"drawn": DRAWN, "num_unlike_movers": 10}, None, "good"),
        ({"drawn": DRAWN}, "drawn", "use with care"),  # decided, and not learned
        ({"drawn": {"chance": {"accuracy": 0.1, "log_loss": 1.5, "base_log_loss": 1.1}}}, "drawn", "use with care"),
        ({"drawn": {"end": {"accuracy": 0.1, "log_loss": 3.0, "base_log_loss": 0.7}}}, "drawn", "do not trust"),
        ({"return_gap": 0.4}, None, "good"),
        ({"return_gap": 2.0}, "return_gap", "use with care"),
        ({"return_gap": 4.0}, "return_gap", "do not trust"),
    ],
)
def test_what_is_drawn_is_judged_by_its_probabilities(changes, figure, level):
    drawn = dataclasses.replace(GOOD, draws_ends=True, num_repeated=100, return_gap=0.0)
    verdict = Verdict.of(dataclasses.replace(drawn, **changes))
    assert verdict.level == level, str(verdict)
    assert [reason.figure for reason in verdict.reasons] == ([figure] if figure else [])


def test_play_is_compared_with_uniform_play_alone():
    other = dataclasses.replace(GOOD, model_mean_length=3.0, model_mean_return=-3.0)
    assert Verdict.of(dataclasses.replace(other, data_is_uniform=False)).level == "good"
    assert len(Verdict.of(other).reasons) == 2


def test_who_played_is_known_from_the_probabilities(model, dataset):
    assert model.fit_report.data_is_uniform
    uniform = -np.log(dataset.legal_masks().sum(axis=1)).astype(np.float32)
    for log_prob, is_uniform in ((uniform, True), (uniform / 2, False)):
        log = cf.TrajectoryDataset(
            dataset.spec, dataset.arrays | {"behavior_log_prob": log_prob}, behavior="people", is_mirrored=True
        )
        assert FitReport.of(model, {}, log, None, seed=0).data_is_uniform is is_uniform


def test_the_worst_reason_comes_first():
    verdict = Verdict.of(dataclasses.replace(GOOD, mask_errors=0.3, num_held_out=4, terminal_recall=0.1))
    assert [reason.level for reason in verdict.reasons] == ["do not trust", "not judged", "use with care"]


def test_the_figures_of_the_papers_networks_are_to_be_used_with_care():
    report = dataclasses.replace(GOOD, reward_error=2.59)
    report = dataclasses.replace(report, verdict=Verdict.of(report))
    assert report.caution().startswith("The model is to be used with care: payoffs are off by 2.6, 0.66 times ")
    assert report.worth_of_regret() == (
        "the model is to be used with care; held-out reward error: the model's payoffs are off by 2.59 on average, so "
        "a claimed gain below 5.18 proves nothing"
    )


def test_reports_survive_json_and_old_ones_are_judged_anew(model):
    report = model.fit_report
    assert report.verdict is not None
    assert FitReport.from_json(json.loads(json.dumps(report.to_json()))) == report
    old = {"losses": {}, "num_held_out": 100, "terminal_recall": 0.2, "terminal_precision": 1.0}
    read = FitReport.from_json(old).verdict
    assert read.level == "do not trust"
    assert read.reasons[0].figure == "terminal_recall"
    assert FitReport.from_json({"num_held_out": 100}).verdict.level == "not judged"


@pytest.mark.parametrize("values", [3, {"state_error": "small"}, {"verdict": {"level": "fine", "reasons": []}}])
def test_reports_of_another_form_are_refused(values):
    with pytest.raises(InvalidArgumentError, match=r"FitReport|Verdict"):
        FitReport.from_json(values)


def test_first_states_that_look_like_the_end_are_refused(model, dataset, config, tmp_path):
    far = dataclasses.replace(config, terminal_threshold=100.0)
    with pytest.raises(DatasetError, match=r"end"):
        cf.DynamicsEnsemble.fit(dataset, far)
    cf.DynamicsEnsemble(model.spec, far, model.seed, model.arrays, model.fit_report).save(tmp_path / "model")
    with pytest.raises(CheckpointError, match="initial state 1?[0-9]+ looks like the end of an episode"):
        cf.DynamicsEnsemble.load(tmp_path / "model")
