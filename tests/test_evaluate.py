"""`rc.evaluate`: any formula, in every number system, with all that it needs; and what it refuses."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy
from flint import arb, ctx
from mpmath import mp
from scipy.optimize import brentq
from sympy import Eq, Float, Rational, Symbol, erf, exp, sqrt, tanh

import riskcalc as rc
from riskcalc.chapters import POSITIVE, REAL, Chapter, E, Equation, Formula, scalar
from riskcalc.theory.symbols import D, Lambda, a, gamma, kappa, nu, ridge, sigma2

LAW = {"Lambda": [4, 1, "1/4"], "D": [1, 2, "1/2"], "weights": ["1/4", "1/4", "1/2"]}
POINT = LAW | {"B": [1, "3/2", "1/2"], "kappa": "3/2", "ridge": "1/5", "sigma2": "1/2"}
PROBLEM = rc.LinearGaussian(
    aspect_ratio="3/2",
    eigenvalues=LAW["Lambda"],
    signal=POINT["B"],
    weights=LAW["weights"],
    penalty=LAW["D"],
    noise_variance="1/2",
    ridge="1/5",
)
x = scalar("x_of_test", "an unknown", REAL, "x")
mean = scalar("mean_of_test", "a mean", POSITIVE, "m")


def equation(statement, lower, upper, **more) -> Equation:
    return Equation("own.x", "an unknown", x, statement, "test", lower=lower, upper=upper, **more)


# The effective ridge, as one who knows no balance would write it: with a bracket.
MIN_MAX = (ridge, ridge + kappa * E(Lambda / D))
RIDGE = equation(Eq(x, ridge + kappa * E(Lambda * x / (Lambda + D * x))), *MIN_MAX)
NAMED = equation(Eq(x, ridge + kappa * mean), *MIN_MAX, where={mean: E(Lambda * x / (Lambda + D * x))})


@pytest.mark.parametrize(
    ("id", "what"),
    [
        ("dense.risk", "risk"),
        ("dense.training_error", "training_error"),
        ("dense.excess_risk", "excess_risk"),
        ("dense.effective_ridge", "effective_ridge"),
        ("dense.coefficient_risk", "risk"),
    ],
)
def test_registered_formulas_give_what_predictions_do(id: str, what: str):
    assert rc.evaluate(id, POINT) == pytest.approx(getattr(rc.predict(PROBLEM), what), rel=1e-13)
    many = getattr(rc.predict(PROBLEM, digits=50), what)
    found = rc.evaluate(id, POINT, digits=50)
    with mp.workdps(60):
        assert abs(found / many - 1) < 1e-49
    ball = rc.evaluate(id, POINT, digits=30, enclosed=True)
    with ctx.workdps(80):
        assert ball.contains(arb(rc.evaluate(id, POINT, digits=70)))
        assert ball.rad() < arb(many) * arb(10) ** -28


def test_a_batch_broadcasts_as_in_predictions():
    changes = {"kappa": [[0.5], [2], [3]], "Lambda": [[4, 1, 0.25], [9, 2, 0]]}
    found = rc.evaluate("dense.risk", POINT | changes)
    assert found.shape == (3, 2)
    each = [
        [rc.evaluate("dense.risk", POINT | {"kappa": k[0], "Lambda": law}) for law in changes["Lambda"]]
        for k in changes["kappa"]
    ]
    assert found == pytest.approx(np.array(each), rel=1e-14)
    assert rc.evaluate(RIDGE, POINT | changes, 20).shape == (3, 2)
    assert rc.evaluate(RIDGE, POINT | changes, 20, enclosed=True).shape == (3, 2)


def test_what_varies_over_the_law_has_a_value_for_each_atom():
    found = rc.evaluate("dense.coefficient", POINT | {"H": 0, "kappa": [1, 2]})
    assert found.shape == (2, 3)
    alone = rc.evaluate("dense.effective_ridge", POINT | {"kappa": 2})
    lam, penalty = np.array([4, 1, 0.25]), np.array([1, 2, 0.5])
    assert found[1] == pytest.approx(lam / (lam + penalty * alone) * [1, 1.5, 0.5], rel=1e-14)
    assert rc.evaluate(Lambda * sigma2, {"Lambda": [[1, 2]], "sigma2": [[1], [10]]}).shape == (2, 1, 2)


@pytest.mark.parametrize("own", [RIDGE, NAMED], ids=["its mean written out", "its mean named"])
def test_an_equation_is_solved_from_its_bracket(own: Equation):
    wanted = rc.evaluate("dense.effective_ridge", POINT, 50)
    assert rc.evaluate(own, POINT) == pytest.approx(float(wanted), rel=1e-14)
    with mp.workdps(60):
        assert abs(rc.evaluate(own, POINT, 50) / wanted - 1) < 1e-49
    with ctx.workdps(80):
        assert rc.evaluate(own, POINT, 50, enclosed=True).contains(arb(rc.evaluate(own, POINT, 70)))


def test_equations_of_all_kinds():
    """Against SciPy and closed forms: several regimes, roots of either sign, at an end, at zero, and beside a pole."""
    bend = equation(Eq(x, tanh(kappa * x) + sigma2), sympy.Integer(-5), sympy.Integer(5))
    noise = np.array([0.1, 1, 3])
    wanted = [brentq(lambda t, s=s: t - np.tanh(t / 2) - s, -5, 5, xtol=1e-14) for s in noise]
    assert rc.evaluate(bend, {"kappa": "1/2", "sigma2": noise}) == pytest.approx(wanted, rel=1e-13)
    assert rc.evaluate(bend, {"kappa": "1/2", "sigma2": 0}) == 0
    assert rc.evaluate(bend, {"kappa": "1/2", "sigma2": 0}, 15, enclosed=True).contains(0)
    pole = equation(Eq(1 / x, kappa + x), sympy.S.Zero, 1 / kappa)
    assert rc.evaluate(pole, {"kappa": 2}) == pytest.approx(np.sqrt(2) - 1, rel=1e-14)
    with mp.workdps(45):
        assert abs(rc.evaluate(pole, {"kappa": 2}, 40) - (mpmath.sqrt(2) - 1)) < 1e-40
    cube = equation(Eq(x**3, kappa - 2), -4 * kappa, kappa)
    assert rc.evaluate(cube, {"kappa": "1/2"}, 30) == pytest.approx(-(1.5 ** (1 / 3)), rel=1e-15)
    assert rc.evaluate(equation(Eq(x, kappa), kappa, 2 * kappa), {"kappa": 0.3}) == 0.3


def test_definitions_may_be_means():
    """Those that are not the unknown's are evaluated once, also where they stand inside another mean."""
    spread = Formula("own.spread", "spread", gamma, E((Lambda - mean) ** 2), "test", where={mean: E(Lambda)})
    law = {"Lambda": [1, 3], "weights": ["1/2", "1/2"]}
    assert rc.evaluate(spread, law) == 1
    assert rc.evaluate(spread, law, 20, enclosed=True).contains(1)
    each = Formula("own.each", "each", a, Lambda / mean, "test", where={mean: E(Lambda)})
    assert rc.evaluate(each, law).tolist() == [0.5, 1.5]


