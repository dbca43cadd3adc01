"""Tables from files, frames and arrays: what is read, what is said of it, and what is refused with advice."""

from __future__ import annotations

import codecs
import datetime
import gzip
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from helpers import command_line

import riskcalc as rc
from riskcalc.problems.table_files import read_table

ROWS = 60
RNG = np.random.default_rng(0)
MIXED = pd.DataFrame(
    {
        "age": RNG.integers(20, 80, ROWS),
        "income": RNG.normal(1000, 300, ROWS).round(2),
        "colour": RNG.choice(["red", "green", "blue"], ROWS, p=[0.5, 0.3, 0.2]),
        "member": RNG.random(ROWS) < 0.5,
    }
).assign(y=lambda table: table.income / 300 + RNG.normal(size=ROWS))
NAMES = ("age", "income", "colour=blue", "colour=green", "member")


def ask(X: Any, y: Any = "y", **given: Any) -> rc.Table:
    found = rc.from_data(X, y, n_samples=20, **given)
    assert isinstance(found, rc.Table)
    return found


def saved(folder: Path, text: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# --- files

PLAIN = "a,b,y\n1,2.5,3\n4,5,-6e1\n"


@pytest.mark.parametrize(
    "raw",
    [
        PLAIN.encode(),
        b" a, b ,y\n 1, 2.5,3 \n4,  5,-6e1\n",
        b'"a", "b", "y"\n"1", "2.5", "3"\n\n4,5,-6e1',
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
        gzip.compress(PLAIN.encode(), mtime=0),
        gzip.compress(PLAIN.encode("utf-16"), mtime=0),
    ],
    ids=range(11),
)
def test_a_table_is_read_however_it_was_saved(tmp_path, raw: bytes):
    frame, notes = read_table(saved(tmp_path, raw))
    assert (frame.to_dict("list"), notes) == ({"a": [1, 4], "b": [2.5, 5], "y": [3, -60]}, [])


@pytest.mark.parametrize(
    ("cells", "values", "said"),
    [
        ("1,5;-2,25", [1.5, -2.25], "a comma as their decimal sign."),
        ("1.234,5;7", [1234.5, 7], "a comma as their decimal sign, and a point between thousands."),
        ('"1,234.5";7', [1234.5, 7], "a point as their decimal sign, and a comma between thousands."),
        ("1,234,567;7", [1234567, 7], "a point as their decimal sign, and a comma between thousands."),
        ("1 234,5;7", [1234.5, 7], "a comma as their decimal sign, and a blank between thousands."),
        ("1\xa0234.5;7", [1234.5, 7], "a point as their decimal sign, and a blank between thousands."),
        ("1'234.5;7", [1234.5, 7], "a point as their decimal sign, and an apostrophe between thousands."),
        ("1,234;0,5", [1.234, 0.5], "a comma as their decimal sign."),
    ],
)
def test_conventions_of_numbers_are_found_and_said(tmp_path, cells: str, values: list[float], said: str):
    frame, notes = read_table(saved(tmp_path, f"a;b\n{cells}\n{cells}\n"))
    assert frame.iloc[0].tolist() == values
    assert notes == [f"Numbers are read with {said}"]


def test_doubles_are_read_to_their_last_digit(tmp_path):
    values = np.random.default_rng(1).normal(size=200) * 10.0 ** np.arange(-100, 100)
    pd.DataFrame({"a": values, "b": 1}).to_csv(tmp_path / "t.csv", index=False)
    assert read_table(tmp_path / "t.csv")[0]["a"].tolist() == values.tolist()


def test_files_and_frames_are_the_same_table(tmp_path):
    frame = ask(MIXED)
    assert frame.names == NAMES
    assert frame.groups == (0, 1, 2, 2, 3)
    assert frame.notes == (
        "'colour' is text: a column of 0 and 1 for each of its 3 categories but the most frequent, 'red'.",
    )
    expected = np.column_stack([MIXED.age, MIXED.income, MIXED.colour == "blue", MIXED.colour == "green", MIXED.member])
    assert (expected == frame.X).all()
    assert (frame.y == MIXED.y).all()
    MIXED.to_csv(tmp_path / "t.csv", index=False)
    MIXED.to_parquet(tmp_path / "t.parquet", index=False)
    others = [pl.from_pandas(MIXED), pa.Table.from_pandas(MIXED), tmp_path / "t.csv", str(tmp_path / "t.parquet")]
    others.append(MIXED.astype({"colour": "category"}))
    for other in others:
        assert ask(other) == frame
    assert ask(MIXED.drop(columns="y"), MIXED.y) == ask(MIXED.drop(columns="y"), MIXED.y.tolist()) == frame
    MIXED.to_csv(tmp_path / "t.csv", index=False, sep=";", decimal=",")
    comma = ask(tmp_path / "t.csv")
    assert (comma.X == frame.X).all()
    assert comma.notes == ("Numbers are read with a comma as their decimal sign.", *frame.notes)


def test_other_encodings_are_guessed_and_said(tmp_path):
    frame, notes = read_table(saved(tmp_path, "größe,y\n1,2\n3,4\n".encode("latin-1")))
    assert [*frame.columns] == ["größe", "y"]
    assert "is no UTF-8; it is read as cp1252" in notes[0]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b",a,y\n0,1,2\n", r"no name for its column 1 \(it is ''\); leave it out if it numbers the rows"),
        (b"a,y,\n0,1,2\n", r"no name for its column 3 \(it is ''\)"),
        (b"a, ,y\n0,1,2\n", r"no name for its column 2"),
        (b"Unnamed: 0,a,y\n0,1,2\n", r"no name for its column 1 \(it is 'Unnamed: 0'\)"),
        (b"a,Unnamed: 0.1,y\n0,1,2\n", r"no name for its column 2"),
        (b"y,a,y\n0,1,2\n", r"names its columns 1 and 3 alike, 'y'; leave one of them out"),
        (b"a,b, a,y\n0,1,2,3\n", r"names its columns 1 and 3 alike, 'a'"),
        (b"a,y\n1,2\n2,3\n1_000,2\n", r"column 'a', row 3: a finite number is needed, found '1_000'"),
        (b"a,y\n1,2\n2,3\n12 kg,2\n", r"column 'a', row 3: a finite number is needed, found '12 kg'"),
        (b"a,y\n2020-01-01,2\n2021-01-01,3\n", r"column 'a' holds dates or times, such as '2020-01-01'; give times as"),
        (b"a,y\n31.12.2020,2\n01.01.2021,3\n", r"column 'a' holds dates or times, such as '31.12.2020'"),
        (b"a,y\n1e999,2\n1,3\n", r"column 'a' of X must be finite, got inf at \(0,\)"),
        (b"a,y\ninf,2\n1,3\n2,4\n", r"column 'a', row 1: a finite number is needed, found 'inf'"),
        (b"a,y\nNaT,2\n1,3\n", r"column 'a' has 1 missing of 2 cells, the first in row 1; missing='drop' leaves out"),
        (b"id,y\n17,2\n4,3\n8,1\n", r"column 'id' differs in every row, and its name says that it tells rows apart"),
        (b"nr,y\n0,2\n1,3\n2,1\n", r"column 'nr' numbers the rows, and is no measurement; leave it out"),
        (b"name,y\nAnn,2\nBob,3\nCleo,1\n", r"column 'name' is text that differs in most rows \(3 values in 3 rows\)"),
        (b"a;b;z\n1;2;3\n", r"no column 'y' that could be the target; its columns are 'a', 'b', 'z'"),
        (b"\x1b[31ma\x07,z\n1,2\n", r"no column 'y' .*; its columns are '\\x1b\[31ma\\x07', 'z'$"),
        (b"\x1b[31ma,y\nx,2\nx,3\n1,3\n2,4\n3,5\n", r"column '\\x1b\[31ma', row 1: a finite number"),
        (",".join(f"c{i}" for i in range(500)).encode() + b"\n1", r"'c11' and 488 more$"),
        (",".join(f"c{i}" for i in range(500)).encode(), r"has no rows below its header"),
        (b"a,y\n1,2,3\n", r"Expected 2 fields in line 2, saw 3"),
        (b"a,b,y\n1,2,3\n4,5\n", r"the target 'y' has 1 missing of 2 cells, the first in row 2"),
        (b"a;y\n1,234;2\n2,345;3\n", r"column 'a': '1,234' may be 1234 or 1.234; write numbers with a decimal point"),
        (PLAIN.encode("utf-16-le"), r"no text in UTF-8, nor in UTF-16 with a byte order mark, nor in cp1252"),
        (b"PK\x03\x04\xff", r"no text in UTF-8"),
        (b"", r"is empty; it must start with a line of column names"),
        (b"\n \n", r"is empty"),
        (b"PAR1nonsense", r"cannot read .*Parquet"),
        (gzip.compress(PLAIN.encode(), mtime=0)[:-9], r"cannot read .*: Compressed file ended"),
        (gzip.compress(PLAIN.encode(), mtime=0)[:10] + b"\xff" * 20, r"cannot read .*: Error -3 while decompressing"),
        (b"a,y\n1,2\n7,2\n3,2\n", r"the target 'y' is constant, 2.0 in every row: there is nothing to predict"),
        (b"a,y\n1,u\n2,v\n1,w\n", r"the target 'y' is text of 3 values, such as 'u', 'v', 'w': squared errors need"),
        (b"y\n1\n2\n", r"at least two rows and one column, besides the target"),
        (b"a,y\n1,2\n", r"at least two rows"),
        (b"a,b,y\n1,2,2\n1,2,3\n1,2,4\n", r"no column of X varies, of 2"),
    ],
    ids=range(37),
)
def test_a_table_that_is_none_is_refused_with_the_cause(tmp_path, raw: bytes, message: str):
    path = tmp_path / "table\x1b[31m"
    path.write_bytes(raw)
    with pytest.raises((ValueError, TypeError), match=message) as found:
        rc.from_data(path, "y", n_samples=2)
    assert str(found.value).isprintable()
    assert len(str(found.value)) < 600


