"""What predicted observations tell of hidden ones is found, and nothing else is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.models import FitReport, Verdict
from coffee_fast.models.following import Followed
from coffee_fast.models.leak_probe import leaks, probe

NUM_ROWS = 600


def found_in(report):
    return [reason for reason in Verdict.of(report).reasons if reason.figure == "leaks"]


def test_the_papers_model_leaks_and_its_verdict_says_so(papers):
    report = papers.fit_report
    assert (report.num_probed, report.probed_are_held_out) == (600, False)
    after_six = next(leak for leak in report.leaks if leak["moves_made"] == 6)
    assert after_six["share"] > 2 * after_six["by_chance"]
    assert after_six["entry"] in (5, 6, 7)  # what an item is worth to the other
    assert after_six["of_player"] == 1 - after_six["player"]
    (reason,) = found_in(report)
    assert reason.level == "use with care"
    assert "which it cannot know" in reason.text
    assert "leak probe, 600 trajectories" in str(report)


def test_a_model_that_copies_tells_nothing(longer_log, papers):
    followed = Followed.of(papers, longer_log)
    copied = dataclasses.replace(followed, information_states=longer_log.information_states())
    found = leaks(copied, longer_log)
    assert [leak["moves_made"] for leak in found] == list(range(1, 11))
    assert {leak["share"] for leak in found} == {0.0}
    assert not found_in(dataclasses.replace(papers.fit_report, leaks=found))


@pytest.mark.parametrize("is_own", [True, False], ids=["of what the player knows", "of nothing"])
def test_errors_that_tell_nothing_are_no_leak(longer_log, papers, is_own, rng):
    known = longer_log.information_states()
    mix = rng.normal(size=(known.shape[1], known.shape[1])) * 0.2
    error = np.tanh(known @ mix) if is_own else rng.normal(size=known.shape)
    told = (known + 0.03 * error).astype(np.float32)
    found = leaks(dataclasses.replace(Followed.of(papers, longer_log), information_states=told), longer_log)
    assert len(found) == 10
    assert all(leak["share"] < leak["by_chance"] < 0.2 for leak in found)
    assert not found_in(dataclasses.replace(papers.fit_report, leaks=found))


@pytest.fixture
def views(rng):
    """What a player knows, two entries that are hidden from it, and one that it sees."""
    known = np.concatenate([rng.normal(size=(NUM_ROWS, 4)), rng.integers(3, size=(NUM_ROWS, 2))], axis=1)
    hidden = np.concatenate([rng.normal(size=(NUM_ROWS, 2)), known[:, :1]], axis=1)
    return known, hidden


def test_a_share_is_what_the_errors_explain(views, rng):
    """Of a hidden entry with variance 1 under noise of variance 1, a half; whatever its size and the player's part."""
    known, hidden = views
    error = np.zeros_like(known)
    error[:, 1] = 0.01 * (hidden[:, 1] + rng.normal(size=NUM_ROWS)) + 0.5 * known[:, 2]
    shares, by_chance = probe(known, known + error, hidden)
    assert shares[1] == pytest.approx(0.5, abs=0.08)
    assert abs(shares[0]) < by_chance[0] < 0.05
    assert np.isnan(shares[2])  # seen, not hidden


def test_what_the_log_shows_anyway_is_no_leak(views, rng):
    """A hidden entry of which the player's own tell a product: errors that hold the same product add nothing."""
    known, hidden = views
    hidden[:, 0] = known[:, 0] * known[:, 1] + 0.5 * hidden[:, 0]
    error = np.zeros_like(known)
    error[:, 3] = 0.1 * known[:, 0] * known[:, 1] + 0.001 * rng.normal(size=NUM_ROWS)
    shares, by_chance = probe(known, known + error, hidden)
    assert shares[0] < by_chance[0]


def test_too_few_episodes_tell_nothing(views):
    known, hidden = views
    assert np.isnan(probe(known[:50], known[:50] + 0.1, hidden[:50])[0]).all()
    assert np.isnan(probe(known, known + 0.1 * hidden[:, :1] ** 2, hidden, copies=12)[0]).all()


def test_numbers_that_are_none_are_survived(views):
    known, hidden = views
    told = known.copy()
    told[:, 0] = np.nan
    told[3, 1] = np.inf
    assert not np.isnan(probe(known, told, hidden)[0][:2]).any()


def test_what_chance_would_explain_is_hardly_exceeded(rng):
    """Over many draws of errors that depend on nothing: unbiased, and within the bound."""
    known, hidden = rng.normal(size=(150, 3)), rng.normal(size=(150, 40))
    ratios, shares = [], []
    for _ in range(20):
        share, by_chance = probe(known, known + rng.normal(size=known.shape), hidden)
        shares.append(share)
        ratios.append(share / by_chance)
    assert np.abs(np.mean(shares)) < 0.005
    assert 0.2 < np.max(ratios) < 1.0


def test_held_out_episodes_are_probed_where_there_are_enough(longer_log, papers):
    held_out = cf.generate_dataset(cf.load_game("generalized_bargaining"), num_trajectories=640, seed=9)
    report = FitReport.of(papers, {}, longer_log, held_out, seed=0)
    assert (report.num_probed, report.probed_are_held_out) == (640, True)
