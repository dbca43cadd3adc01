"""The formula layer: nodes, evaluation forms against statements, the reducer, the registry."""

from __future__ import annotations

import random
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from flint import arb, fmpq
from sympy import Rational, sqrt

from riskcalc.formulas import nodes
from riskcalc.formulas.chapters import Chapter, registry
from riskcalc.formulas.expectation import E, MaskedMoments, fold_complements, reduce_expectations
from riskcalc.formulas.records import FixedPoint, Formula
from riskcalc.formulas.symbols import QUANTITIES, H, LawSymbol, S
from riskcalc.lowering.balls import Balls
from riskcalc.lowering.compile import lower, reduced
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.multiprecision import Multiprecision
from riskcalc.theory import CHAPTERS, REGISTRY, dense, masks, pruning, sampling
from riskcalc.theory import symbols as s

x, y, w = (LawSymbol(name, nonnegative=True) for name in "xyw")

z, u = LawSymbol("z", real=True), LawSymbol("u", nonnegative=True)

# Each node with symbols for its arguments and points of its domain, the hard corners included.
_INTERVALS = [(0.3, 0.3), (-2, 0.5), (1, 40), (-6, "1/1000"), (-1, "1/20"), (-30, 3), (12, 15), (-9, 0.06), (3, 3)]
NODES = {
    nodes.ratio(x, y): [(0, 0), (0, 2), (3, 2), (1e-9, 7)],
    nodes.share(x, y): [(0, 0), (0, 2), (3, 0), (1, 1e-9), (2, 5)],
    nodes.rest(x, y): [(0, 0), (0, 2), (3, 0), (1, 1e-9), (2, 5)],
    nodes.positive(x): [(0,), (1e-300,), (2,)],
    nodes.positive_root(x, y): [(3, 2), (-3, 2), (-1e8, 1), (0, 4), (1e-9, 0)],
    nodes.top(x, y, w): [(2, 1, 0.25), (1, 1, 0.25), (1, 2, 0.25)],
    nodes.phi(x): [(0,), (-3,), (8,)],
    nodes.tail(x): [(0,), (3,), (12,)],
    nodes.two_sided_quantile(x): [(0.5,), (1e-4,), (0.999,)],
    nodes.fall(z, u): [(0.3, 0.5), (-2, 0.5), (0.2, 0.2)],
} | {
    node(z, u): _INTERVALS
    for node in (
        nodes.Inside,
        nodes.Outside,
        nodes.boundary,
        nodes.edge_drop,
        nodes.edge_moment,
        nodes.inner_first,
        nodes.inner_second,
        nodes.inner_slope,
    )
}


_GROUPS = [(0.5, 2, 4), (1.5, 3.25, 3), (0.25, 0.5, 1), (2, 7, 8)]
mu, theta, k, size = (LawSymbol(name, positive=True) for name in ("mu", "theta", "k", "size"))
_TENTS = [(0.25, 0.5), (2.5, 0.5), (39, 40), (6, "1/1000"), (1, "1/20"), (1, 3), (33, 3), (3, 15), (10.5, 1.5), (0, 3)]
_TENTS += [(0.5, 1e9), (1e-3, 1e6)]
NODES |= {node(x, u): _TENTS for node in (nodes.tent, nodes.off_tent, nodes.tent_drop, nodes.tent_moment)} | {
    nodes.tent_loss(x, u): _TENTS,
    nodes.discounted(mu, theta): [(0.5, 0.25), (3, 0.001), (0.25, 30), (40, 2), (2, 40)],
    nodes.chi_outside(mu, u, size): _GROUPS,
    nodes.chi_inside(mu, u, size): _GROUPS,
    nodes.chi_density(mu, u, k, size): [(mean, at, many + 2, many) for mean, at, many in _GROUPS],
}


def _exact(value) -> Fraction:
    return Fraction(value)


def _arguments(node: nodes.Node) -> list[sympy.Symbol]:
    return list(node.args)


def _defined(node: nodes.Node, point) -> mpmath.mpf:
    """The definition, at 120 digits."""
    values = {
        symbol: Rational(_exact(value).numerator, _exact(value).denominator)
        for symbol, value in zip(_arguments(node), point, strict=True)
    }
    return mpmath.mpf(str(sympy.N(node.doit().subs(values), 120, maxn=2000)))