def test_the_chapter_gives_what_the_formula_does_not_say():
    squared = Formula("own.square", "square", gamma, x**2, "test")
    own = Chapter("own", "Own", (RIDGE, squared), meanings={mean: 1 + sigma2})
    root = rc.evaluate(RIDGE, POINT)
    for asked in (squared, "own.square", x**2):
        assert rc.evaluate(asked, POINT, chapter=own) == pytest.approx(root**2, rel=1e-15)
    assert rc.evaluate(mean + kappa, {"sigma2": 1, "kappa": 2}, chapter=own) == 4
    assert rc.evaluate(squared, {"x_of_test": 3}) == 9  # what is given is taken
    with pytest.raises(ValueError, match="inputs lack x_of_test"):
        rc.evaluate(squared, POINT)


def test_functions_of_sympy_in_every_number_system():
    form = (
        erf(kappa)
        + exp(-kappa) * tanh(kappa)
        + sympy.atan(kappa)
        + sympy.Max(kappa, sigma2) ** Rational(1, 3)
        + sympy.E
    )
    wanted = rc.evaluate(form, {"kappa": "2/3", "sigma2": "3/4"}, 40)
    with mp.workdps(40):
        assert (
            abs(wanted - mpmath.mpf(str(sympy.N(form.subs({kappa: Rational(2, 3), sigma2: Rational(3, 4)}), 45))))
            < 1e-38
        )
    assert rc.evaluate(form, {"kappa": "2/3", "sigma2": "3/4"}) == pytest.approx(float(wanted), rel=1e-15)
    with ctx.workdps(80):
        more = rc.evaluate(form, {"kappa": "2/3", "sigma2": "3/4"}, 70)
        assert rc.evaluate(form, {"kappa": "2/3", "sigma2": "3/4"}, 30, enclosed=True).contains(arb(more))