def test_without_the_extra(monkeypatch, tmp_path):
    def missing(wanted: str) -> Any:
        raise ImportError(wanted)

    monkeypatch.setattr("riskcalc.extras.import_module", missing)
    with pytest.raises(ImportError, match=r"this needs pandas: pip install 'riskcalc\[files\]'"):
        ask(saved(tmp_path, PLAIN))


# --- what is left out, filled in and coded


def test_missing_cells_are_refused_left_out_or_filled_in(tmp_path):
    gaps = MIXED.assign(age=MIXED.age.where(MIXED.index > 2), colour=MIXED.colour.where(MIXED.index != 5))
    gaps.loc[7, "y"] = np.nan
    refused = (
        r"column 'age' has 3 missing of 60 cells, the first in row 1, and 1 columns more have some; missing='drop'"
    )
    with pytest.raises(ValueError, match=refused):
        ask(gaps)
    gaps.to_csv(tmp_path / "t.csv", index=False)
    gaps.to_parquet(tmp_path / "t.parquet")
    for table in (gaps, pl.from_pandas(gaps), tmp_path / "t.csv", tmp_path / "t.parquet"):
        dropped = ask(table, missing="drop")
        without = [0, 1, 2, 5, 7]
        assert (np.delete(ask(MIXED).X, without, axis=0) == dropped.X).all()
        assert dropped.notes[:2] == (
            "1 of 60 rows have no target; they are left out.",
            "4 of 60 rows have missing cells; they are left out.",
        )
        filled = ask(table, missing="mean")
        assert filled.n_rows == 59
        there = gaps.drop(index=7)
        assert filled.X[:3, 0] == pytest.approx(there.age.mean())
        levels = there.colour.dropna() == "blue"
        assert filled.X[5, 2] == pytest.approx(levels.mean())
        assert filled.notes[:2] == (
            dropped.notes[0],
            "4 missing cells of 'age', 'colour' are filled with means of their columns.",
        )
    with pytest.raises(ValueError, match="missing must be 'drop' or 'mean', or left out, got 'zero'"):
        ask(gaps, missing="zero")
    empty = MIXED.assign(nothing=np.nan)
    assert ask(empty, missing="drop").notes[0] == "Left out as empty: 'nothing'."
    assert ask(empty, missing="drop").n_rows == ROWS


