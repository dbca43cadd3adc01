"""The grammar of expressions: exact, closed, and safe to be given anything."""

from __future__ import annotations

import math
import time
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from riskcalc.expressions import Expression, of_sympy, parse
from riskcalc.policies.scores import SYMBOLS, evaluated
from riskcalc.theory.symbols import D, Lambda, X, nu

NAMES = tuple(SYMBOLS)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("abs(X) * Lambda**0.25", "abs(X)*Lambda**(1/4)"),
        ("Abs(X)*Lambda**(1/4)", "abs(X)*Lambda**(1/4)"),
        ("Max(abs(X)-1, 0)", "max(abs(X) - 1, 0)"),
        ("-X**2", "-X**2"),
        ("(-X)**2", "(-X)**2"),
        ("X - (Lambda - D)", "X - (Lambda - D)"),
        ("X/(Lambda/D)", "X/(Lambda/D)"),
        ("X/Lambda/D", "X/Lambda/D"),
        ("(X**2)**3", "(X**2)**3"),
        ("X**2**3", "X**8"),
        ("1e-3*X", "1/1000*X"),
        ("0.1 + 0.2", "3/10"),
        ("+X", "X"),
        ("1_000*X", "1000*X"),
    ],
)
def test_a_text_is_written_in_one_way(text: str, canonical: str):
    assert str(parse(text, NAMES)) == canonical
    assert parse(canonical, NAMES) == parse(text, NAMES)


LEAVES = st.one_of(
    st.sampled_from(NAMES).map(lambda name: Expression("name", (name,))),
    st.fractions(0, 100, max_denominator=50).map(lambda value: Expression("number", (value,))),
)


def _composed(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    two = st.tuples(st.sampled_from(["+", "-", "*", "/", "**"]), inner, inner)
    one = st.tuples(st.sampled_from(["abs", "sqrt", "exp", "log", "sign", "tanh", "atan", "negative"]), inner)
    several = st.tuples(st.sampled_from(["max", "min"]), st.lists(inner, min_size=2, max_size=3))
    made = two.map(lambda t: Expression(t[0], t[1:])) | one.map(lambda t: Expression(t[0], t[1:]))
    return made | several.map(lambda t: Expression(t[0], tuple(t[1])))


@given(st.recursive(LEAVES, _composed, max_leaves=12))
def test_what_is_written_is_read_again(expression: Expression):
    """As the same, but for the arithmetic of its numbers, which is done when it is read; or it is refused."""
    try:
        again = parse(str(expression), NAMES)
    except ValueError as error:
        reason = str(error)
        assume(not any(word in reason for word in ("division by zero", "a power", "beyond")))
        raise
    assert parse(str(again), NAMES) == again
    values = {name: np.array([value]) for name, value in zip(NAMES, (1.25, 0.75, 0.5, 1.5), strict=True)}
    with np.errstate(all="ignore"):
        first, second = (evaluated(one, np, values) for one in (expression, again))
    assert first == pytest.approx(second, rel=1e-9, nan_ok=True) or abs(first).max() > 1e200


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9**9**9**9", "a power of an expression is at most 64"),
        ("2**X**100", "a power of an expression is at most 64"),
        ("X**65", "a power of an expression is at most 64"),
        ("7**64*7**64*7**64*7**64*7**64", "a number of an expression is beyond"),
        ("1e999999999", "1e999999999 is beyond the numbers of an expression"),
        ("9" * 400, "a number of an expression is beyond"),
        ("X" + "+X" * 600, "an expression has at most 1,000 characters, got 1,201"),
        ("-" * 900 + "X", "an expression is nested at most 100 deep"),
        ("(" * 400 + "X", "cannot read"),
        ("X)*(X", "cannot read"),
        ("", "cannot read ''"),
        ("abs(X", "'\\(' was never closed"),
        ("X/(1-1)", "division by zero"),
        ("0**-1", "division by zero"),
        ("__import__('os')", "no function of an expression is called '__import__'"),
        ("X.real", "'X.real' is no arithmetic"),
        ("(lambda: X)()", "is no arithmetic"),
        ("[X for X in X]", "is no arithmetic"),
        ("X if X else 1", "is no arithmetic"),
        ("X == 1", "is no arithmetic"),
        ("X // 2", "is no arithmetic"),
        ("X[0]", "is no arithmetic"),
        ("abs(*X)", "is no arithmetic"),
        ("abs(x=1)", "is no arithmetic"),
        ("1j*X", "'1j' is no number"),
        ("True", "'True' is no number"),
        ("'X'", "is no number"),
        ("Lamda*X", "no symbol of an expression is called 'Lamda'; did you mean Lambda?"),
        ("absolute(X)", "no function of an expression is called 'absolute'; did you mean abs?"),
        ("abs", "abs is a function; write abs"),
        ("abs(X, X)", "abs takes 1 argument, got 2"),
        ("max(X)", "max takes 2 arguments or more, got 1"),
    ],
)
def test_what_is_no_expression_is_refused_at_once(text: str, message: str):
    began = time.monotonic()
    with pytest.raises(ValueError, match=message):
        parse(text, NAMES)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    "expression",
    [
        sympy.Abs(X) * Lambda ** sympy.Rational(1, 4),
        sympy.Max(sympy.Abs(X) - 1, 0, D * nu),
        sympy.sqrt(Lambda + D * nu) * sympy.Abs(X) / (1 + X**2),
        sympy.exp(-sympy.Abs(X)) * X**2 + sympy.exp(1) * sympy.atan(X**2) - sympy.Rational(1, 3),
        sympy.tanh(X) ** 2 + sympy.sign(X - 1) + sympy.log(1 + nu) + sympy.Min(X, 2),
    ],
)
def test_sympy_is_read_as_it_is(expression):
    """Its value at a point is that of SymPy, to rounding."""
    point = {X: Fraction(5, 4), Lambda: Fraction(3, 4), D: Fraction(1, 2), nu: Fraction(3, 2)}
    found = of_sympy(expression, SYMBOLS)
    assert parse(str(found), NAMES) == parse(str(parse(str(found), NAMES)), NAMES)
    values = {str(symbol): np.array([float(value)]) for symbol, value in point.items()}
    wanted = expression.subs({symbol: sympy.Rational(value) for symbol, value in point.items()}).evalf(30)
    assert evaluated(found, np, values) == pytest.approx(float(wanted), rel=1e-14)


