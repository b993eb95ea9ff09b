import copy
import pickle

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidGameError

NAMED = {"player_names": ["A", "B"], "strategy_names": [["u", "d"], ["l", "r"]]}


@pytest.fixture
def table():
    return cf.PayoffTable.from_arrays([np.ones((3, 2, 2)), np.zeros((3, 2, 2))], **NAMED)


@pytest.mark.parametrize(
    "derived",
    [
        lambda table: table.mean(),
        lambda table: table.member(2),
        lambda table: table.payoff_bounds()[1],
        lambda table: table.of_first(2),
        copy.deepcopy,
        lambda table: pickle.loads(pickle.dumps(table)),
    ],
)
def test_names_stay_with_a_table(table, derived):
    for named in (table, cf.PayoffTable.symmetric(np.ones((3, 2, 2)), strategy_names=("a", "b"))):
        found = derived(named)
        assert (found.player_names, found.strategy_names) == (named.player_names, named.strategy_names)


def test_a_symmetric_table_has_one_list_of_strategies():
    assert cf.PayoffTable.symmetric(np.eye(2), strategy_names=("a", "b")).strategy_names == (("a", "b"),) * 2


def test_what_is_not_known_is_called_by_name():
    payoffs = [[[1.0, 2.0], [3.0, np.nan]], np.eye(2)]
    for names, place in ((NAMED, r"\(d, r\)"), ({}, r"\(1, 1\)")):
        with pytest.raises(InvalidGameError, match=f"player 0 at profile {place} is not known"):
            cf.PayoffTable.from_arrays(payoffs, **names).regret([[1, 0], [1, 0]])


def test_without_names_there_are_none():
    table = cf.PayoffTable.symmetric(np.eye(2))
    assert (table.player_names, table.strategy_names) == ((), ())


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"player_names": ["A"]}, "player_names must be a list of 2 different names, got 1"),
        ({"player_names": "AB"}, "player_names must be a list of 2 different names, got 'AB'"),
        ({"player_names": ["A", "A"]}, "player_names must differ from each other, got 'A' twice"),
        ({"player_names": ["A", 2]}, "player_names must be texts of .*, got 2"),
        ({"player_names": ["A", ""]}, "player_names must be texts of 1 to 200 .*, got ''"),
        ({"player_names": ["A", "B "]}, "without blanks around them, got 'B '"),
        ({"player_names": ["A", "x" * 201]}, "texts of 1 to 200"),
        ({"player_names": ["A", "\x1b[31m"]}, "printable"),
        ({"strategy_names": [["u", "d"]]}, "strategy_names must be one list a player, 2 in all, got 1"),
        (
            {"strategy_names": [["u", "d"], ["l"]]},
            "strategy_names of player 1 must be a list of 2 different names, got 1",
        ),
        ({"strategy_names": [["u", "d"], 5]}, "strategy_names of player 1 must be a list of 2 .*, got 5"),
        ({"strategy_names": 5}, "strategy_names must be a list of names, got 5"),
    ],
)
def test_what_are_no_names_is_refused(names, message):
    with pytest.raises(InvalidGameError, match=f"PayoffTable.from_arrays: .*{message}") as caught:
        cf.PayoffTable.from_arrays([np.eye(2), np.eye(2)], **names)
    assert len(str(caught.value)) < 300
