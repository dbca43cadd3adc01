"""Exact algebra on formulas: definitions put in, and identities and signs of expressions with means over the law.

A product of means is a mean over independent copies of a feature, so a polynomial in means is the mean of one kernel,
and vanishes for every law exactly if its kernel, made symmetric in the copies, vanishes. That turns an identity for
all laws into one between rational functions. Features without variance are a case of their own, because nodes switch
there; elsewhere symbols are taken as positive, which extends to their boundary by continuity. Limits, integrals and
sums need not be continuous, so they are done at zero as well; other special values of their symbols are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from typing import Any

import sympy
from sympy import Add, Derivative, Integral, Limit, Mul, Piecewise, Poly, Pow, S, Subs, Sum

from riskcalc.derivation.background import Background
from riskcalc.derivation.gaussian import gaussian_integral
from riskcalc.formulas.expectation import E, reduce_expectations, refuse_jumps
from riskcalc.formulas.nodes import Node
from riskcalc.formulas.records import Definitions
from riskcalc.formulas.symbols import Expression, H, LawSymbol, refuse_namesakes
from riskcalc.formulas.symbols import S as MASK

_OPERATORS = (Derivative, Integral, Limit, Subs, Sum)
_JUMPS = (sympy.sign, sympy.Heaviside, sympy.DiracDelta, sympy.floor, sympy.ceiling)


def unfold(expression: Expression, where: Definitions, background: Background) -> Expression:
    """The expression with definitions put in, derivatives taken, and H and the mask averaged out."""
    refuse_namesakes(expression.free_symbols.union(where, *(rule.free_symbols for rule in where.values())), "a claim")
    expression = defined(expression, where)
    if any(mean.has(background.fitted) and mean.has(H, MASK) for mean in expression.atoms(E)):
        raise ValueError(f"{background.fitted} depends on {H} and {MASK}, and stands beside them in a mean; define it")
    if any(mean.has(Derivative) and mean.has(H, MASK) for mean in expression.atoms(E)):
        raise ValueError(f"a derivative stands inside a mean over H or the mask in {expression}; take it outside")
    if any(mean.has(H, MASK) for mean in expression.atoms(E)):
        # before derivatives are taken: the moments of a mask depend on more than the mask shows
        expression = defined(reduce_expectations(expression, background.moments), where)
    expression = expression.replace(lambda node: isinstance(node, Derivative), _derivative)
    expression = expression.replace(lambda node: isinstance(node, E) and node.integrand.has(E), _apart)
    if any(mean.integrand.has(E) for mean in expression.atoms(E)):
        raise ValueError(f"a mean stands inside a mean in {expression}; give the inner one a symbol of its own")
    return expression


def defined(expression: Expression, where: Definitions) -> Expression:
    """The expression with definitions put in, and those of the symbols in them."""
    for _ in range(len(where) + 1):
        _refuse_capture(expression, where)
        before, expression = expression, expression.xreplace(dict(where))
        if expression == before:
            return expression
    raise ValueError(f"the definitions of {', '.join(map(str, where))} are circular")


def _refuse_capture(expression: Expression, where: Definitions) -> None:
    """Raise ValueError if a definition would change over what an operator in the expression runs."""
    changes = {symbol: rule for symbol, rule in where.items() if rule not in (symbol, as_positive(symbol))}
    for symbol, rule in changes.items():
        means = {mean: sympy.Dummy() for mean in rule.atoms(E)}
        if not isinstance(symbol, LawSymbol) and rule.xreplace(means).has(LawSymbol):
            raise ValueError(f"{symbol} does not vary over the law of the features, but {rule} does")
    for node in expression.atoms(*_OPERATORS):
        variables = _variables(node)
        captured = [rule for symbol, rule in changes.items() if node.has(symbol) and isinstance(node, (Integral, Sum))]
        if variables & changes.keys() or any(rule.free_symbols & variables for rule in captured):
            names = ", ".join(map(str, variables))
            raise ValueError(f"{names} cannot be defined, or stand in a definition, where {node} runs over it")


def _variables(node: Expression) -> set[Any]:
    return {node.args[1]} if isinstance(node, Limit) else set(node.variables)


def _apart(mean: E) -> Expression:
    """A mean without the means inside it, which are constants there, if it is a polynomial in them."""
    inner = {one: sympy.Dummy() for one in mean.integrand.atoms(E)}
    terms = Add.make_args(sympy.expand(mean.integrand.xreplace(inner)))
    return Add(*map(E, terms)).xreplace({name: one for one, name in inner.items()})


def _derivative(node: Expression) -> Expression:
    refuse_jumps(_defined_nodes(node.expr), set(node.variables))
    return node.expr.diff(*node.variable_count)


def _defined_nodes(expression: Expression) -> Expression:
    return expression.replace(lambda node: isinstance(node, Node), lambda node: node.doit())


def evaluated(expression: Expression) -> Expression:
    """Nodes by their definitions; integrals, sums and limits done, and derivatives of nodes that stated none.

    Raises ValueError for a function that jumps, and for a division by what is zero.
    """
    done = _defined_nodes(expression).replace(lambda node: isinstance(node, _OPERATORS), _done)
    if done.has(*_JUMPS):
        raise ValueError(f"{done} may jump; write it in cases, as a Piecewise")
    done = done.replace(sympy.erfc, lambda x: 1 - sympy.erf(x))
    for divisor in {power.base for power in done.atoms(Pow) if power.exp.is_negative}:
        if divisor.is_zero is not False and is_zero_in_general(divisor):
            raise ValueError(f"{divisor}, by which is divided, is zero")
    return done


def _done(node: Expression) -> Expression:
    """An integral, sum, limit or derivative, done around its means; SymPy would mistake the cases of a node in it."""
    means = {mean: sympy.Dummy(positive=mean.is_positive) for mean in node.atoms(E)}
    if any(mean.free_symbols & _variables(node) for mean in means):
        raise ValueError(f"exchange the mean with the limit, integral or sum in {node}")
    hidden = node.xreplace(means)
    if hidden.has(Piecewise) and not isinstance(hidden, Derivative):
        raise ValueError(f"a feature may have no variance in {node}; take Lambda as positive there")
    gaussian = gaussian_integral(hidden) if isinstance(hidden, Integral) else None
    if gaussian is not None:
        return gaussian.xreplace({name: mean for mean, name in means.items()})
    zeros = [] if isinstance(node, (Derivative, Subs)) else sorted(filter(_may_be_zero, hidden.free_symbols), key=str)
    return _done_at_zeros(hidden, zeros).xreplace({name: mean for mean, name in means.items()})


def _done_at_zeros(node: Expression, zeros: list[Any]) -> Expression:
    """The node done, in cases if its value jumps where some of the symbols are zero."""
    if not zeros:
        if isinstance(node, Limit):  # signs out of erf, as SymPy takes 1 + erf(sqrt(2)*(-t - c)) to 2 as t grows
            node = node.replace(sympy.erf, lambda x: sympy.erf(sympy.factor_terms(x.together())))
        return node.doit()
    symbol, *others = zeros
    positive = sympy.Dummy(symbol.name, positive=True)
    apart = _done_at_zeros(node.xreplace({symbol: positive}), others).xreplace({positive: symbol})
    there = node.xreplace({symbol: S.Zero})
    if there.has(S.NaN, S.ComplexInfinity):
        return apart  # nothing is said of what is not defined
    at_zero = _done_at_zeros(there, others)
    return apart if apart.subs(symbol, 0) == at_zero else Piecewise((at_zero, sympy.Eq(symbol, 0)), (apart, True))


def _may_be_zero(symbol: Any) -> bool:
    return bool(symbol.is_nonnegative and not symbol.is_positive)


def cases(expression: Expression) -> Iterator[tuple[Expression, bool]]:
    """The expression at generic positive symbols, and with each symbol that switches a piece at zero, at zero.

    The second of each pair says whether nothing was put at zero.
    """
    pieces = expression.atoms(Piecewise)
    conditions = (condition for piece in pieces for _, condition in piece.args)
    compared = [one for one in conditions if one.is_Relational and one.rhs == 0]  # a product of symbols with zero
    switches = sorted({s for one in compared for s in one.free_symbols if _may_be_zero(s)}, key=str)
    for zeros in product((False, True), repeat=len(switches)):
        at_zero = {symbol: S.Zero for symbol, zero in zip(switches, zeros, strict=True) if zero}
        case = expression.subs(at_zero) if at_zero else expression
        yield case.xreplace({symbol: as_positive(symbol) for symbol in case.free_symbols}), not at_zero


def as_positive(symbol: Any) -> Any:
    """The symbol of the same name that is not zero; the symbol itself if it may be negative."""
    return symbol.func(symbol.name, positive=True) if symbol.is_nonnegative else symbol


def vanishes(expression: Expression) -> bool:
    """Whether an unfolded expression is zero, for every law."""
    return all(_is_zero(case) for kernel in kernels(evaluated(expression)) for case, _ in cases(kernel))


def is_zero_in_general(expression: Expression) -> bool:
    """Whether an evaluated expression is zero wherever its symbols are positive."""
    return all(_is_zero(next(cases(kernel))[0]) for kernel in kernels(expression))


def kernels(expression: Expression) -> list[Expression]:
    """Expressions without means, all of which vanish exactly if the given one does for every law."""
    means = sorted(expression.atoms(E), key=sympy.default_sort_key)
    if not means:
        return [expression]
    names = {mean: sympy.Dummy(positive=mean.is_positive) for mean in means}
    numerator = sympy.fraction(sympy.together(expression.xreplace(names)))[0]
    polynomial = Poly(numerator, *names.values())
    terms = [
        (coefficient, [mean for mean, power in zip(means, powers, strict=True) for _ in range(power)])
        for powers, coefficient in polynomial.terms()
    ]
    copies = max(len(factors) for _, factors in terms)
    return [Add(*(coefficient * _symmetric(factors, copies) for coefficient, factors in terms))]


def _symmetric(factors: list[E], copies: int) -> Expression:
    """The mean over all ways to give each factor a feature of its own, out of so many copies."""
    ways = list(permutations(range(copies), len(factors)))
    return Add(*(Mul(*(_copy(f.integrand, i) for f, i in zip(factors, way, strict=True))) for way in ways)) / len(ways)


def _copy(integrand: Expression, index: int) -> Expression:
    symbols = (symbol for symbol in integrand.free_symbols if isinstance(symbol, LawSymbol))
    return integrand.xreplace({s: s.func(f"{s.name} of copy {index}", **s.assumptions0) for s in symbols})


def _is_zero(expression: Expression) -> bool:
    if _differs_from_zero(expression):
        return False
    numerator = sympy.expand(sympy.fraction(sympy.together(expression))[0])
    return numerator == 0 or sympy.simplify(numerator) == 0


def _differs_from_zero(expression: Expression) -> bool:
    """Whether a value at one rational point shows at once that the expression is not zero everywhere."""
    symbols = sorted(expression.free_symbols, key=str)
    point = {symbol: sympy.Rational(sympy.prime(i + 5), 17) for i, symbol in enumerate(symbols)}
    bound = expression.has(*_OPERATORS)  # over symbols that only `subs` leaves alone
    value = sympy.N(expression.subs(point) if bound else expression.xreplace(point), 30)
    return bool(value.is_number and value.is_finite and abs(value) > sympy.Rational(1, 10**15))


def is_positive(expression: Expression, strict: bool = True) -> bool:
    """Whether an unfolded expression is shown to be positive (or at least zero) by the signs of its factors.

    A strict sign is asked for where every symbol is positive; where a feature has no variance, zero will do.
    """
    plain = evaluated(expression)
    return _has_sign(expression, strict) or _has_sign(plain, strict) or _kernels_have_sign(plain, strict)


def _kernels_have_sign(expression: Expression, strict: bool) -> bool:
    """The same of the kernels of numerator and denominator, in which differences of means are one mean."""
    means = {mean: sympy.Dummy(positive=mean.is_positive) for mean in expression.atoms(E)}
    parts = sympy.fraction(sympy.together(expression.xreplace(means)))
    back = {name: mean for mean, name in means.items()}
    return all(_has_sign(kernel, strict) for part in parts for kernel in kernels(part.xreplace(back)))


def _has_sign(expression: Expression, strict: bool) -> bool:
    for case, generic in cases(expression):
        factored = case.replace(
            lambda node: isinstance(node, E), lambda node: E(sympy.factor(sympy.together(node.integrand)))
        )
        signs = (form.is_positive if strict and generic else form.is_nonnegative for form in _forms(factored))
        if not any(signs):
            return False
    return True


def _forms(expression: Expression) -> Iterator[Expression]:
    yield expression
    together = sympy.together(expression)
    yield together
    yield sympy.factor(together)
    yield Mul(*(sympy.expand(part) ** power for part, power in zip(sympy.fraction(together), (1, -1), strict=True)))


def are_roots(expression: Expression, unknown: Expression, roots: tuple[Expression, ...]) -> bool:
    """Whether the zeros of an unfolded expression in the unknown are exactly these, with their multiplicity."""
    expression = evaluated(expression)
    means = {mean: sympy.Dummy() for mean in expression.atoms(E)}
    if any(mean.has(unknown) for mean in means):
        raise ValueError(f"the unknown {unknown} stands inside a mean: the equation is not algebraic in it")
    back = {name: mean for mean, name in means.items()}
    numerator, denominator = sympy.fraction(sympy.together(expression.xreplace(means)))
    polynomial = Poly(numerator, unknown)
    if polynomial.degree() < 1 or is_zero_in_general(polynomial.LC().xreplace(back)):
        raise ValueError(f"this is no equation in {unknown} of degree {polynomial.degree()}")
    if polynomial.degree() != len(roots):
        return False
    product_form = polynomial.LC() * Mul(*(unknown - root for root in roots))
    return vanishes((numerator - product_form).xreplace(back)) and not any(
        is_zero_in_general(evaluated(denominator.xreplace(back).subs(unknown, root))) for root in roots
    )