def test_constant_columns_and_copies_are_left_out():
    frame = MIXED.assign(
        one=1e9 + 0.1, inches=MIXED.income / 2.54, other=~MIXED.member, years=MIXED.age, c2=MIXED.colour == "blue"
    )
    assert ask(frame).names == (*NAMES[:4], "member")
    assert ask(frame).notes[1:] == (
        "Left out as constant: 'one'.",
        "Left out as copies, perhaps in other units: 'inches' of 'income', 'other' of 'member', 'years' of 'age', "
        "'c2' of 'colour=blue'.",
    )
    near = MIXED.assign(near=MIXED.income + 1e-3 * np.arange(ROWS))
    assert "near" in ask(near).names


def test_targets_of_two_values_are_coded():
    flags = MIXED.member.to_numpy()
    for target in (flags, 3.0 * flags, np.where(flags, "yes", "no"), pd.Series(flags), pd.Categorical(flags)):
        found = ask(MIXED[["age", "income"]], target)
        assert (found.y == np.where(flags, 1, -1)).all()
        assert any("has two values" in note for note in found.notes)
    assert ask(MIXED[["age", "income"]], np.where(flags, 1.0, -1.0)).notes == ()
    assert "'no' is coded -1, 'yes' is 1" in ask(MIXED[["age", "income"]], np.where(flags, "yes", "no")).notes[-1]


