import json

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.errors import InvalidGameError


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_square_csv_is_a_symmetric_game(write):
    table = cf.load_payoffs(write("game.csv", "3, 0\n5, 1\n"))
    assert table.is_symmetric
    np.testing.assert_array_equal(table.payoffs(0), [[[3, 0], [5, 1]]])


def test_long_csv_with_payoff_is_a_symmetric_game_in_any_order(write):
    table = cf.load_payoffs(write("game.csv", "payoff,column,row\n5,0,1\n3,0,0\n1,1,1\n0,1,0\n"))
    assert table.is_symmetric
    np.testing.assert_array_equal(table.payoffs(0), [[[3, 0], [5, 1]]])


def test_long_csv_with_two_payoffs_is_a_general_game(write):
    table = cf.load_payoffs(write("game.csv", "row,column,row_payoff,column_payoff\n0,0,1,2\n0,1,3,4\n0,2,5,6\n"))
    assert not table.is_symmetric
    np.testing.assert_array_equal(table.payoffs(0), [[[1, 3, 5]]])
    np.testing.assert_array_equal(table.payoffs(1), [[[2, 4, 6]]])


def test_members_and_gaps(write):
    table = cf.load_payoffs(write("game.csv", "row,column,member,payoff\n0,0,0,1\n0,1,0,\n1,0,1,nan\n1,1,1,4\n\n"))
    payoffs = table.payoffs(0)
    assert payoffs.shape == (2, 2, 2)
    assert payoffs[0, 0, 0] == 1
    assert payoffs[1, 1, 1] == 4
    assert np.isnan(payoffs).sum() == 6


def test_json_symmetric_and_players(write):
    symmetric = cf.load_payoffs(write("a.json", json.dumps({"symmetric": [[[3, 0], [5, 1]], [[3, 0], [5, None]]]})))
    assert symmetric.is_symmetric
    assert symmetric.num_members == 2
    assert not symmetric.is_complete
    general = cf.load_payoffs(write("b.JSON", json.dumps({"players": np.ones((3, 2, 3, 4)).tolist()})))
    assert general.num_strategies == (2, 3, 4)


def test_a_byte_order_mark_is_taken(tmp_path):
    (tmp_path / "game.csv").write_text("1", encoding="utf-8-sig")
    assert cf.load_payoffs(tmp_path / "game.csv").payoffs(0).item() == 1


def test_a_column_for_each_player_and_its_payoff(write):
    table = cf.load_payoffs(
        write(
            "game.csv",
            "Ann,Eve_payoff,Bob,Eve,Ann_payoff,Bob_payoff\nleft,3,up,x,1,2\nright,6,up,x,4,5\nleft,9,up,y,7,8\n",
        )
    )
    assert table.player_names == ("Ann", "Bob", "Eve")
    assert table.strategy_names == (("left", "right"), ("up",), ("x", "y"))
    np.testing.assert_array_equal(table.payoffs(0)[0, :, 0], [[1, 7], [4, np.nan]])
    np.testing.assert_array_equal(table.payoffs(2)[0, :, 0], [[3, 9], [6, np.nan]])
    assert table.mean().player_names == table.member(0).player_names == ("Ann", "Bob", "Eve")


def test_strategies_are_words_as_they_come_or_numbers_from_0(write):
    words = cf.load_payoffs(
        write("a.csv", "row,column,payoff\nrock,rock,0\nrock,paper,-1\npaper,rock,1\npaper,paper,0\n")
    )
    assert words.is_symmetric
    assert words.strategy_names == (("rock", "paper"),) * 2
    np.testing.assert_array_equal(words.payoffs(0)[0], [[0, -1], [1, 0]])
    prices = cf.load_payoffs(write("b.csv", "seller,payoff,buyer\n10,1,10\n10,2,5\n5,3,10\n5,4,5\n"))
    assert prices.player_names == ("seller", "buyer")
    assert prices.strategy_names[0] == ("10", "5")
    np.testing.assert_array_equal(prices.payoffs(0)[0], [[1, 2], [3, 4]])
    numbers = cf.load_payoffs(write("c.csv", "a,a_payoff\n2,7\n0,5\n1,6\n"))
    assert numbers.strategy_names == ()
    np.testing.assert_array_equal(numbers.payoffs(0)[0], [5, 6, 7])


