"""Results as people read them: within a line of the terminal, with every number whole, and as HTML in notebooks."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from itertools import chain
from typing import Any
from xml.etree import ElementTree

import mpmath
import numpy as np
import pytest
from helpers import HERE, command_line, two_level
from hypothesis import example, given
from hypothesis import strategies as st

import riskcalc as rc
from riskcalc.derivation.run import Report, Reports, StepReport
from riskcalc.power.measure import Power
from riskcalc.results.tables import Column, Table, number, to_html, to_text
from riskcalc.verification.verify import Check

TAGS = {"div", "table", "caption", "thead", "tbody", "tr", "th", "td", "p"}
NASTY = '<script>alert("&")</script>'


class Wordy(rc.Magnitude):
    """A rule of somebody's own that says much."""

    label = "pruned by " + "a score whose name goes on and on " * 3 + "x" * 90


class Hostile(rc.Hessian):
    label = f"pruned by {NASTY}"


FACTOR = rc.RankOne([3, -2, 1.5, 1], [0.5, 0.5, -1, 1], 12, noise_variance=1.5)
BATCHES: dict[str, dict[str, Any]] = {
    "one": {},
    "two": {"aspect_ratio": ["10/3", 2]},
    "noises by ratios": {"aspect_ratio": [0.5, 1, 3], "noise_variance": [[0.125], [1e-7]], "ridge": [[0], [1e-9]]},
    "many": {"aspect_ratio": np.linspace(0.3, 9, 30)},
}


def _checks() -> rc.Verification:
    checks = (
        Check("sampled with replacement, retrained on the same sample, training error", "agree", *[1.23456] * 6),
        Check("dense", "vacuous", np.inf),
        Check("x" * 100, "undecided", 1e-9, 12345.678, 1e-3, 1e300, -0.5, 12.0),
    )
    return rc.Verification(checks, 0.02, 0.99, (50, 100, 200), (4096, 2048, 1024), 0)


def _advice() -> rc.Advice:
    rng = np.random.default_rng(0)
    X = rng.standard_t(3, size=(80, 4))
    names = ["a", NASTY, "a name of a column that goes on" * 9, "x" * 90]
    table = rc.Table(X, X[:, 0] + rng.normal(size=80), 7, names=names, scale=False, notes=["left out: " + "y" * 90])
    return rc.advise(table, n_keep=2, repeats=4, policies=[Wordy])


def _reports() -> Reports:
    steps = [
        StepReport(f"a step that says {i} things", "symbolic", i != 3, " ".join(["seen"] * i), 1.5, ())
        for i in range(9)
    ]
    steps += [StepReport("x.y_" * 30, "simulated", True, NASTY, 0.1, ())]
    right = Report("right", "A theorem whose title is as long as a title can be", tuple(steps[:3]))
    return Reports((right, Report("a_name_of_a_derivation" * 5, "Wrong", tuple(steps))))