def test_what_has_no_real_value_is_no_number():
    root = sqrt(sigma2 - 1)
    assert np.isnan(rc.evaluate(root, {"sigma2": [0, 2]})).tolist() == [True, False]
    assert [mpmath.isnan(value) for value in rc.evaluate(root, {"sigma2": [0, 2]}, 20)] == [True, False]
    with pytest.raises(ValueError, match="not enclosed"):
        rc.evaluate(root, {"sigma2": [0, 2]}, 20, enclosed=True)


LEVEL = equation(Eq(x, kappa), kappa + 1, kappa + 2)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: rc.evaluate("dense.rsik", POINT), r"no formula is called 'dense\.rsik'; did you mean dense\.risk"),
        (
            lambda: rc.evaluate("dense.risk", {"kapa": 2}),
            r"no input of dense\.risk is called 'kapa'; did you mean kappa",
        ),
        (lambda: rc.evaluate("dense.risk", LAW | {"sigma2": 1}), r"inputs lack B, kappa, ridge"),
        (
            lambda: rc.evaluate("dense.risk", {"Lambda": 1, "D": 1, "B": 1, "kappa": 2, "ridge": 1, "sigma2": 1}),
            "weights",
        ),
        (lambda: rc.evaluate("dense.risk", POINT | {"a": 1}), r"a is no input: dense\.risk defines it"),
        (lambda: rc.evaluate("dense.risk", POINT | {"kappa": 0}), r"kappa, aspect ratio .* in \(0, oo\), got 0"),
        (lambda: rc.evaluate("dense.risk", POINT | {"B": -1}), r"B, .* in \[0, oo\), got -1"),
        (lambda: rc.evaluate("dense.risk", POINT | {"kappa": np.nan}), r"inputs\['kappa'\] must be finite"),
        (lambda: rc.evaluate("dense.risk", POINT | {"kappa": []}), r"inputs\['kappa'\] is empty"),
        (lambda: rc.evaluate("dense.risk", POINT | {"weights": [1, 1, 1]}), r"weights must sum to one .* 3"),
        (lambda: rc.evaluate("dense.risk", POINT | {"B": [1, 2]}), r"shapes do not match: .*B \(2,\)"),
        (lambda: rc.evaluate("dense.risk", POINT | {"kappa": [1, 2], "ridge": [1, 2, 3]}), "shapes do not match"),
        (
            lambda: rc.evaluate("dense.risk", POINT | {"kappa": ["1/2", 2], "ridge": [1, 0], "Lambda": 0}),
            r"dense\.effective_ridge is not solved for nu in regime 1: .*assumes \$\\lambda > 0\$",
        ),
        (lambda: rc.evaluate(gamma, {}), r"inputs lack gamma"),
        (lambda: rc.evaluate("retraining.risk", POINT), r"several equations in .*; give what they define as inputs"),
        (
            lambda: rc.evaluate(E(Symbol("Lambda")), LAW),
            r"Symbol\('Lambda'\), .* the declared LawSymbol Lambda, variance",
        ),
        (lambda: rc.evaluate(Symbol("Lamda"), LAW), r"did you mean the declared LawSymbol Lambda"),
        (lambda: rc.evaluate(Symbol("quux"), LAW), r"say what it means by scalar or law_symbol"),
        (lambda: rc.evaluate(Float(0.5) * kappa, POINT), r"floating-point number 0\.5"),
        (lambda: rc.evaluate(kappa + sympy.I, POINT), r"kappa \+ I cannot be evaluated"),
        (lambda: rc.evaluate(sympy.besselj(1, kappa), POINT), r"besselj is no function"),
        (lambda: rc.evaluate(E(Lambda * E(kappa * Lambda)), POINT), r"an expectation stands inside an expectation"),
        (lambda: rc.evaluate(kappa / sigma2, {"kappa": 1, "sigma2": 0}, 20), "divides by zero"),
        (lambda: rc.evaluate(kappa, POINT, digits=0), "digits must be at least 1"),
        (
            lambda: rc.evaluate(LEVEL, {"kappa": 2}),
            r"own\.x is not solved .* cross between 3\.0 and 4\.0, .* 1\.0 and 2\.0",
        ),
        (
            lambda: rc.evaluate(equation(Eq(1 / (x - kappa), sigma2), -kappa, 5 * kappa), {"kappa": 1, "sigma2": 0}),
            r"misses it by",
        ),
        (
            lambda: rc.evaluate(
                kappa * nu, {"kappa": 2}, chapter=Chapter("two", "Two", (_nu("two.one"), _nu("two.two")))
            ),
            r"nu in .* is given by two\.one and by two\.two; give it among the inputs",
        ),
    ],
)
def test_what_is_refused(ask, message: str):
    with pytest.raises(ValueError, match=message):
        ask()