def test_names_of_square_tables_are_kept(write):
    for text in ("strategy,rock,paper\nrock,3,0\npaper,5.5,1\n", "rock,paper\n3,0\n5.5,1\n"):
        assert cf.load_payoffs(write("game.csv", text)).strategy_names == (("rock", "paper"),) * 2
    assert cf.load_payoffs(write("game.csv", ",0,1\n0,3,0\n1,5.5,1\n")).strategy_names == ()


def test_json_names(write):
    content = {"players": [[[1, 2]], [[3, 4]]], "player_names": ["A", "B"], "strategy_names": [["u"], ["l", "r"]]}
    table = cf.load_payoffs(write("a.json", json.dumps(content)))
    assert (table.player_names, table.strategy_names) == (("A", "B"), (("u",), ("l", "r")))
    for key, wrong in (("player_names", ["A"]), ("strategy_names", [["u"], ["l", "l"]]), ("player_names", "AB")):
        with pytest.raises(InvalidGameError, match=f"a.json: .*{key}"):
            cf.load_payoffs(write("a.json", json.dumps({**content, key: wrong})))


def tables():
    rng = np.random.default_rng(0)
    three = rng.normal(size=(3, 2, 3, 2)) * 1e-7
    hidden = three.copy()
    hidden[1, 0, 2, 1] = np.nan
    names = {
        "player_names": ["Ann, the 1st", 'Bob "B"', "Eve"],
        "strategy_names": [["a", "b"], ["1", "2.5", "-1"], ["ü", "x y"]],
    }
    yield cf.PayoffTable.from_arrays(list(three))
    yield cf.PayoffTable.from_arrays(list(three), **names)
    yield cf.PayoffTable.from_arrays(list(hidden), **names)
    yield cf.PayoffTable.from_arrays([[array, 1e80 * array] for array in three], **names)
    yield cf.PayoffTable.from_arrays([np.array([1.0, 2.0, 1 / 3])])
    yield cf.PayoffTable.symmetric(
        rng.normal(size=(3, 4, 4)), strategy_names=["w", "x", "y", "z"], player_names=["A", "B"]
    )
    yield cf.PayoffTable.symmetric(rng.normal(size=(2, 2)))


@pytest.mark.parametrize("table", list(tables()), ids=repr)
@pytest.mark.parametrize("ending", [".csv", ".json", ".nfg"])
def test_what_is_saved_is_loaded_to_the_last_bit(table, ending, tmp_path):
    path = tmp_path / f"game{ending}"
    if ending == ".nfg" and (table.num_members > 1 or not table.is_complete):
        with pytest.raises(InvalidGameError, match=r"save_payoffs: .*(table.mean\(\)|is not known)"):
            cf.save_payoffs(table, path)
        assert not path.exists()
        return
    cf.save_payoffs(table, path)
    found = cf.load_payoffs(path)
    assert found.is_symmetric == (table.is_symmetric and ending != ".nfg")
    for player in range(table.num_players):
        np.testing.assert_array_equal(found.payoffs(player), table.payoffs(player))
    assert found.player_names == table.player_names or not table.player_names
    assert found.strategy_names == table.strategy_names or (not table.strategy_names and ending == ".nfg")