def test_principal_components_say_what_was_done_by_warnings():
    with pytest.warns(UserWarning, match="'colour' is text"):
        problem = rc.from_data(MIXED.sample(600, replace=True, random_state=0), "y", n_samples=20, basis="principal")
    assert problem.n_atoms == 5


def test_gaussian_rows_need_a_residual():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 30)), rng.normal(size=20)
    with pytest.raises(ValueError, match="the table has 20 rows for 19 independent features"):
        rc.from_data(X, y, n_samples=10, rows="gaussian")


# --- arrays and frames

WHOLE = np.arange(40.0) % 7
FLAG = np.arange(40) % 3 == 0
MEASURED = np.column_stack([WHOLE, FLAG, WHOLE**2 % 5])


def frame(kind: str) -> pd.DataFrame:
    return pd.DataFrame({"a": WHOLE, "b": FLAG, "c": MEASURED[:, 2]}).astype({"a": kind, "c": kind})


@pytest.mark.parametrize(
    "X",
    [
        MEASURED.tolist(),
        MEASURED.astype(np.float32),
        MEASURED.astype(np.longdouble),
        MEASURED.astype(int),
        MEASURED.astype(object),
        np.array([[Fraction(x) if x > 2 else Decimal(x) for x in row] for row in MEASURED.tolist()], dtype=object),
        np.ma.array(MEASURED),
        frame("float64"),
        frame("Int64"),
        frame("Float32"),
        frame("object"),
        frame("int8"),
        frame("float64").astype({"b": "boolean"}),
        frame("float64").astype(pd.SparseDtype(float, 0)),
        pd.DataFrame(MEASURED),
        pl.DataFrame({"a": WHOLE, "b": FLAG, "c": [Decimal(int(x)) for x in MEASURED[:, 2]]}),
        pa.table({"a": WHOLE, "b": FLAG, "c": MEASURED[:, 2]}),
    ],
    ids=range(17),
)
def test_numbers_are_read_from_what_holds_them(X):
    y = np.sin(np.arange(40.0))
    found, plain = (rc.from_data(one, pd.Series(y, name="y"), n_samples=9) for one in (X, MEASURED))
    assert (found.X == plain.X).all()
    assert found.notes == plain.notes == ()


