"""False steps that look true: a machine would accept them if it forgot a case, a pole, a jump, or what a name means."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy
from sympy import Derivative, Integral, Rational, S, exp, log, oo

from riskcalc.derivation.checks import Enclosed, Sampled, Symbolic
from riskcalc.derivation.claims import Equal, Expands, Less, Registered, Roots
from riskcalc.derivation.record import Step
from riskcalc.derivation.run import check
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import phi, positive
from riskcalc.formulas.symbols import POSITIVE, UNIT, H, LawSymbol, scalar
from riskcalc.theory import dense, pruning
from riskcalc.theory.symbols import (
    M0,
    M1,
    B,
    D,
    Lambda,
    M0bar,
    M2c,
    X,
    a,
    abar,
    excess,
    gamma,
    kappa,
    nu,
    q,
    ridge,
    sigma2,
    t,
    tau,
)

x = sympy.Symbol("x", real=True)  # integrated over

SHRINKAGE = {a: Lambda / (Lambda + D * nu), abar: 1 - a}


def run(claim, method=None, where=None):
    return check(Step("step", claim, "", (), method or Symbolic(), where or {}, ()))


def _false_beside_true(**cases):
    """Cases of a claim that is false, a word of the refusal, and a true claim near it."""
    return pytest.mark.parametrize(("false", "refusal", "true"), list(cases.values()), ids=list(cases))


# Zero for every law, which does not show.
HIDDEN = E(a * abar) - E(a) + E(a**2)


@_false_beside_true(
    error_in_a_mean=(
        Expands(nu, S.Zero, E(nu * Lambda / (Lambda + nu)), nu, S.Zero),
        "no multiple of a power",
        Expands(nu, S.Zero, nu * E(Lambda), nu, S.Zero),
    ),
    no_error=(
        Expands(nu, nu + 7 * nu**2, nu * HIDDEN, nu, S.Zero),
        "an error of zero",
        Expands(nu, nu, nu**2 + kappa * nu**2, nu, S.Zero),
    ),
    logarithm=(
        Expands(nu * log(nu), S.Zero, nu, nu, S.Zero),
        "no multiple of a power",
        Expands(nu * log(1 + nu), S.Zero, nu**2, nu, S.Zero),
    ),
    logarithm_in_a_mean=(
        Expands(E(log(1 + Lambda * nu * log(nu))), S.Zero, nu, nu, S.Zero),
        "no multiple of a power",
        Expands(E(log(1 + Lambda * nu)), S.Zero, nu, nu, S.Zero),
    ),
    unknown_exponent=(
        Expands(nu**kappa, S.Zero, nu, nu, S.Zero),
        "unknown exponent",
        Expands(nu ** Rational(3, 2), S.Zero, nu, nu, S.Zero),
    ),
    no_equation=(
        Roots(Equal(kappa, S.Zero), nu, ()),
        "no equation in nu",
        Roots(Equal(kappa * nu, S.Zero), nu, (S.Zero,)),
    ),
    leading_coefficient_of_zero=(
        Roots(Equal(HIDDEN * nu, S.Zero), nu, (S.Zero,)),
        "no equation in nu",
        Roots(Equal(E(a * abar) * nu, S.Zero), nu, (S.Zero,)),
    ),
    division_by_zero=(
        Equal(HIDDEN / (E(a * B * abar) - E(a * B) + E(a**2 * B)), 5 * S.One),
        "by which is divided, is zero",
        Equal((HIDDEN + sigma2) / (E(a * abar) + E(a**2)), sigma2 / E(a)),
    ),
    pole_of_a_sign=(
        Less(S.Zero, HIDDEN**-2, strict=False),
        "by which is divided, is zero",
        Less(S.Zero, E(a) ** -2, strict=False),
    ),
    limit_at_zero_variance=(
        Equal(E(sympy.Limit(Lambda / (Lambda + D * nu), nu, 0, "+")), S.One),
        "SymPy does not show it",
        Equal(E(sympy.Limit(Lambda / (Lambda + D * nu), nu, 0, "+")), E(positive(Lambda))),
    ),
    limit_where_two_scalars_are_zero=(
        Equal(sympy.Limit((gamma + sigma2) / (gamma + sigma2 + nu), nu, 0, "+"), S.One),
        "SymPy does not show it",
        Equal(sympy.Limit((kappa + sigma2) / (kappa + sigma2 + nu), nu, 0, "+"), S.One),
    ),
    integral_at_zero=(
        Equal(Integral(B * exp(-B * x), (x, 0, oo)), S.One),
        "SymPy does not show it",
        Equal(Integral(B * exp(-B * x), (x, 0, oo)), positive(B)),
    ),
    sign=(Equal(sympy.sign(B), S.One), "may jump", Equal(positive(kappa), S.One)),
    derivative_of_a_jump=(
        Equal(Derivative(E(positive(Lambda - nu)), nu), S.Zero),
        "has no derivative there",
        Equal(Derivative(E(positive(Lambda) * nu), nu), E(positive(Lambda))),
    ),
    derivative_of_an_integral_of_a_jump=(
        Equal(Derivative(Integral(positive(x - nu) * phi(x), (x, -oo, oo)), nu), S.Zero),
        "has no derivative there",
        Equal(Derivative(Integral(exp(-kappa * x), (x, 0, oo)), kappa), -(kappa**-2)),
    ),
    derivative_in_what_is_averaged=(
        Equal(Derivative(E(Lambda * B), Lambda), E(B)),
        "is averaged over",
        Equal(E(Derivative(Lambda * B, Lambda)), E(B)),
    ),
    undefined_coefficient=(Equal(E(X * H), S.Zero), "define it", Equal(E(X * B), E(B * X))),
)
def test_false_steps_that_look_true_are_refused(false, refusal, true):
    shrinkage = {abar: 1 - a}
    found = run(false, where=shrinkage)
    assert not found.passed
    assert refusal in found.seen
    assert run(true, where=shrinkage).passed


@pytest.mark.parametrize(
    ("claim", "where", "refusal"),
    [
        (Expands(nu, S.One, nu, nu, S.Zero), {nu: S.One}, "is what the claim is about"),
        (Roots(Equal(nu**2, S.One), nu, ()), {nu: S.Zero}, "is what the claim is about"),
        (Equal(Derivative(nu * t, nu), 2 * t), {nu: t}, "cannot be defined"),
        (Equal(Integral(kappa * x, (x, 0, 1)), Rational(1, 3)), {kappa: x}, "cannot be defined"),
        (Equal(E(nu / (nu + Lambda)), Rational(1, 2)), {nu: Lambda}, "does not vary over the law"),
        (Equal(E(nu / (nu + Lambda)), S.One), {nu: LawSymbol("nu", positive=True)}, "does not vary over the law"),
    ],
)
def test_definitions_do_not_change_what_a_claim_runs_over(claim, where, refusal):
    found = run(claim, where=where)
    assert not found.passed
    assert refusal in found.seen


def test_poles_are_in_no_order():
    pole = 1 / (a + abar - 1)
    for method in (Enclosed(), Sampled()):
        assert not run(Less(pole, 2 * pole, strict=False), method).passed
        assert not run(Less(S.Zero, -log(1 - a - abar)), method).passed


def test_a_strict_sign_is_said_to_hold_for_positive_symbols():
    assert run(Less(S.Zero, B)).seen == "every factor has a sign, if symbols are positive"
    assert run(Less(S.Zero, B, strict=False)).seen == "every factor has a sign"


def test_a_symbol_has_one_domain_and_one_way_of_writing_it():
    with pytest.raises(ValueError, match=r"kappa was declared in Interval\.open"):
        scalar("kappa", "something else", UNIT, "k")
    with pytest.raises(ValueError, match=r"kappa was written \\kappa before, for .*, and now k"):
        scalar("kappa", "aspect ratio", POSITIVE, "k")
    assert scalar("kappa", "aspect ratio $p/n$", POSITIVE, r"\kappa") == kappa


def test_a_special_case_is_not_what_is_registered():
    risk = E(Lambda * B**2 * (1 - a) ** 2) / (1 - kappa * E(a**2))
    for formula, derived, special in (
        (dense.RISK, risk, {sigma2: S.Zero}),
        (dense.EFFECTIVE_RIDGE, Equal(2 * nu, 2 * nu), {ridge: nu * (1 - kappa * E(a))}),
        (dense.RISK, risk, {kappa: 1 / E(a)}),
        (pruning.RISK, sigma2 + E(Lambda * B**2), {M0: S.Zero, M0bar: S.One, M1: S.Zero, M2c: S.Zero}),
    ):
        found = run(Registered(formula, derived), where=special | SHRINKAGE | {q: 1 - kappa * E(a), X: a * B + tau * H})
        assert not found.passed
        assert "or not in general" in found.seen
    # but a definition may follow from the formulas behind the record, or be what a symbol stands for
    assert run(Registered(dense.SLACK, 1 - kappa * E(a)), where=SHRINKAGE | {ridge: nu * (1 - kappa * E(a))}).passed
    live = {a: positive(Lambda), excess: kappa * E(positive(Lambda)) - 1}
    assert run(Registered(dense.LEAST_SQUARES_SLACK, 1 - kappa * E(a)), where=live).passed
    assert not run(Registered(dense.LEAST_SQUARES_SLACK, S.Zero), where={excess: S.Zero}).passed
    # a symbol that the step leaves alone has the meaning that the record gives it
    wrong = replace(dense.RISK, where=dict(dense.RISK.where) | {a: 1 - dense.RISK.where[a]})
    assert not run(Registered(wrong, dense.RISK.statement), where={a: a, abar: abar}).passed
