"""What is foretold against what comes, and the members' range against the truth."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from coffee_fast.models import FitReport, Verdict
from coffee_fast.models.calibration import coverage, score


@pytest.fixture
def foretold(rng):
    """Exact probabilities of three classes in 4000 rows, and the classes that came."""
    probabilities = rng.dirichlet(np.ones(3), size=4000)
    classes = (rng.random(4000)[:, None] > probabilities.cumsum(axis=1)).sum(axis=1)
    return probabilities, classes


def reasons(**figures):
    return Verdict.of(FitReport(**figures)).reasons


def test_exact_probabilities_are_calibrated(foretold):
    found = score(*foretold)
    assert found["calibration_error"] < found["calibration_by_chance"] < 0.1
    assert found["log_loss"] < found["base_log_loss"]
    assert not [reason for reason in reasons(drawn={"chance": found}) if reason.figure == "drawn"]


def test_probabilities_that_are_too_sure_are_a_reason(foretold):
    probabilities, classes = foretold
    sure = probabilities**4
    found = score(sure / sure.sum(axis=1, keepdims=True), classes)
    assert found["calibration_error"] > max(0.1, found["calibration_by_chance"])
    (reason,) = (reason for reason in reasons(drawn={"chance": found}) if "foretold" in reason.text)
    assert (reason.figure, reason.level) == ("drawn", "use with care")


def test_few_rows_prove_little(foretold):
    probabilities, classes = (part[:12] for part in foretold)
    found = score(probabilities, classes)
    assert found["calibration_error"] < found["calibration_by_chance"]
    copies = score(np.repeat(probabilities, 2, axis=0), np.repeat(classes, 2), copies=2)
    assert copies["calibration_by_chance"] == pytest.approx(found["calibration_by_chance"])


def test_what_never_ends_where_it_should_is_counted():
    found = score(np.tile([0.9, 0.1], (200, 1)), np.repeat([0, 1], 100))
    assert found["calibration_error"] == pytest.approx(0.4)
    assert found["calibration_by_chance"] < 0.1


@pytest.mark.parametrize(("num_members", "expected"), [(2, 1 / 3), (4, 0.6), (8, 7 / 9)])
def test_members_like_the_truth_hold_it_in_their_share(rng, num_members, expected):
    values = rng.normal(size=(5000, 2, num_members + 1)).astype(np.float32)
    found = coverage(values[:, :, 1:].astype(np.float64), values[:, :, 0])
    assert found["covered_if_calibrated"] == pytest.approx(expected)
    assert found["covered"] == pytest.approx(expected, abs=0.03)


def test_one_member_has_no_range():
    assert coverage(np.zeros((3, 2, 1)), np.zeros((3, 2), np.float32)) == {}


def test_members_that_are_too_sure_are_a_reason_where_payoffs_are_off():
    figures = {"covered": 0.1, "covered_if_calibrated": 0.6, "reward_error": 1.5, "reward_spread": 4.0}
    (reason,) = (reason for reason in reasons(**figures) if reason.figure == "covered")
    assert "10% of held-out payoffs lie within their range, where 60% should" in reason.text
    for changes in {"covered": 0.4}, {"reward_error": 0.5}:
        assert "covered" not in {reason.figure for reason in reasons(**figures | changes)}


def test_the_report_says_it_in_words(model):
    words = str(dataclasses.replace(model.fit_report, covered=0.25, covered_if_calibrated=0.5))
    assert "25% of these payoffs lie within the members' range; 50% would" in words
    assert 0 <= model.fit_report.covered <= 1
    assert model.fit_report.covered_if_calibrated == 0.5  # of three members
