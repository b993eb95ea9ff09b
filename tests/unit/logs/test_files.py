"""Logs in files, as spreadsheets and data frames write them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import coffee_fast as cf
from coffee_fast.logs.files import read_table

LINES = [("deal", "who", "said", "limit", "gain_s", "gain_b")] + [
    (f'"deal, {deal}"', who, said, limit, *gains)
    for deal in range(12)
    for who, said, limit, gains in (
        ("seller", "10", "1.5", ("0", "0")),
        ("buyer", ("yes", "no")[deal % 2], "2.5", (str(deal % 3), "1.25")),
    )
]
COLUMNS = {"episode": "deal", "player": "who", "action": "said", "observation": "limit", "reward": "gain_"}


def written(path, separator=",", point=".", encoding="utf-8", end="\n"):
    lines = [separator.join(field.replace(".", point) for field in line) for line in LINES]
    path.write_bytes(end.join([*lines, ""]).encode(encoding))
    return path


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"separator": ";", "point": ","},
        {"separator": "\t"},
        {"encoding": "utf-8-sig"},
        {"end": "\r\n"},
        {"separator": ", "},
    ],
)
def test_every_form_of_csv_says_the_same(tmp_path, form):
    expected = cf.TrajectoryDataset.from_transitions(None, written(tmp_path / "a.csv"), columns=COLUMNS)
    found = cf.TrajectoryDataset.from_transitions(None, str(written(tmp_path / "b.csv", **form)), columns=COLUMNS)
    assert found.fingerprint == expected.fingerprint
    assert found.spec.action_names == ("10", "no", "yes")
    assert found.reward.max() == 2


def test_parquet_says_what_csv_does(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.read_csv(written(tmp_path / "a.csv"))
    frame.to_parquet(tmp_path / "a.parquet")
    found = cf.TrajectoryDataset.from_transitions(None, tmp_path / "a.parquet", columns=COLUMNS)
    again = cf.TrajectoryDataset.from_transitions(None, tmp_path / "a.csv", columns=COLUMNS)
    assert found.fingerprint == again.fingerprint
    (tmp_path / "broken.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:200])
    with pytest.raises(cf.DatasetError, match=r"broken.parquet: is not a whole Parquet file"):
        read_table(tmp_path / "broken.parquet")


def test_columns_have_types(tmp_path):
    (tmp_path / "a.csv").write_text(",id,count,part,word,mixed\n0,007,1,0.5,a,1\n1,7,2,,b,x\n2,07,3,2,,3\n")
    found = read_table(tmp_path / "a.csv")
    assert list(found) == ["id", "count", "part", "word", "mixed"]
    assert found["id"].tolist() == ["007", "7", "07"]
    assert (found["count"].dtype, found["part"].dtype) == (np.int64, np.float64)
    assert np.isnan(found["part"][1])
    assert found["word"].tolist() == ["a", "b", None]
    assert found["mixed"].tolist() == [1.0, "x", 3.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("a,b\n", "there are no rows under the names"),
        ("a,b\n1\n", "line 2: must have 2 fields, got 1"),
        ("a,a\n1,2\n", "the column 'a' comes up twice"),
        ("a;b\n1,5;2.5\n", "may be a decimal point or part thousands"),
    ],
)
def test_what_is_no_table_is_named_with_its_line(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(cf.DatasetError, match=f"a.csv.*{message}"):
        read_table(tmp_path / "a.csv")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from coffee_fast.logs.files import read_table\n"
        "try:\n    read_table(sys.argv[1])\nexcept Exception as error:\n    print(error)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "a.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "needs pyarrow: pip install 'coffee-fast[frames]'" in done.stdout