# Every public result that prints a table, at some digits, of problems of every shape.
MADE: dict[str, Callable[[Any, int | None], Any]] = {
    "dense": lambda problem, digits: rc.predict(problem, digits=digits),
    "pruned": lambda problem, digits: rc.predict(problem, rc.Hessian("1/10"), True, digits),
    "wordy": lambda problem, digits: rc.predict(problem, Wordy("1/10"), True, digits),
    "sampled": lambda problem, digits: rc.predict(problem, rc.Sampled("1/10"), digits=digits),
    "small": lambda problem, digits: rc.small_model(problem, "1/10", digits=digits),
    "comparison": lambda problem, digits: rc.compare(problem, "1/10", digits=digits),
    "wordy comparison": lambda problem, digits: rc.compare(problem, "1/10", digits=digits, policies=[Wordy, Hostile]),
}
FLOATS: dict[str, Callable[[Any, int | None], Any]] = {
    "budgets": lambda problem, _: rc.compare(problem, np.array([1e-9, 0.3, 0.9]).reshape(-1, 1, 1)),
    "prunability": lambda problem, _: rc.prunability(problem, 0.1, [rc.Magnitude, rc.Random, rc.Sampled]),
    "sampling budget": lambda problem, _: rc.sampling_budget(problem, 0.3),
    "optimum": lambda problem, _: rc.optimum(problem, "keep", "hessian"),
    "schedule": lambda problem, _: rc.rounds(problem, rc.Hessian, [0.5, 0.2]),
}
OTHERS: dict[str, Callable[[], Any]] = {
    "crossover": lambda: rc.crossover(two_level(noise_variance=1), within=(1, 3), keep="1/10", digits=50),
    "crossover of wordy models": lambda: rc.crossover(two_level(), (Wordy, Hostile), within=(1, 3), keep="1/10"),
    "optimum to fifty digits": lambda: rc.optimum(two_level(noise_variance=1), digits=50),
    "peaks": lambda: rc.peak(two_level(noise_variance=1), "keep", Wordy, within=("1/10", 1), digits=50),
    "no peaks": lambda: rc.peak(two_level(), "keep", Wordy, within=("1/10", "1/5")),
    "one factor": lambda: rc.compare(FACTOR, n_keep=2, digits=50),
    "survey": lambda: rc.survey(two_level(noise_variance=1), "1/10"),
    "survey with digits": lambda: rc.survey(FACTOR, n_keep=2, digits=50),
    "one factor's prunability": lambda: rc.prunability(FACTOR, 0.1),
    "verification": _checks,
    "advice": _advice,
    "derivation": lambda: _reports().reports[1],
    "derivations": _reports,
    "power": lambda: Power({"a": ["simulation(dense)"], "b": ["limits"]}, ["y = " + "x + " * 90, "x" * 300], ["z"]),
}
CASES = [(name, batch, digits) for name in MADE for batch in BATCHES for digits in (None, 50) if batch != "many"]
CASES += [(name, batch, None) for name in (*MADE, *FLOATS) for batch in BATCHES]
CASES += [(name, "", None) for name in OTHERS]
CASES = list(dict.fromkeys(CASES))