def test_what_a_file_cannot_hold_is_refused(tmp_path):
    payoffs = [[[1, 2], [3, 4]]] * 2
    for file, names, message in [
        ("a.csv", {"player_names": ["a", "a_payoff"]}, "columns"),
        ("a.csv", {"strategy_names": [["a;b", "c"], ["d", "e"]]}, "semicolons"),
        ("a.csv", {"strategy_names": [["1", "0"], ["d", "e"]]}, "have their order"),
        ("a.nfg", {"player_names": ["a", "b\\"]}, "backslashes"),
        ("a.txt", {}, "must end in"),
    ]:
        with pytest.raises(InvalidGameError, match=message):
            cf.save_payoffs(cf.PayoffTable.from_arrays(payoffs, **names), tmp_path / file)
    assert list(tmp_path.iterdir()) == []


SQUARE = [[[3, 0], [5.5, 1]]]


@pytest.mark.parametrize(
    "text",
    [
        "3,0\n5.5,1",
        "3;0\r\n5.5;1\r\n",
        "3;0\n5,5;1",
        "3\t0\n5,5\t1",
        "3 0\n 5.5   1",
        ",0,1\n0,3,0\n1,5.5,1\n",  # as a data frame is written
        "0,1\n3,0\n5.5,1\n",  # and without its index
        ";a;b\na;3;0\nb;5,5;1\n",
        "strategy,rock,paper\nrock,3,0\npaper,5.5,1\n",
        ",rock,paper\n0,3,0\n1,5.5,1\n",
        "rock,paper\n3,0\n5.5,1\n",
        "row;column;payoff\n0;0;3\n0;1;0\n1;0;5,5\n1;1;1",
        "row column payoff\n0 0 3\n0 1 0\n1 0 5.5\n1 1 1",
    ],
)
def test_separators_decimal_commas_and_names_of_a_data_frame_are_known(write, text):
    np.testing.assert_array_equal(cf.load_payoffs(write("game.csv", text)).payoffs(0), SQUARE)


def test_a_game_of_two_strategies_may_begin_with_0_and_1(write):
    np.testing.assert_array_equal(cf.load_payoffs(write("game.csv", "0,1\n1,0")).payoffs(0), [[[0, 1], [1, 0]]])
    unknown = cf.load_payoffs(write("game.csv", ",0\n5,1")).payoffs(0)
    np.testing.assert_array_equal(unknown, [[[np.nan, 0], [5, 1]]])


