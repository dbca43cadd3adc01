"""Random rational points where the assumptions of a claim hold, and the value of an expression there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from riskcalc.derivation.algebra import unfold
from riskcalc.derivation.background import Background
from riskcalc.derivation.claims import Less
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import Node
from riskcalc.formulas.records import Definitions
from riskcalc.formulas.symbols import QUANTITIES, Expression, LawSymbol
from riskcalc.lowering.balls import Balls
from riskcalc.lowering.compile import lower
from riskcalc.lowering.state import State, take

BALLS = Balls(100)
# Sets of points drawn, at most, until enough of them meet the assumptions.
_DRAWS = 40
_GRID = 1009  # a prime: numbers on it satisfy no relation by chance
_AT_ZERO = 0.2  # probability of zero for law symbols that may be zero: features without variance or coefficient


def admissible(
    sides: Sequence[Expression], where: Definitions, assuming: Sequence[Less], background: Background, points: int
) -> State | None:
    """Points that certainly meet the assumptions, the same for the same sides of a claim; None if none is found."""
    conditions = [(unfold(one.right - one.left, where, background), one.strict) for one in assuming]
    symbols = set().union(*(side.free_symbols for side in (*sides, *(condition for condition, _ in conditions))))
    seed = hashlib.sha256(sympy.srepr(sympy.Tuple(*sides)).encode()).hexdigest()
    rng = np.random.default_rng(int(seed[:12], 16))
    kept: list[State] = []
    for _ in range(_DRAWS):
        state = _random_points(symbols, rng, points)
        met = np.ones(points, bool)
        for condition, strict in conditions:
            with BALLS.precision():
                met &= [all(ball > 0 if strict else ball >= 0 for ball in row) for row in enclosed(condition, state)]
        kept.append(take(state, np.flatnonzero(met)))
        if sum(len(part["total"]) for part in kept) >= points:
            break
    found = {name: np.concatenate([part[name] for part in kept])[:points] for name in kept[0]}
    return found if len(found["total"]) else None


def _random_points(symbols: Iterable[Any], rng: np.random.Generator, points: int, atoms: int = 3) -> State:
    """Exact Fractions for regimes of `atoms` atoms: shape (points, 1) for scalars, (points, atoms) for law symbols.

    The state also holds the law's `weights`, which add up to one, and their `total`.
    """
    state: State = {}
    for symbol in sorted(symbols, key=str):
        shape = (points, atoms if isinstance(symbol, LawSymbol) else 1)
        domain = QUANTITIES[symbol].domain
        numbers = _in_domain(domain, rng, shape)
        if isinstance(symbol, LawSymbol) and domain.inf == 0 and 0 in domain:
            numbers = numbers * (rng.random(shape) > _AT_ZERO)
        state[str(symbol)] = numbers
    parts = _fractions(rng.integers(1, _GRID, (points, atoms)))
    state["weights"] = parts / parts.sum(axis=-1, keepdims=True)
    state["total"] = np.full((points, 1), Fraction(1), dtype=object)
    return state


def _in_domain(domain: Any, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Members of a finite set, or numbers inside an interval; on a half-line or a line, of either size and (on a line)
    of either sign.
    """
    if isinstance(domain, sympy.FiniteSet):
        members: Any = np.array([Fraction(str(one)) for one in domain], dtype=object)
        return rng.choice(members, shape)
    ends = domain.inf, domain.sup
    unit = _fractions(rng.integers(1, _GRID, shape), _GRID)
    if all(end.is_finite for end in ends):
        low, high = (Fraction(int(end.p), int(end.q)) for end in ends)
        return low + (high - low) * unit
    size = unit / _fractions(rng.integers(1, _GRID, shape), _GRID)
    if ends[0].is_finite:
        return Fraction(int(ends[0].p), int(ends[0].q)) + size
    return size * rng.choice([-1, 1], shape)


def _fractions(numbers: np.ndarray, denominator: int = 1) -> Any:
    return np.frompyfunc(lambda k: Fraction(int(k), denominator), 1, 1)(numbers)


def enclosed(expression: Expression, points: State) -> np.ndarray:
    """A ball around the expression at every point: one column, or one per atom."""
    with BALLS.precision():
        state = {name: BALLS.number(array) for name, array in points.items()}
        value = lower((expression,), {}, BALLS, "claim", scalar_output=True)(state)
        return np.asarray(value + 0 * state["total"])


def sampled(expression: Expression, points: State, row: int, digits: int) -> Expression:
    """The expression at one point, by mpmath; symbols of the law outside a mean take its first atom."""
    numbers = {name: [sympy.Rational(x) for x in array[row]] for name, array in points.items()}

    def at(expression: Expression, atom: int) -> Expression:
        known = (s for s in expression.free_symbols if str(s) in numbers)
        return expression.subs({s: numbers[str(s)][atom if isinstance(s, LawSymbol) else 0] for s in known})

    def mean(node: E) -> Expression:
        return sympy.Add(*(weight * at(node.integrand, i) for i, weight in enumerate(numbers["weights"])))

    plain = expression.replace(lambda node: isinstance(node, E), mean)
    plain = at(plain, 0).replace(lambda node: isinstance(node, Node), lambda node: node.doit())
    return sympy.N(plain, digits)
