"""Gambit's strategic games: both versions of the format as its documentation shows them, and what is refused."""

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidGameError

PAYOFFS = """NFG 1 R "Selten (IJGT, 75), Figure 2, normal form"
{ "Player 1" "Player 2" } { 3 2 }

1 1 0 2 0 2 1 1 0 3 2 0
"""
OUTCOMES = """NFG 1 R "Selten (IJGT, 75), Figure 2, normal form" { "Player 1" "Player 2" }

{
{ "1" "2" "3" }
{ "1" "2" }
}

{
{ "" 1, 1 }
{ "" 0, 2 }
{ "" 0, 2 }
{ "" 1, 1 }
{ "" 0, 3 }
{ "" 2, 0 }
}
1 2 3 4 5 6
"""


@pytest.fixture
def load(tmp_path):
    def load(text):
        path = tmp_path / "game.nfg"
        path.write_text(text, encoding="utf-8")
        return cf.load_payoffs(path)

    return load


@pytest.mark.parametrize("text", [PAYOFFS, OUTCOMES], ids=["payoffs", "outcomes"])
def test_both_versions_describe_the_same_game(load, text):
    table = load(text)
    assert table.player_names == ("Player 1", "Player 2")
    assert table.strategy_names == (("1", "2", "3"), ("1", "2"))
    np.testing.assert_array_equal(table.payoffs(0)[0], [[1, 1], [0, 0], [0, 2]])
    np.testing.assert_array_equal(table.payoffs(1)[0], [[1, 1], [2, 3], [2, 0]])


def test_first_players_strategy_changes_fastest_and_numbers_are_exact(load):
    numbers = [f"{i}/3" if i % 3 else f"{i // 3}.0" for i in range(24)]
    table = load(f'NFG 1 D "" {{ "a" "b" "c" }} {{ 2 2 2 }} "a comment" {" ".join(numbers)}')
    for player in range(3):
        for profile in np.ndindex(2, 2, 2):
            place = profile[0] + 2 * profile[1] + 4 * profile[2]
            assert table.payoffs(player)[(0, *profile)] == (3 * place + player) / 3


def test_outcome_0_pays_nothing_and_may_be_said_often(load):
    table = load('NFG 1 R "" {"a" "b"} {{"u" "d"} {"l" "r"}} "" { {"win" 3 -3.5} {"" 1/2,2} } 0 1 1 2')
    np.testing.assert_array_equal(table.payoffs(0)[0], [[0, 3], [3, 0.5]])
    np.testing.assert_array_equal(table.payoffs(1)[0], [[0, -3.5], [-3.5, 2]])


def test_names_that_are_missing_are_numbers(load):
    table = load('NFG 1 R "" { "" "" } { { "" "b" } { "x" } } 1 2 3 4')
    assert table.player_names == ()
    assert table.strategy_names == (("1", "b"), ("x",))
    assert load('NFG 1 R "" { "" "B" } { 1 1 } 1 2').player_names == ("Player 1", "B")


def test_quotes_within_names(load, tmp_path):
    table = load('NFG 1 R "a \\"title\\"" { "an \\"A\\"" "B" } { 1 1 } 1 2')
    assert table.player_names == ('an "A"', "B")
    cf.save_payoffs(table, tmp_path / 'the "file".nfg')
    assert cf.load_payoffs(tmp_path / 'the "file".nfg').player_names == table.player_names


HEAD = 'NFG 1 R "" { "A" "B" } { 2 1 } '


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: expected NFG, .* got the end of the file"),
        ('EFG 2 R "" { "A" } ', "line 1, column 1: expected NFG, a strategic game"),
        ("nfg 1 R", "column 1: expected NFG"),
        ("NFG 2 R", "column 5: expected 1, the version of the format, got '2'"),
        ("NFG 1 X", "column 7: expected R or D"),
        ('NFG 1 R "open', "column 9: expected a text in quotes, a number or a brace, got '\"open'"),
        ('NFG 1 R "" { }', "column 14: expected a player's name in quotes, got '}'"),
        ('NFG 1 R "" { "A" 3', "expected a player's name in quotes, or }, got '3'"),
        ('NFG 1 R "" { "A" "B" }\n{ 2 }', "line 2, column 5: expected the number of strategies of player 2, a whole"),
        ('NFG 1 R "" { "A" "B" } { 2 0 }', "a whole number from 1 to 1000000, got"),
        ('NFG 1 R "" { "A" "B" } { 2 1.5 }', "a whole number from 1 to 1000000, got"),
        ('NFG 1 R "" { "A" "B" } { 2 1 3 }', "expected } after the strategies of all players, got '3'"),
        ('NFG 1 R "" { "A" "B" } { {"a"} 1 }', "expected { before a name in quotes of a strategy of player 2"),
        ('NFG 1 R "" { "A" "B" } { 99 99 } 1', "expected 19602 payoffs"),
        ('NFG 1 R "" { "A" "A" } { 1 1 } 1 2', "player_names must differ from each other, got 'A' twice"),
        ('NFG 1 R "" { "A" "B" } { {"a" "a"} {"b"} } 1 2 3 4', "strategy_names of player 0 must differ"),
        ('NFG 1 R "" { "A\x1b[1m" "B" } { 1 1 } 1 2', "printable"),
        ('NFG 1 R "" { ' + '"A" ' * 25 + "} { }", "expected at most 24 players"),
        (HEAD + "1 2 3", "expected a payoff, as -3, 0.5 or 1/3, got the end of the file"),
        (HEAD + "1 2 3 4 5", "expected the end of the file, as all profiles have their payoffs, got '5'"),
        (HEAD + "1 2 3 x", "expected a payoff, .* got 'x'"),
        (HEAD + "1 2 3 1.2.3", "expected a text in quotes, a number or a brace, got '1.2.3'"),
        (HEAD + "1 2 3 1/0", "expected a payoff, .* got '1/0'"),
        (HEAD + "1 2 3 .5/2", "expected a payoff, .* got '.5/2'"),
        (HEAD + "1 2 3 1e999", "expected a payoff that a floating-point number can hold"),
        (HEAD + "1 2 3 " + "9" * 900 + "/1", "expected a payoff that a floating-point number can hold"),
        (HEAD + "1 2 3 " + "9" * 5000, "expected a number of at most 1000 characters"),
        (HEAD + "1 2 3 1e290", "at most 1e280 in size"),
        (HEAD + '{ { "" 1 } } 1 1', "expected a payoff, .* got '}'"),
        (HEAD + '{ { "" 1 2 3 } } 1 1', "expected } after one payoff a player, got '3'"),
        (HEAD + '{ { "" 1 2 } } 1 2', "expected the outcome of a profile, a whole number from 0 to 1, got '2'"),
        (HEAD + '{ { "" 1 2 } } 1', "expected the outcome of a profile, .* got the end of the file"),
        (HEAD + "{ 1 2 } 1 1", "expected { before an outcome, or } after the last one"),
        ('NFG 1 R "" { "A" "B" } { 9999 9999 } { {"" 1 1} } 1', "expected the outcomes of 99980001 profiles"),
    ],
)
def test_what_is_not_of_the_format_is_refused_at_its_place(load, text, message):
    with pytest.raises(InvalidGameError, match=f"game.nfg.*{message}") as caught:
        load(text)
    assert len(str(caught.value)) < 500