def test_what_pandas_writes_is_read_or_refused(tmp_path, rng):
    pandas = pytest.importorskip("pandas")
    for shape in [(2, 2), (3, 3), (4, 4), (2, 3), (3, 2), (3, 4), (4, 3)]:
        values = rng.normal(size=shape)
        for index in (True, False):
            pandas.DataFrame(values).to_csv(tmp_path / "game.csv", index=index)
            if shape[0] == shape[1]:
                np.testing.assert_array_equal(cf.load_payoffs(tmp_path / "game.csv").payoffs(0), [values])
            else:
                with pytest.raises(InvalidGameError, match=r"game\.csv, line 1: .*(row, column and payoff)"):
                    cf.load_payoffs(tmp_path / "game.csv")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("game.txt", "1", "must end in .csv, .json or .nfg"),
        ("game.csv", " \n\n", "the file is empty"),
        ("game.csv", "1,2\n3\n", "line 2: a square table of 2 lines must have 2 numbers in each, got 1"),
        ("game.csv", "1,2\n\n3,x\n", "line 3, column 2: expected a number, got 'x'"),
        ("game.csv", "1,2\n3,1e999\n", "line 2, column 2: payoffs must be finite"),
        ("game.csv", "row,payoff\n0,1\n", "line 1: columns must be row, column"),
        ("game.csv", "row,column,payoff,cost\n0,0,1,1\n", "line 1: columns must be .*, got row, column, payoff, cost"),
        ("game.csv", "row,column,payoff\n0,0,1\n0,1\n", "line 3: must have 3 fields, got 2"),
        ("game.csv", "row,column,payoff\n0,0,1\n0,0,2\n", "line 3: the entry of row 0, column 0 came before"),
        ("game.csv", "row,column,payoff\n0,,1\n", "line 2: the strategy of column is missing"),
        ("game.csv", "row,column,member,payoff\n0,0,-1,1\n", "line 2: member must be a whole number from 0, got '-1'"),
        ("game.csv", "row,column,payoff\n0,\x07,1\n", "strategy_names of player 0 must be texts of 1 to 200 printable"),
        ("game.csv", "a,b,payoff,a_payoff\n0,0,1,1\n", "line 1: columns must be"),
        ("game.csv", "a,b,c,payoff\n0,0,0,1\n", "line 1: columns must be"),
        ("game.csv", "a,a,a_payoff,a_payoff\n0,0,0,1\n", "line 1: columns must be"),
        ("game.csv", "row,column,payoff\n", "no payoffs under the header"),
        ("game.csv", "row,column,member,payoff\n0,0,999999999,1\n", "1 lines are too few for 1000000000 members"),
        ("game.csv", "row,column,member,payoff\n0,0,9999999999,1\n", "whole number"),
        ("game.csv", "0,1,2\n3,0,4\n5,1,6\n", "line 1: 0, 1, 2 may be names of columns or payoffs; .* 0.0"),
        ("game.csv", ",a,b\nb,3,0\na,5,1\n", "line 1: rows and columns must have the same names in the same order"),
        ("game.csv", "1,000;2\n3;4", "the comma in 1,000 may be a decimal point or part thousands"),
        ("game.csv", "1,5;2.5\n3;4", "the comma in 1,5 may be"),
        (
            "game.csv",
            "1,5 2,5\n1,5 2,5",
            "a square table of 2 lines must .* separated by commas, semicolons, tabs or blank",
        ),
        ("game.csv", "1|2\n3|4", "separated by commas, semicolons, tabs or blanks"),
        ("game.csv", "row,column,payoff\n0,0,-inf\n", "line 2, column payoff: payoffs must be finite, got -inf"),
        ("game.csv", "1,2\n3,1_0\n", "line 2, column 2: expected a number, got '1_0'"),
        ("game.csv", "1,2\n3,\x00\n", "line"),
        ("game.csv", "1,2\n3," + "9" * 200_000, "field larger than field limit"),
        ("game.json", '{"symmetric": [[1]], "symmetric": [[2]]}', "the key 'symmetric' is given twice"),
        ("game.json", '{"symmetric": [[NaN]]}', "the number NaN is not finite"),
        ("game.json", '{"symmetric": [[1e999]]}', "is not finite"),
        ("game.json", '{"symmetric": [[1, 2], [3]]}', "payoffs"),
        ("game.json", '{"symmetric": 5}', "payoffs"),
        ("game.json", '{"symmetric": {"a": [1]}}', "payoffs"),
        ("game.json", '{"players": [5, null]}', "payoffs"),
        ("game.json", "{", "not valid JSON: .*line 1"),
        ("game.json", "[" * 100_000, "not valid JSON"),
        ("game.json", "[1]", "object with one key"),
        ("game.json", '{"symmetric": [[1]], "players": []}', "object with one key"),
        ("game.json", '{"symmetric": [[1, 2]]}', r"must have shape \[S, S\]"),
        ("game.json", '{"symmetric": [["1"]]}', "real numbers"),
        ("game.json", '{"symmetric": [[Infinity]]}', "the number Infinity is not finite"),
        ("game.json", '{"players": {"a": 1}}', "must be a list"),
        ("game.json", '{"players": [[[1, 2]], [[1], [2]]]}', "payoffs of player 1 must have shape"),
    ],
)
def test_malformed_files_are_refused_by_name_and_line(write, name, text, message):
    path = write(name, text)
    with pytest.raises(InvalidGameError, match=f"{path.name}.*{message}"):
        cf.load_payoffs(path)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "game.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidGameError, match="must be UTF-8 text"):
        cf.load_payoffs(tmp_path / "game.csv")
    with pytest.raises(InvalidGameError, match=r"none\.csv: cannot be read: No such file"):
        cf.load_payoffs(tmp_path / "none.csv")