@pytest.mark.parametrize("node", NODES, ids=lambda node: type(node).__name__)
@pytest.mark.parametrize(("system", "tolerance"), [(FLOAT64, 1e-14), (Multiprecision(40), mpmath.mpf(10) ** -39)])
def test_routines_are_their_definitions(node, system, tolerance):
    lowered = lower((node,), {}, system, "node")
    for point in NODES[node]:
        with system.precision(), mpmath.workdps(120):
            state = {
                str(symbol): system.number(np.array([[_exact(value)]], dtype=object))
                for symbol, value in zip(_arguments(node), point, strict=True)
            }
            found = lowered(state)[0][0, 0]
            expected = _defined(node, tuple(Fraction(float(_exact(v))) if system is FLOAT64 else v for v in point))
            # A far tail is known to a relative error of about z**2 roundings; each integral over it takes as much more.
            worst = max((abs(float(_exact(value))) for value in point), default=0)
            powers = (
                1
                if isinstance(node, _TAILS)
                else 3
                if type(node).__name__.startswith(("tent", "disc", "chi", "inner"))
                else 0
            )
            loss = (1 + min(worst, 30) ** 2) ** powers if system is FLOAT64 else 1
            assert abs(mpmath.mpf(found) - expected) <= tolerance * (loss * abs(expected) if expected else 1e-3), point


_BALLS = Balls(60)


@pytest.mark.parametrize("node", NODES, ids=lambda node: type(node).__name__)
def test_balls_enclose_the_definitions(node):
    lowered = lower((node,), {}, _BALLS, "node")
    for point in NODES[node]:
        with _BALLS.precision(), mpmath.workdps(120):
            state = {
                str(symbol): _BALLS.number(np.array([[_exact(value)]], dtype=object))
                for symbol, value in zip(_arguments(node), point, strict=True)
            }
            ball = lowered(state)[0][0, 0]
            expected = Fraction(str(_defined(node, point)))
            # 120 digits of the definition stand for its exact value: far inside a ball of 60
            assert (ball - fmpq(expected.numerator, expected.denominator)).contains(0), point
            assert ball.rad() <= 1e-50 * abs(ball) or ball.rad() < 1e-55, point


def test_a_ball_across_a_switch_encloses_everything():
    with _BALLS.precision():
        across = np.array([[arb(0, 1e-9)]], dtype=object)
        one = np.array([[arb(1)]], dtype=object)
        for node in (nodes.positive(x), nodes.share(x, y), nodes.rest(x, y), nodes.ratio(x, y)):
            (value,) = lower((node,), {}, _BALLS)({"x": across, "y": one})
            assert value[0, 0].is_nan()


_TAILS = (nodes.phi, nodes.tail, nodes.Inside, nodes.Outside, nodes.boundary, nodes.edge_drop, nodes.edge_moment)


@pytest.mark.parametrize(
    "node", [nodes.Inside(z, u), nodes.Outside(z, u), nodes.share(x, u), nodes.rest(x, u), nodes.phi(z)]
)
def test_derivatives_are_those_of_the_definitions(node):
    point = {x: Rational(3, 7), z: Rational(3, 7), u: Rational(5, 4)}
    for symbol in node.args:
        exact = node.doit().diff(symbol).subs(point).doit()
        assert abs(sympy.N(node.diff(symbol).doit().subs(point).doit() - exact, 30)) < 1e-25


def test_a_float_in_a_formula_is_refused():
    with pytest.raises(ValueError, match=r"floating-point number 0\.5.*exact rational"):
        lower((0.5 * x,), {}, FLOAT64)


def test_rationals_are_exact_in_every_system():
    third = Rational(1, 3) * x + Rational(1, 7)
    with Multiprecision(50).precision(), mpmath.workdps(75):
        (value,) = lower((third,), {}, Multiprecision(50))({"x": np.array([[mpmath.mpf(1)]], dtype=object)})
        assert abs(mpmath.mpf(value[0, 0]) - mpmath.mpf(10) / 21) < mpmath.mpf(10) ** -60


def test_nested_and_stray_law_symbols_are_refused():
    inner = E.__new__(E, x)
    with pytest.raises(ValueError, match="inside an expectation"):
        lower((E(y * inner),), {}, FLOAT64)
    with pytest.raises(ValueError, match=r"x varies over the law but stands outside"):
        lower((x + E(y),), {}, FLOAT64)