def _nu(id: str) -> Formula:
    return Formula(id, "nu", nu, kappa, "test")


@pytest.mark.parametrize("ask", [lambda: rc.evaluate(3, {}), lambda: rc.evaluate(kappa, [2])])
def test_what_is_no_formula_and_no_mapping(ask):
    with pytest.raises(TypeError, match=r"formula must be|inputs are a mapping"):
        ask()


def test_theories_are_evaluated_in_the_same_way():
    trial = lambda n, rng: 1.0  # noqa: E731
    dense = rc.Theory("dense.risk", trial, inputs=POINT)
    assert dense.at(50) == pytest.approx([rc.predict(PROBLEM).risk], rel=1e-13)
    assert rc.Theory(RIDGE, trial, inputs=POINT).at(50)[0] == rc.evaluate(RIDGE, POINT)
    own = rc.Theory(sigma2 + E(Lambda**2), trial, ["a_b"], POINT)
    assert rc.latex(own) == "\\begin{align*}\n  \\text{a\\_b} &= \\sigma^2 + \\mathbb{E}[\\Lambda^2]\n\\end{align*}"
    assert own._repr_latex_().startswith("$$\\begin{aligned}")
    assert rc.latex(dense) == rc.latex("dense.risk")
    assert rc.Theory(lambda n: 1.0, trial)._repr_latex_() is None
    with pytest.raises(TypeError, match="a Theory of one"):
        rc.latex(rc.Theory(lambda n: 1.0, trial))
    with pytest.raises(ValueError, match=r"no input of the expression is called 'lambda'; did you mean Lambda"):
        rc.Theory(sigma2 + E(Lambda**2), trial, inputs={"lambda": 2}).at(50)
    with pytest.raises(ValueError, match="the declared Scalar sigma2"):
        rc.Theory(Symbol("sigma2") + 1, trial, inputs={"sigma2": 2}).at(50)