@cache
def made(name: str, batch: str, digits: int | None) -> Any:
    if name in OTHERS:
        return OTHERS[name]()
    return (MADE | FLOATS)[name](two_level(**{"noise_variance": 0} | BATCHES[batch]), digits)


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize(("name", "batch", "digits"), CASES)
def test_no_line_is_too_long(name: str, batch: str, digits: int | None, width: int, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    lines = str(made(name, batch, digits)).splitlines()
    assert [line for line in lines if len(line) > width or line != line.rstrip()] == []
    assert lines[0].strip()
    assert lines[-1].strip()


def _words(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize(("name", "batch", "digits"), CASES)
def test_nothing_is_cut(name: str, batch: str, digits: int | None, width: int, monkeypatch):
    """Every number that the declaration has is there, whole; of tables that say where the rest is, those of the brief
    one."""
    monkeypatch.setenv("COLUMNS", str(width))
    result = made(name, batch, digits)
    text = str(result)
    tokens, dense = {token.strip(",") for token in text.split()}, _words(text)
    for part in result._parts():
        if isinstance(part, str):
            continue
        shown = part.brief if part.brief is not None and "--json" in text else part
        for column, cell in chain.from_iterable(zip(shown.columns, row, strict=True) for row in shown.rows):
            if column.words:
                assert all(_words(word) in dense for word in cell.split() if len(word) < 14)
            else:
                assert {token.strip(",") for token in cell.split()} <= tokens, (column, cell)


@pytest.mark.parametrize("width", [60, 80])
def test_fifty_digits_are_fifty(width: int, monkeypatch):
    """Of every quantity of a prediction, and of every risk of a comparison."""
    monkeypatch.setenv("COLUMNS", str(width))
    problem, policy = two_level(noise_variance="1/7"), rc.Hessian("1/10")
    low, high = (rc.predict(problem, policy, True, digits) for digits in (50, 70))
    text = str(low)
    for name in ("risk", "excess_risk", "misfit", "dense_risk", "training_error", "threshold", "effective_ridge"):
        assert mpmath.nstr(getattr(high, name), 60)[:48] in text, name
    comparison = rc.compare(problem, "1/10", digits=50)
    tokens = str(comparison).split()
    for model, risk in comparison.risks.items():
        assert number(risk, 50) in tokens, model


def test_differences_have_the_digits_that_are_left(monkeypatch):
    """What a margin or an estimation error loses by cancellation is not printed."""
    monkeypatch.setenv("COLUMNS", "60")
    problem = two_level(noise_variance="1/10", signal=[1, "1/1000"])
    fifty, seventy = (str(rc.compare(problem, "1/10", digits=digits)).split() for digits in (50, 70))
    lengths = set()
    for token, more in zip(fifty, seventy, strict=True):
        text = token.rstrip(".,")
        if re.fullmatch(r"\d\.\d{20,}", text):
            with mpmath.workdps(80):
                off = abs(mpmath.mpf(text) - mpmath.mpf(more.rstrip(".,")))
                assert off <= 1.5 * mpmath.mpf(10) ** -len(text.partition(".")[2])
            lengths.add(len(re.sub(r"^0\.0*|\.", "", text)))
    assert max(lengths) == 50
    assert min(lengths) < 48  # of an estimation error that is small beside its risk


@given(st.floats(-300, 300, allow_subnormal=False), st.booleans(), st.integers(1, 60))
@example(0.0, False, 50)
@example(-1.0, False, 50)
@example(-30.0, False, 50)
@example(49.0, False, 50)
def test_a_number_has_its_digits(decade: float, negative: bool, digits: int):
    with mpmath.workdps(80):
        value = mpmath.mpf(10) ** decade * (-1 if negative else 1)
        text = number(value, digits)
        mantissa = re.sub(r"e.*", "", text).lstrip("-").replace(".", "").lstrip("0")
        assert len(mantissa) in (digits, digits + (mantissa.strip("0") == "1"))  # 9.99 rounds up to 10.0
        assert abs(mpmath.mpf(text) / value - 1) <= mpmath.mpf(10) ** (1 - digits)
        assert len(text) <= digits + 8


def test_numbers_that_have_no_digits():
    for value, text in ((0, "0"), (mpmath.inf, "inf"), (-mpmath.inf, "-inf"), (mpmath.nan, "nan"), (None, "")):
        assert number(value, 50) == number(value if value is None else float(value)) == text


_CELLS = st.one_of(
    st.text("ab <&'\"_.", max_size=70).map(lambda text: " ".join(text.split())),
    st.floats(allow_nan=False, allow_subnormal=False).map(number),
    st.integers(1, 10**56).map(str),
)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    names = st.text("abc ", min_size=1, max_size=30).map(lambda text: text.strip() or "a")
    columns = draw(st.lists(st.builds(Column, names, st.booleans()), min_size=2))
    numbers = st.floats(allow_nan=False, allow_subnormal=False).map(number) | st.integers(1, 10**56).map(str)
    cells = [_CELLS if column.words else numbers for column in columns]
    rows = draw(st.lists(st.tuples(*cells), max_size=4))
    return Table(draw(st.text("ab ", max_size=99)), columns, rows, draw(st.integers(1, len(columns) - 1)), ["c " * 50])


@given(tables(), st.integers(60, 80))
def test_any_table_fits_and_is_whole(table: Table, width: int):
    text = to_text([table, "x" * 200, "y " * 200], width)
    assert max(map(len, text.splitlines())) <= width
    dense = _words(text)
    for column, cell in chain.from_iterable(zip(table.columns, row, strict=True) for row in table.rows):
        if not column.words:
            assert _words(cell) in dense


def test_a_number_longer_than_a_line_is_whole():
    long = "1." + "23456789" * 20
    table = Table("of one", [Column("quantity", words=True), Column("value"), Column("other")], [["it", long, "2"]])
    assert long in to_text([table, f"It is {long}."], 60).split()
    assert f"{long}." in to_text([table, f"It is {long}."], 60).split()


def test_words_beside_words_that_hold_a_long_number():
    """The one with the number keeps it whole, the other gives way; what looks like markup is text."""
    long, prose = "1." + "2" * 40, "some [b]prose[/b] :smile: " * 4
    table = Table("t", [Column("a", words=True), Column("b", words=True), Column("c")], [[f"it is {long}", prose, "1"]])
    text = to_text([table], 62)
    assert max(map(len, text.splitlines())) <= 62
    assert "─" in text
    assert long in text.split()
    assert text.count("[b]prose[/b]") == text.count(":smile:") == 4


def test_long_tables_say_that_they_are_cut():
    text = str(made("comparison", "many", None))
    assert "the first 24 of 30 regimes" in text
    assert "The risk of every model: .risks, .to_dict(), or --json." in " ".join(text.split())
    assert str(made("prunability", "many", None)).endswith("the first 24 of 30 regimes")


def test_one_column_a_model_only_while_they_fit(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    few = rc.compare(two_level(aspect_ratio=[2, 3]), 0.1, policies=[rc.Hessian])
    assert "small_by_variance" not in str(few).splitlines()[2]
    (table,) = few._parts()
    wide = to_text([table], 200)
    assert all(model in wide for model in few.predictions)
    assert "--json" not in wide


@pytest.mark.parametrize(("name", "batch", "digits"), CASES)
def test_notebooks_show_tables(name: str, batch: str, digits: int | None):
    """Well-formed and escaped, with the cells that were declared, all columns, and nothing that runs."""
    result = made(name, batch, digits)
    page = ElementTree.fromstring(result._repr_html_())
    assert {element.tag for element in page.iter()} <= TAGS
    for part, table in zip((x for x in result._parts() if isinstance(x, Table)), page.iter("table"), strict=True):
        caption = table.find("caption")
        assert caption is not None
        assert caption.text == part.title
        rows = [["".join(cell.itertext()).strip("\u00a0") for cell in row] for row in table.iter("tr")]
        assert rows[0] == [column.name for column in part.columns]
        assert rows[1:] == [[cell.strip() for cell in row] for row in part.rows]
    assert not hasattr(result, "_repr_latex_")


def test_what_users_name_is_escaped():
    assert NASTY not in rc.compare(two_level(), "1/10", policies=[Hostile])._repr_html_()
    table = Table(NASTY, [Column(NASTY), Column(NASTY, words=True)], [[NASTY, NASTY]], notes=[NASTY])
    assert "<script" not in to_html([table, NASTY])
    assert "".join(ElementTree.fromstring(to_html([table, NASTY])).itertext()) == NASTY * 7


ASKED = {
    "predict": ["--policy", "hessian", "--retrain", "same"],
    "predict --digits": ["--policy", "hessian", "--retrain", "same", "--digits", "50"],
    "compare": [],
    "compare --digits": ["--digits", "50"],
    "compare --keep": ["--keep", ".1,.2,.3", "--noise-variance", ".1,.2,.3"],
    "rounds": ["--keeps", ".5,.2"],
    "prunability": ["--tolerance", ".1"],
    "sampling-budget": ["--relative-error", ".5"],
    "crossover": ["--within", "1,3", "--noise-variance", "1"],
    "crossover --digits": ["--within", "1,3", "--noise-variance", "1", "--digits", "50"],
    "optimum": [],
    "peak": ["--within", "1,3", "--noise-variance", "1"],
    "simulate": ["--policy", "group", "--group-size", "2", "--size", "60", "--trials", "3", "--workers", "1"],
    "verify": ["--policy", "hessian", "--size", "50", "--seconds", "1e-9", "--tolerance", ".9", "--device", "cpu"],
}

_BUDGETED = ("predict", "compare", "crossover", "peak", "simulate", "verify")


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("command", ASKED)
def test_commands_and_their_help_fit(command: str, width: int, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(width))
    asked = ["--aspect-ratio", "10/3", "--eigenvalues", "25,1", "--signal", "1", "--weights", ".1,.9"]
    budget = ["--keep", "1/10"] if command.split()[0] in _BUDGETED else []
    for more in ([*asked, *budget, *ASKED[command]], ["--help"]):
        code, out, err = command_line(monkeypatch, capsys, command.split()[0], *more)
        assert (code, err) == (0, "")
        assert max(map(len, out.splitlines())) <= width


def test_the_first_example_fits_a_screen(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert len(str(rc.compare(two_level(), "1/10")).splitlines()) <= 30


def test_without_a_terminal_a_line_is_eighty(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("os.get_terminal_size", lambda *_: (_ for _ in ()).throw(OSError()))
    lengths = [len(line) for line in str(rc.compare(two_level(), "1/10")).splitlines()]
    assert 60 < max(lengths) <= 80


def test_a_derivation_is_printed_whole(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    report = rc.derive("isotropic")
    text = _words(str(report))
    assert max(map(len, str(report).splitlines())) <= 60
    assert report.verdict in " ".join(str(report).split())
    assert len(report.steps) == sum(step.level in text for step in report.steps)


def test_a_simulation_is_told_in_one_line():
    found = rc.simulate(two_level(), n_samples=30, trials=3, **HERE)
    assert re.fullmatch(r"[\d.]+\(\d+\)", str(found))