def test_generated_source_shares_subexpressions_and_can_be_read():
    lowered = lower((E(sqrt(x + y) * w), E(sqrt(x + y))), {}, FLOAT64)
    assert lowered.source.count("sqrt(") == 1
    state = {"x": np.array([[1.0, 3.0]]), "y": np.array([[0.0, 1.0]]), "w": np.array([[1.0, 2.0]])}
    state |= {"weights": np.array([[0.25, 0.75]]), "total": np.array([[1.0]])}
    first, second = lowered(state)
    assert (first.item(), second.item()) == (0.25 + 3.0, 0.25 + 1.5)


def test_blocks_of_atoms_add_up_to_the_whole():
    rng = np.random.default_rng(0)
    count = 50_000
    state = {"x": rng.random((1, count)), "weights": np.ones((1, count)), "total": np.full((1, 1), float(count))}
    (mean,) = lower((E(x**2),), {}, FLOAT64)(state)
    assert mean.item() == pytest.approx(np.mean(state["x"] ** 2), rel=1e-13)


def test_expectation_is_linear_and_differentiates_through():
    kappa = s.kappa
    assert E(3 * kappa * x) == 3 * kappa * E(x)
    assert E(kappa + x) == kappa + E(x)
    assert E(kappa) == kappa
    assert E(kappa * x + x**2).diff(kappa) == E(x)
    assert E((x + y) ** 2).linear() == E(x**2) + 2 * E(x * y) + E(y**2)


def test_reducer_takes_gaussian_and_masked_moments():
    moments = MaskedMoments(*(LawSymbol(name, real=True) for name in ("m0", "m0bar", "m1", "m2c")))
    plain = reduce_expectations(E((x + y * H) ** 2), moments)
    assert sympy.expand(plain.integrand - (x**2 + y**2)) == 0
    masked = reduce_expectations(E((w - S * (x + y * H)) ** 2), moments).integrand
    by_hand = (
        w**2 * moments.dropped
        + ((w - x) ** 2 + y**2) * moments.kept
        - 2 * y * (w - x) * moments.first
        + y**2 * moments.second
    )
    assert sympy.expand(masked - by_hand) == 0
    with pytest.raises(ValueError, match="degree at most two"):
        reduce_expectations(E(H**3 * x), moments)
    with pytest.raises(ValueError, match="degree at most two"):
        reduce_expectations(E(nodes.positive(H - x)), moments)
    with pytest.raises(ValueError, match="no masked moments"):
        reduce_expectations(E(S * x))


def test_complements_are_folded_where_they_stand():
    a, abar = s.a, s.abar
    assert fold_complements((x - a * x) ** 2 * y, {a: abar}) == x**2 * abar**2 * y


def test_the_pruned_risk_reduces_to_its_stable_form():
    """No difference of nearly equal terms is left: B^2 (1-M0), (abar B)^2 M0, the cross term, the spread."""
    integrand = next(iter(reduced(pruning.RISK).atoms(E))).integrand
    stable = s.Lambda * (
        s.B**2 * s.M0bar + (s.abar**2 * s.B**2 + s.tau**2) * s.M0 - 2 * s.abar * s.B * s.tau * s.M1 + s.tau**2 * s.M2c
    )
    assert sympy.expand(integrand - stable) == 0
    assert not integrand.has(s.a, s.X)


def _unfolded(expression: sympy.Expr, formula: Formula) -> sympy.Expr:
    """Where-definitions put in, nodes unfolded, at a generic point of the law (all eigenvalues positive)."""
    for _ in range(len(formula.where) + 1):
        expression = expression.subs(dict(formula.where))
    return expression


def _at_random_laws(expression: sympy.Expr, formula: Formula) -> list[sympy.Expr]:
    """The expression for random laws of three atoms and random rationals for everything else."""
    generator = random.Random(formula.id)
    values = []
    for _ in range(3):
        weights = [Rational(generator.randint(1, 9), 20) for _ in range(2)]
        weights.append(1 - sum(weights))

        def number() -> sympy.Rational:
            return Rational(generator.randint(1, 40), generator.randint(1, 40))

        scalars: dict = {}
        atoms: list[dict] = [{}, {}, {}]

        def mean(node: E, atoms=atoms, weights=weights) -> sympy.Expr:
            parts = []
            for atom, weight in zip(atoms, weights, strict=True):
                for symbol in node.free_symbols:
                    if isinstance(symbol, LawSymbol):
                        atom.setdefault(symbol, number())
                parts.append(weight * node.integrand.subs(atom))
            return sympy.Add(*parts)

        value = expression.replace(lambda node: isinstance(node, E), mean)
        for symbol in sorted(value.free_symbols, key=str):
            scalars[symbol] = number()
        values.append(value.subs(scalars).doit())
    return values


