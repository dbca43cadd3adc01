"""The derivation engine: wrong steps are refused at every level, and the derivations that ship hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy
from sympy import Derivative, Integral, Rational, S, oo, sqrt

from riskcalc.derivation.background import Background
from riskcalc.derivation.checks import Enclosed, Sampled, Simulated, Symbolic
from riskcalc.derivation.claims import Equal, Expands, Less, Limit, Registered, Roots
from riskcalc.derivation.record import Derivation, Step
from riskcalc.derivation.reports import Report
from riskcalc.derivation.run import build, check, derive
from riskcalc.formulas.expectation import E, MaskedMoments
from riskcalc.formulas.nodes import Outside, phi, positive, ratio
from riskcalc.formulas.records import Formula
from riskcalc.formulas.symbols import H, LawSymbol, Scalar
from riskcalc.formulas.symbols import S as S_
from riskcalc.theory import REGISTRY, dense, pruning
from riskcalc.theory.library import LIBRARY
from riskcalc.theory.masks import MOMENTS
from riskcalc.theory.symbols import M0, B, D, Lambda, M2c, X, a, abar, gamma, kappa, nu, q, ridge, sigma2, t, tau, u, z
from riskcalc.verification.subjects import Theory

x = sympy.Symbol("x", real=True)  # integrated over

WHERE = {
    a: Lambda / (Lambda + D * nu),
    abar: 1 - a,
    tau: sqrt(kappa * gamma * Lambda) / (Lambda + D * nu),
    q: 1 - kappa * E(a),
}


def run(claim, method=None, where=None, assuming=()):
    return check(Step("step", claim, "", (), method or Symbolic(), WHERE if where is None else where, tuple(assuming)))


# Each true claim beside wrong ones that are near it.
TRUE = [
    Equal(E(a * abar), E(a) - E(a**2)),
    Equal(E(a) ** 2 - E(a) * E(abar), 2 * E(a) ** 2 - E(a)),
    Equal(Derivative(E(a), nu), -E(a * abar) / nu),
    Equal((sigma2 + E(Lambda * B**2)) / (1 - kappa * E(a)), (sigma2 + E(Lambda * B**2)) / q),
    Less(S.Zero, kappa * E(a * abar) + ridge / nu),
    Less(E(a**2), E(a), strict=False),
]
FALSE = [
    Equal(E(a * abar), E(a) - E(a) ** 2),
    Equal(E(a) ** 2 - E(a) * E(abar), 2 * E(a) ** 2 + E(a)),
    Equal(Derivative(E(a), nu), E(a * abar) / nu),
    Equal((sigma2 + E(Lambda * B**2)) / (1 - kappa * E(a)), (sigma2 + E(Lambda * B)) / q),
    Less(kappa * E(a * abar) + ridge / nu, S.Zero),
    Less(E(a), E(a**2), strict=False),
]


@pytest.mark.parametrize("method", [Symbolic(), Enclosed(), Sampled()], ids=lambda method: method.level)
@pytest.mark.parametrize(("true", "false"), list(zip(TRUE, FALSE, strict=True)))
def test_true_steps_hold_and_wrong_ones_are_refused_at_every_level(method, true, false):
    assert run(true, method).passed
    assert run(true, method).level == method.level
    assert not run(false, method).passed


def test_a_wrong_limit_theorem_is_refused_by_simulation():
    def squares(mean):
        trial = lambda n, rng: (rng.standard_normal(n) ** 2).mean()  # noqa: E731
        return Simulated(Theory(predict=lambda n: mean, trial=trial, names=["square"]), seconds=5.0)

    assert run(Limit("squares have mean one"), squares(1.0)).passed
    assert not run(Limit("squares have mean one and a half"), squares(1.5)).passed


def test_features_without_variance_are_a_case_of_their_own():
    live = dense.SHRINKAGE  # share and rest switch at zero
    assert run(Equal(E(a + abar), S.One), where=live).passed
    assert run(Equal(E(positive(Lambda) * a), E(a)), where=live).passed
    assert not run(Equal(E(positive(Lambda) * abar), E(abar)), where=live).passed
    assert not run(Equal(positive(nu), S.One), where={}).passed  # nor at an effective ridge of zero
    # strictly positive where there is variance, not where there is none
    assert run(Less(S.Zero, E(a)), where=live).passed
    assert not run(Less(E(a), S.Zero, strict=False), where=live).passed


def test_derivatives_are_taken_of_moments_and_not_of_masks():
    kept = Outside(t - 1, t)
    assert run(Equal(Derivative(E(S_), t), E(kept).diff(t)), where={M0: kept}).passed
    assert not run(Equal(Derivative(E(S_), t), S.Zero), where={M0: kept}).passed
    assert "take it outside" in run(Equal(E(Derivative(t * S_, t)), S.Zero), where={M0: kept}).seen


def test_means_inside_a_mean_are_constants():
    assert run(Equal(E(Lambda * (B - q * B) ** 2), (kappa * E(a)) ** 2 * E(Lambda * B**2))).passed
    assert not run(Equal(E(Lambda * (B - q * B) ** 2), kappa**2 * E(Lambda * a**2 * B**2))).passed


def test_a_ratio_is_a_quotient_where_its_divisor_is_positive():
    balance = kappa * E(a) - sigma2  # of either sign
    assert run(Equal(ratio(balance, kappa + 1) + ratio(sigma2, kappa + 1), kappa * E(a) / (kappa + 1))).passed
    assert not run(Equal(ratio(balance, kappa + 1), kappa * E(a) / (kappa + 1))).passed


def test_gaussians_are_averaged_out():
    assert run(Equal(E(Lambda * (a * B + tau * H) ** 2), E(Lambda * (a * B) ** 2) + kappa * gamma * E(a**2))).passed
    assert not run(Equal(E(Lambda * (a * B + tau * H) ** 2), E(Lambda * (a * B) ** 2) + gamma * E(a**2))).passed


def test_roots_are_all_the_roots():
    x = nu
    square = Equal(x**2, sigma2)
    assert run(Roots(square, x, (sqrt(sigma2), -sqrt(sigma2)))).passed
    assert not run(Roots(square, x, (sqrt(sigma2),))).passed
    assert not run(Roots(square, x, (sqrt(sigma2), sqrt(sigma2)))).passed
    # a root of the numerator that is a pole of the equation is none
    assert not run(Roots(Equal((x**2 - 1) / (x - 1), S.Zero), x, (S.One, -S.One)), where={}).passed


def test_expansions_have_all_their_terms_and_no_more():
    ratio = 1 / E(a)
    mean = E(D / Lambda)
    good = Expands(ratio, 1 + nu * mean, nu**2, nu, S.Zero)
    assert run(good).passed
    assert not run(Expands(ratio, 1 + 2 * nu * mean, nu**2, nu, S.Zero)).passed
    assert not run(Expands(ratio, 1 + nu * mean, nu**3, nu, S.Zero)).passed  # a term is missing
    assert not run(Expands(ratio, 1 + nu * mean + nu**2, nu**2, nu, S.Zero)).passed  # one is beyond the error
    assert run(Expands(E(a), E(Lambda / D) / nu, 1 / nu**2, nu, oo)).passed
    assert run(Expands(1 / (1 - kappa), 1 / (1 - kappa), S.One, kappa, S.One, "-")).passed


def test_integrals_are_done_or_sampled():
    mass = Integral(phi(x), (x, z, oo)) + Integral(phi(x), (x, -oo, z - 2 * u))
    for method in (Symbolic(), Sampled()):
        assert run(Equal(mass, Outside(z, u)), method, where={}).passed
        assert not run(Equal(mass, 1 - Outside(z, u)), method, where={}).passed


def test_limits_go_around_means_and_cases():
    share_of_live = kappa * E(positive(Lambda))
    risk = sympy.Limit(sigma2 * (t - 1) / (t - share_of_live * t - 1), t, oo)
    assert run(Equal(risk, sigma2 / (1 - share_of_live)), where={}).passed
    assert not run(Equal(risk, sigma2), where={}).passed
    inside = run(Equal(sympy.Limit(E(sqrt(Lambda + nu)), nu, 0), E(sqrt(Lambda))), where={})
    assert "exchange the mean with the limit" in inside.seen
    switching = run(Equal(E(sympy.Limit(a, nu, 0)), S.One), where=dense.SHRINKAGE)  # wrong without variance
    assert "a feature may have no variance" in switching.seen


def test_a_domain_that_is_never_met_is_vacuous():
    never = Less(kappa + 1, kappa)
    for method in (Enclosed(), Sampled()):
        found = run(TRUE[0], method, assuming=[never])
        assert found.level == "vacuous"
        assert not Report("x", "x", (found,)).verdict.startswith("0")
        assert "1 vacuous" in Report("x", "x", (found,)).verdict
    met = run(Less(S.One, kappa), Enclosed(), assuming=[Less(S.One, kappa)])
    assert met.passed
    assert met.level == "enclosed"
    assert not run(Less(S.One, kappa), Enclosed()).passed


def test_balls_prove_only_what_they_enclose():
    """An identity that holds to 30 digits is refused: the ball does not contain zero."""
    nearly = Equal(kappa, kappa + Rational(1, 10**30))
    assert not run(nearly, Enclosed()).passed
    assert run(nearly, Sampled()).passed  # to 20 digits


def test_what_was_derived_must_be_what_is_registered():
    risk = (sigma2 + E(Lambda * B**2 * (1 - a) ** 2)) / (1 - kappa * E(a**2))
    assert run(Registered(dense.RISK, risk)).passed
    assert not run(Registered(dense.RISK, risk + sigma2)).passed
    wrong = sympy.Dummy()
    for mutated in (
        {"statement": dense.RISK.statement + sigma2},
        {"evaluation": dense.RISK.evaluation + sigma2},
        {"where": dict(dense.RISK.where) | {a: abar, abar: wrong}},
        {"relation": "<="},
        {"complements": {a: q}},
    ):
        assert not run(Registered(replace(dense.RISK, **mutated), risk)).passed
    assert run(Registered(dense.EFFECTIVE_RIDGE, Equal(nu - ridge, kappa * nu * E(a)))).passed
    assert not run(Registered(dense.EFFECTIVE_RIDGE, Equal(nu - ridge, nu * E(a)))).passed
    for mutated in ({"evaluation": nu}, {"rates": (dense.EFFECTIVE_RIDGE.remainder,)}):
        wrong = replace(dense.EFFECTIVE_RIDGE, **mutated)
        assert not run(Registered(wrong, Equal(nu - ridge, kappa * nu * E(a)))).passed
    coefficients = WHERE | {X: a * B + tau * H}
    pruned = sigma2 + E(Lambda * (B - S_ * X) ** 2)
    assert run(Registered(pruning.RISK, pruned), where=coefficients).passed
    for moments in (replace(MOMENTS, first=M2c), None):
        assert not run(Registered(replace(pruning.RISK, moments=moments), pruned), where=coefficients).passed


def _empty(**changes) -> Derivation:
    return Derivation("Title", "Statement.", "None.", "Nothing.", **changes)


def test_a_step_cites_only_earlier_ones():
    d = _empty()
    d.step("first", Equal(E(a), E(a)), "Trivial.")
    with pytest.raises(ValueError, match=r"no step before 'second' is called 'third'; there are first"):
        d.step("second", Equal(E(a), E(a)), "Trivial.", uses=["third"])
    with pytest.raises(ValueError, match=r"no step before 'second' is called 'frist'; did you mean first\?"):
        d.step("second", Equal(E(a), E(a)), "Trivial.", uses=["frist"])
    with pytest.raises(ValueError, match="two steps are called 'first'"):
        d.step("first", Equal(E(a), E(a)), "Trivial.")
    with pytest.raises(ValueError, match="Enclosed can check Equal, Less, but not Limit"):
        d.step("second", Limit("words"), "Trivial.", check=Enclosed())


def test_a_step_that_breaks_has_failed():
    found = run(Equal(E(a * E.__new__(E, B)), E(a)), where={a: sympy.sqrt(q + B), q: E(B)})
    assert not found.passed
    assert "ValueError: a mean stands inside a mean" in found.seen
    assert "1 of 1 steps FAILED" in str(Report("x", "x", (found,)))


def test_unknown_derivations_list_the_near_ones(tmp_path):
    with pytest.raises(ValueError, match=r"no derivation is called 'rigde'; did you mean ridge"):
        derive("rigde")
    with pytest.raises(ValueError, match="there is no file"):
        derive(str(tmp_path / "mine.py"))
    with pytest.raises(TypeError, match="name must be that of a derivation"):
        derive(3)
    (tmp_path / "broken.py").write_text("def (")
    with pytest.raises(ValueError, match=r"broken\.py, line 1: invalid syntax"):
        derive(str(tmp_path / "broken.py"))
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(ValueError, match=r"has no function derivation\(records\)"):
        derive(str(tmp_path / "empty.py"))


def test_a_derivation_of_ones_own_runs_from_its_file(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from riskcalc.derivation.claims import Equal\n"
        "from riskcalc.derivation.record import Derivation\n"
        "from riskcalc.theory.symbols import kappa\n"
        "def derivation(records):\n"
        "    d = Derivation('Mine', 'Squares.', 'None.', 'Nothing.')\n"
        "    d.step('square', Equal((kappa + 1)**2, kappa**2 + 2*kappa + 1), 'Expand.')\n"
        "    return d\n"
    )
    report = derive(str(tmp_path / "mine.py"))
    assert report.passed
    assert report.levels == {"symbolic": 1}


def test_a_theory_of_ones_own_is_the_background_of_its_steps():
    speed, time, way, pace, double = (
        Scalar(name, positive=True) for name in ("speed", "time", "way", "pace", "double")
    )
    kept, dropped, first, second, mine = (
        LawSymbol(name, real=True) for name in ("kept", "dropped", "m1", "m2", "mine")
    )
    there = Formula("motion.way", "way", way, speed * time, "own")
    slow = Formula("motion.pace", "pace", pace, time / way + double, "own", derived_from=("motion.way",))
    own = Background({there.id: there}, {double: 2 * speed}, MaskedMoments(kept, dropped, first, second), mine)
    registered = Step("pace", Registered(slow, 1 / speed + double), "", (), Symbolic(), {way: speed * time}, ())
    meant = Step("double", Registered(slow, time / way + 2 * speed), "", (), Symbolic(), {double: 2 * speed}, ())
    averaged = Step("mean", Equal(E(S_ * H), E(first)), "", (), Symbolic(), {}, ())
    for step in (registered, meant, averaged):
        assert check(step, own).passed
        assert not check(step).passed
    loose = Step("loose", Equal(E(mine * H), S.Zero), "", (), Symbolic(), {}, ())
    assert "define it" in check(loose, own).seen


@pytest.mark.parametrize("name", LIBRARY.derivations)
def test_the_derivations_hold(name: str):
    report = derive(name)
    assert report.passed, str(report)
    assert "vacuous" not in report.levels, str(report)
    derivation = build(name)
    for text in (derivation.title, derivation.statement, derivation.assumptions, derivation.cited):
        assert text.strip()
    for step in derivation.steps:
        assert step.why.strip(), step.name


def test_every_formula_is_derived():
    steps = (step for name in LIBRARY.derivations for step in build(name).steps)
    derived = {step.claim.formula.id for step in steps if isinstance(step.claim, Registered)}
    assert derived == set(REGISTRY)