def test_floats_are_the_binary_fractions_that_they_are():
    assert str(of_sympy(0.25 * X, SYMBOLS)) in ("1/4*X", "X*(1/4)")
    assert Fraction(0.1) == of_sympy(sympy.Float(0.1), SYMBOLS).parts[0] != Fraction(1, 10)
    assert parse("0.1", NAMES).parts[0] == Fraction(1, 10)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (sympy.Symbol("Lambda") * X, "is a plain one, and what is meant is riskcalc.theory.symbols.Lambda"),
        (sympy.Symbol("Lamda", positive=True) * X, "no symbol of an expression is called 'Lamda'; did you mean Lambda"),
        (sympy.sin(X), "no function of an expression is called 'sin'"),
        (sympy.pi * X, "pi is no arithmetic"),
        (sympy.I * X, "I is no arithmetic"),
        (sympy.oo, "oo is no arithmetic"),
        (sympy.nan, "nan is no arithmetic"),
        (sympy.Piecewise((X, X > 0), (0, True)), "is no arithmetic"),
        (sympy.Integer(9) ** 400 * X, "a number of an expression is beyond"),
    ],
)
def test_what_sympy_has_and_the_grammar_has_not_is_refused(expression, message: str):
    with pytest.raises(ValueError, match=message):
        of_sympy(expression, SYMBOLS)


def test_names_are_those_of_an_expression():
    assert parse("abs(X)*sqrt(Lambda + D*nu)", NAMES).names == {"X", "Lambda", "D", "nu"}
    assert parse("1/3", NAMES).names == frozenset()
    assert math.isclose(parse("1/3", NAMES).value({}, {}, float), 1 / 3)