def test_dense_risk_is_its_evaluation_form():
    """With q = 1 - kappa E[a] and abar = 1 - a, for any law."""
    for formula in (dense.RISK, dense.EXCESS_RISK):
        statement = formula.statement.subs(s.gamma, dense.RISK.statement)
        difference = (statement - formula.evaluation).subs(s.q, 1 - s.kappa * E(s.a))
        difference = difference.replace(
            lambda node: isinstance(node, E), lambda node: E(node.integrand.subs(s.abar, 1 - s.a))
        )
        assert all(sympy.simplify(value) == 0 for value in _at_random_laws(difference, formula))


def test_slack_is_its_evaluation_form():
    """ridge/nu = 1 - kappa E[a] is the fixed-point equation divided by nu."""
    equation = dense.EFFECTIVE_RIDGE.statement
    assert sympy.expand((equation.lhs - equation.rhs) / s.nu - (dense.SLACK.statement - dense.SLACK.evaluation)) == 0


def test_training_error_is_its_evaluation_form():
    formula = dense.TRAINING_ERROR
    assert sympy.expand(formula.statement - formula.evaluation.subs(s.q, 1 - s.kappa * E(s.a))) == 0


def test_lag_is_its_evaluation_form():
    assert sympy.expand(masks.LAG.statement - masks.LAG.evaluation) == 0


def test_coefficient_law_gives_back_the_dense_risk():
    """noise + E[Lambda (B - X)^2] = gamma, symbolically: its reduction solved for gamma is the dense risk."""
    right = reduced(dense.COEFFICIENT_RISK)
    # tau^2 Lambda = kappa gamma a^2 by the definitions of tau and a
    spread = (s.Lambda * dense.COEFFICIENT[s.tau] ** 2 - s.kappa * s.gamma * dense.SHRINKAGE[s.a] ** 2).doit()
    assert sympy.simplify(spread.subs({s.Lambda: x + 1})) == 0
    right = right.replace(
        lambda node: isinstance(node, E),
        lambda node: E(sympy.expand(node.integrand).subs(s.Lambda * s.tau**2, s.kappa * s.gamma * s.a**2)).linear(),
    )
    assert right.coeff(s.gamma) == s.kappa * E(s.a**2)
    solution = right.subs(s.gamma, 0) / (1 - right.coeff(s.gamma))
    expected = dense.RISK.statement.replace(
        lambda node: isinstance(node, E), lambda node: E(node.integrand.subs((1 - s.a) ** 2, s.abar**2))
    )
    assert sympy.simplify(solution - expected) == 0


THRESHOLDS = [dense.EFFECTIVE_RIDGE, masks.THRESHOLD, sampling.THRESHOLD]  # the derivations prove the same of all


@pytest.mark.parametrize("formula", THRESHOLDS, ids=lambda f: f.id)
def test_fixed_points_are_what_the_solver_balances(formula: FixedPoint):
    """The balance is the statement; remainder, slope, bend and rates are what they claim, through the definitions."""
    balance, statement = formula.balance(), formula.statement
    scaled = (balance.lhs - balance.rhs) * (formula.defines if formula.supply != 0 else 1)
    difference = (
        (statement.rhs - statement.lhs) - scaled if formula.supply != 0 else statement.lhs - statement.rhs - scaled
    )
    difference = difference.subs({s.M0: formula.part}) if formula.part != s.a else difference
    difference = difference.replace(lambda n: isinstance(n, E), lambda n: E(n.integrand.subs(s.M0, formula.part)))
    assert sympy.expand(difference) == 0

    inputs = {s.Lambda: 3, s.D: 2, s.m: Rational(2, 3), s.s: Rational(3, 4), s.B: 1}
    where = {key: rule for key, rule in formula.where.items() if key not in inputs}
    exact = {}
    for name in ("part", "remainder", "slope", "bend"):
        expression = getattr(formula, name)
        for _ in range(len(where) + 1):
            expression = expression.subs(where)
        exact[name] = expression.subs(inputs).doit()
    unknown = formula.defines
    at = {unknown: Rational(7, 5)}

    def vanishes(expression: sympy.Expr) -> bool:
        return abs(sympy.N(expression.subs(at).doit(), 40)) < 1e-30

    assert vanishes(exact["part"] + exact["remainder"] - 1)
    assert vanishes(exact["slope"] + unknown * exact["part"].diff(unknown))
    assert vanishes(exact["bend"] - unknown * exact["slope"].diff(unknown))
    for rate, of in zip(formula.rates, ("part", "remainder"), strict=False):
        for _ in range(len(where) + 1):
            rate = rate.subs(where)
        assert vanishes(rate.subs(inputs).doit() * exact[of] - exact["slope"])


