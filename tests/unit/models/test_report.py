"""The figures of a fit, against slow counts of the same."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.models import FitReport
from coffee_fast.seeding import derive_seed


def test_held_out_trajectories_are_not_trained_on(model, dataset, config):
    """Other rewards in what is kept out change the report alone."""
    training, held_out = dataset.split(config.holdout_fraction, derive_seed(4, "holdout"))
    assert model.fit_report.num_held_out == held_out.num_trajectories == 12
    alone = cf.DynamicsEnsemble.fit(training, dataclasses.replace(config, holdout_fraction=0.0), seed=4)
    for name, array in alone.arrays.items():
        if not name.startswith("initial."):
            np.testing.assert_array_equal(model.arrays[name], array, err_msg=name)
    assert len(model.arrays["initial.player"]) == dataset.num_trajectories


def test_figures_count_what_they_say(model, dataset):
    report = FitReport.of(model, {}, dataset, dataset, seed=0)
    core = model.core
    predicted = core.next_states(dataset.state, dataset.action)
    rewards, disagreement = core.rewards(dataset.state, dataset.action)
    _, masks = core.observe(dataset.state)
    true_masks = dataset.legal_masks()
    state_errors, reward_errors, disagreements, hits, calls, mask_errors = [], [], [], 0, 0, 0
    for t in range(dataset.num_transitions):
        called = float(np.abs(predicted[t] + 1).mean()) < 0.5
        calls += called
        mask_errors += int((masks[t] != true_masks[t]).sum())
        if not dataset.terminal[t]:
            state_errors.append(np.abs(predicted[t] - dataset.next_state[t]).mean())
            continue
        hits += called
        if dataset.reward[t].any():
            reward_errors.append(np.abs(rewards[t].mean(axis=1) - dataset.reward[t]).mean())
            disagreements.append(disagreement[t])
    assert report.state_error == pytest.approx(np.mean(state_errors))
    assert report.reward_error == pytest.approx(np.mean(reward_errors))
    assert report.disagreement == pytest.approx(np.mean(disagreements))
    assert report.disagreement_correlation == pytest.approx(np.corrcoef(reward_errors, disagreements)[0, 1])
    assert report.terminal_recall == pytest.approx(hits / dataset.num_trajectories)
    assert report.terminal_precision == (pytest.approx(hits / calls) if calls else None)
    assert report.mask_errors == pytest.approx(mask_errors / dataset.num_transitions)
    assert report.data_deal_rate == pytest.approx(len(reward_errors) / dataset.num_trajectories)
    assert report.data_mean_length == dataset.num_transitions / dataset.num_trajectories


def test_without_holdout_there_are_no_held_out_figures(fit):
    report = fit(holdout_fraction=0.0).fit_report
    assert (report.num_held_out, report.reward_error, report.terminal_recall) == (0, None, None)
    assert "nothing was held out" in str(report)
    assert FitReport.from_json(report.to_json()) == report


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_model_of_paper_size_is_as_faithful_as_it_should_be():
    """(1000, uniform), judged by fresh episodes of the true game; bands around an independent implementation."""
    game = cf.load_game("generalized_bargaining")
    dataset = cf.generate_dataset(game, num_trajectories=1000, seed=0)
    fresh = cf.generate_dataset(game, num_trajectories=2000, seed=99, mirrored=False)
    model = cf.DynamicsEnsemble.fit(dataset, cf.EnsembleConfig(holdout_fraction=0.0), seed=1, num_threads=2)
    report = FitReport.of(model, {}, dataset, fresh, seed=0)
    assert report.model_mean_length == pytest.approx(9.375, abs=0.25)
    assert report.model_deal_rate == pytest.approx(0.332, abs=0.05)
    assert report.terminal_recall > 0.95
    assert report.terminal_precision > 0.99
    assert report.mask_errors < 0.05
    assert 1.2 < report.reward_error < 3.0
    assert 0.7 < report.disagreement < 1.8
    assert report.disagreement_correlation > 0.15
    assert {reason.figure for reason in report.verdict.reasons} <= {"reward_error", "leaks"}
    assert report.verdict.level != "do not trust"


def test_a_short_fit_is_on_its_way():
    """A tenth of the paper's steps on small networks: ends are seen, legal actions known, uniform play about right."""
    dataset = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=400, seed=0)
    config = cf.EnsembleConfig(
        num_members=2, hidden_sizes=(64, 64), num_steps=2400, num_reward_steps=300, learning_rate=2e-3
    )
    report = cf.DynamicsEnsemble.fit(dataset, config, seed=1, num_threads=2).fit_report
    assert report.terminal_recall > 0.5
    assert report.terminal_precision > 0.95
    assert report.mask_errors < 1.0
    assert report.state_error < 0.2
    assert report.model_mean_length == pytest.approx(report.data_mean_length, abs=1.0)
    assert report.model_deal_rate == pytest.approx(report.data_deal_rate, abs=0.2)


def test_the_chance_of_being_paid_is_judged_and_counted_once(dataset, config):
    config = dataclasses.replace(config, payments="probability")
    _, held_out = dataset.split(config.holdout_fraction, derive_seed(4, "holdout"))
    model = cf.DynamicsEnsemble.fit(dataset, config, seed=4)
    ends = np.flatnonzero(held_out.terminal)
    moves = held_out.state[ends], held_out.action[ends], held_out.acting_player[ends].astype(np.int32)
    paid, does_pay = model.core.pays(*moves), (held_out.reward[ends] != 0).any(axis=1)
    foretold = np.where(does_pay, paid, 1 - paid)
    assert model.fit_report.drawn["pay"]["log_loss"] == pytest.approx(-np.log(foretold).mean())

    member_rewards = model.core.rewards(*moves)[0]
    errors = np.abs(member_rewards.mean(axis=2) - held_out.reward[ends])[does_pay]
    assert model.fit_report.reward_error == pytest.approx(errors.mean())
    last = max(int(name.split(".")[2]) for name in model.arrays if name.startswith("pay.0."))
    weight, bias = (f"pay.0.{last}.{part}" for part in ("weight", "bias"))
    sure = model.arrays | {weight: np.zeros_like(model.arrays[weight]), bias: np.float32([50.0])}
    if_paid = cf.DynamicsEnsemble(model.spec, config, 0, sure, model.fit_report).core.rewards(*moves)[0]
    assert paid.min() < 0.9
    np.testing.assert_allclose(member_rewards, if_paid * paid[:, None, None], rtol=1e-12)
