"""What a run's report says of regret."""

from __future__ import annotations

import numpy as np
import pytest

from coffee_fast.evaluation import RegretReport
from coffee_fast.reports.run_regret import regret_table


@pytest.mark.parametrize(
    ("deviation", "words"),
    [
        ("best response 1", "opponent trained against that of iteration 8 |"),
        ("best response 1 (policy_gradient)", "opponent trained against that of iteration 8 (policy_gradient) |"),
        ("strategy 3", "strategy 3 |"),
        ("none", "none |"),
    ],
)
def test_the_table_says_whose_the_best_deviation_is(deviation, words):
    figures = [np.ones(2)] * 6
    report = RegretReport(*figures, (deviation,), (np.ones(1),), ((deviation,),), {}, 10, 0)
    assert words in regret_table({0: report, 8: report})