@pytest.mark.parametrize("upper", [-40.0, -9.0, -2.0, -0.03, 0.01, 1.0, 7.0])
@pytest.mark.parametrize("width", [0.001, 0.04, 0.3, 2.0, 60.0])
def test_logarithms_and_rates_of_tails(upper: float, width: float):
    upper = min(upper, width)
    wanted = (
        sympy.log(nodes.Outside(z, u)),
        sympy.log(nodes.Inside(z, u)),
        nodes.outside_rate(z, u),
        nodes.inside_rate(z, u),
    )
    at = {z: Rational(Fraction(upper)), u: Rational(Fraction(width))}
    with FLOAT64.precision():
        found = [
            value.item() for value in lower(wanted, {}, FLOAT64)({"z": np.array([[upper]]), "u": np.array([[width]])})
        ]
    with mpmath.workdps(900):
        exact = [
            mpmath.mpf(str(sympy.N(node.doit().subs(at), 900)))
            for node in (nodes.Outside(z, u), nodes.Inside(z, u), nodes.boundary(z, u))
        ]
        outside, inside, edge = exact
        expected = [mpmath.log(outside), mpmath.log(inside), edge / outside, edge / inside]
        for value, true in zip(found, expected, strict=True):
            assert abs(value - true) <= 1e-12 * (abs(true) + mpmath.mpf("1e-3")) or abs(true) < mpmath.mpf(10) ** -300


@pytest.mark.parametrize("upper", [-38.0, -5e3, -1e9, -1e150])
@pytest.mark.parametrize("width", [1e-9, 0.05, 2.0, 1e9])
def test_far_tails_vanish_without_a_trace(upper: float, width: float):
    """Far beyond the range of doubles an interval has no mass, no edges and no moments; nothing overflows."""
    wanted = [node(z, u) for node in (nodes.Inside, nodes.boundary, nodes.edge_drop, nodes.edge_moment, nodes.Outside)]
    with FLOAT64.precision():
        *nothing, outside = lower(wanted, {}, FLOAT64)({"z": np.array([[upper]]), "u": np.array([[width]])})
    assert outside.item() == 1
    assert all(abs(value.item()) < 1e-120 for value in nothing)


def test_registry_is_complete_and_documented():
    assert len(REGISTRY) >= 25
    for id, formula in REGISTRY.items():
        assert formula.id == id
        assert formula.title
        assert formula.source
        assert formula.assumptions
        assert set(formula.derived_from) <= set(REGISTRY)
        used = set(formula.statement.free_symbols).union(
            *(rule.free_symbols for rule in formula.where.values()), formula.where
        )
        assert used <= set(QUANTITIES), formula.id
    assert REGISTRY["dense.risk"] is dense.RISK


def test_an_id_is_registered_once():
    with pytest.raises(ValueError, match=r"'dense\.risk' is registered twice"):
        registry([dense.RISK, dense.RISK])
    with pytest.raises(ValueError, match=r"chapter 'dense' is registered twice"):
        registry([dense.CHAPTER, dense.CHAPTER])


def test_a_chapter_holds_the_formulas_that_bear_its_name():
    assert [formula for chapter in CHAPTERS.values() for formula in chapter.formulas] == list(REGISTRY.values())
    assert all(symbol in QUANTITIES for chapter in CHAPTERS.values() for symbol in chapter.meanings)
    with pytest.raises(ValueError, match=r"'dense\.risk' is in the chapter 'den'; its id must begin with 'den\.'"):
        Chapter("den", "Another", (dense.RISK,))