DATES = pd.to_datetime(["2020-01-01", "2021-01-01"] * 20)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (frame("float64").assign(t=DATES), r"column 't' of X must be numbers, got Datetime.*; give times as numbers"),
        (frame("float64").assign(t=DATES - DATES[0]), r"column 't' of X .* got Duration.*; give times as numbers"),
        (frame("float64").assign(t=[pd.NaT, *DATES[1:]]), r"column 't' of X .* give times as numbers"),
        (frame("float64").assign(t=DATES.to_period("M")), r"column 't' of X .* got Period.*; give times as numbers"),
        (np.array([[date] for date in DATES.date], dtype=object), r"X .* got datetime.date\(2020.*; give times"),
        (DATES.to_numpy()[:, None], r"X must be an array of numbers, got datetime64"),
        (frame("float64").assign(g=["1", "2"] * 20), r"column 'g' holds numbers as text, such as '1'; convert text"),
        (np.array([[1.0, "2"]] * 40, dtype=object), r"column '1' holds numbers as text, such as '2'; convert text"),
        (np.array([[1.0, "a"], [1.0, 2.0]] * 20, dtype=object), r"X .* got 'a' at \(0, 1\); convert text"),
        (np.array([["1", "2"]] * 40), r"column '0' holds numbers as text"),
        (np.array([[b"1"]] * 40), r"X must be an array of numbers, got \|S1"),
        (MEASURED + 1j, r"X must be an array of numbers, got complex128$"),
        (np.array([[1j]] * 40, dtype=object), r"got 1j at \(0, 0\)$"),
        (np.array([[1.0], [None]] * 20, dtype=object), r"column '0' has 20 missing of 40 cells, the first in row 2"),
        (np.array([[1.0], [pd.NA]] * 20, dtype=object), r"column '0' has 20 missing of 40 cells, the first in row 2"),
        (frame("Int64").assign(a=pd.array([None, *range(39)], dtype="Int64")), r"column 'a' has 1 missing of 40 cells"),
        (frame("float64").assign(a=pd.array([None] + [True] * 39, dtype="boolean")), r"column 'a' has 1 missing"),
        (np.array([[1], [10**400]] * 20, dtype=object), r"X must hold numbers within double precision"),
        (np.ma.masked_equal(MEASURED, 6), r"X has masked values, the first at \(6, 0\); drop or fill missing values"),
        ([*MEASURED[1:], np.ma.masked_equal(MEASURED[6], 6)], r"X has masked values"),
        (scipy.sparse.csr_array(MEASURED), r"X is a sparse matrix; give it as a dense array, its \.toarray\(\)"),
        (scipy.sparse.coo_matrix(MEASURED), r"X is a sparse matrix"),
        ([[1.0, 2.0], [3.0]], r"X must be an array of numbers"),
        (frame("float64").set_axis(["a", "Unnamed: 0", "c"], axis=1), r"X has no name for its column 2"),
        (frame("float64").set_axis(["a", "b", "a"], axis=1), r"X names its columns 1 and 3 alike, 'a'"),
        (frame("float64").set_axis(["a", None, "c"], axis=1), r"X has no name for its column 2"),
        (frame("float64").assign(y=1.0), r"X has a column 'y', which is the name of y; leave the target out"),
        (pl.DataFrame({"a": WHOLE, "g": [[1.0]] * 40}), r"column 'g' of X must be an array of numbers"),
        (pl.DataFrame({"a": WHOLE, "t": [datetime.time(1)] * 40}), r"column 't' of X .*; give times as numbers"),
        (pl.LazyFrame({"a": WHOLE}), r"X must be an array of numbers"),
        (object(), r"X must be an array of numbers, got <object object at .*> at \(\)$"),
        (frame("float64").assign(**{"\x1b[31m": 1j}), r"column '\\x1b\[31m' of X"),
        (np.array([[1e200], [2e200]] * 20), r"^entries of X of 2e[+]200 have squares beyond double precision"),
    ],
    ids=range(33),
)
def test_columns_of_something_else_are_refused_by_name(X, message: str):
    with pytest.raises((TypeError, ValueError), match=message):
        rc.from_data(X, pd.Series(np.arange(40.0) ** 2, name="y"), n_samples=9)


# --- the command line


@pytest.fixture
def run(monkeypatch, capsys):
    return partial(command_line, monkeypatch, capsys)


def test_how_a_table_is_read_is_told_by_flags(run, tmp_path):
    MIXED.assign(age=MIXED.age.where(MIXED.index > 2)).to_csv(tmp_path / "t.csv", index=False)
    asked = ["predict", "--data", str(tmp_path / "t.csv"), "--target", "y", "--n-samples", "20", "--ridge", ".1"]
    asked += ["--rows", "gaussian"]
    code, out, err = run(*asked)
    assert (code, out) == (2, "")
    assert "missing='drop'" in err
    assert run(*asked, "--missing", "mean")[0] == 0
    assert run("predict", "--aspect-ratio", "2", "--eigenvalues", "1", "--missing", "drop")[2].endswith(
        "--missing is about a table; give --data\n"
    )
