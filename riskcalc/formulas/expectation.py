"""`E[...]`, the mean over the law of the features, as a SymPy node, and its reduction to masked moments."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from riskcalc.formulas.symbols import Expression, H, LawSymbol, S


class E(sympy.Expr):
    """The mean of an expression over the law of (Lambda, B), the Gaussian H and the mask S.

    Linear: factors and terms free of law symbols leave it when it is built; it differentiates through, in scalars that
    move no jump.
    """

    def __new__(cls, integrand: Expression) -> Expression:
        """The mean of `integrand`, with everything outside that is free of the law."""
        integrand = sympy.sympify(integrand)
        if not integrand.has(LawSymbol):
            return integrand
        outer, inner = integrand.as_independent(LawSymbol)
        if isinstance(integrand, sympy.Add):
            return outer + cls(inner) if outer else sympy.Expr.__new__(cls, inner)
        return outer * (cls(inner) if outer != 1 else sympy.Expr.__new__(cls, inner))

    @property
    def integrand(self) -> Expression:
        """What is averaged."""
        return self.args[0]

    def _eval_derivative(self, symbol):
        if isinstance(symbol, LawSymbol):
            raise ValueError(f"{symbol} is averaged over in {self}, which does not depend on it")
        refuse_jumps(self.integrand, {symbol})
        return E(self.integrand.diff(symbol))

    def _eval_is_positive(self):
        return self.integrand.is_positive or None  # a mean of positive numbers; otherwise unknown

    def _eval_is_nonnegative(self):
        return self.integrand.is_nonnegative or None

    def linear(self) -> Expression:
        """Expand the integrand and split the mean into a sum."""
        return sympy.Add(*(E(term) for term in sympy.Add.make_args(sympy.expand(self.integrand))))

    def _sympystr(self, printer):
        return f"E[{printer.doprint(self.integrand)}]"


def refuse_jumps(expression: Expression, variables: set) -> None:
    """Raise ValueError if the pieces of an expression begin or end where a variable says: SymPy drops such a jump."""
    for piece in expression.atoms(sympy.Piecewise):
        if any(condition.free_symbols & variables for _, condition in piece.args):
            raise ValueError(
                f"{piece} may jump as {', '.join(map(str, variables))} varies, so it has no derivative there"
            )


@dataclass(frozen=True)
class MaskedMoments:
    """The moments of a mask in the basis 1, H, H**2 - 1, per atom: what a formula sees of a pruning policy.

    `kept` is E[S], `dropped` its complement, `first` is E[H S], `second` is E[(H**2 - 1) S].
    """

    kept: Expression
    dropped: Expression
    first: Expression
    second: Expression


def reduce_expectations(
    expression: Expression,
    moments: MaskedMoments | None = None,
    complements: dict | None = None,
) -> Expression:
    """Remove H and S from every expectation in `expression`.

    The mask is 0 or 1, so f(S) = f(0)(1 - S) + f(1) S. Each branch is a quadratic in H whose coefficients, in the
    basis 1, H, H**2 - 1, multiply the moments of the mask (or of its complement). Coefficients are not expanded; a
    difference x - a*x is folded to abar*x for each pair a: abar in `complements`.

    Raises ValueError if an integrand is not a polynomial of degree at most two in H, or uses S without `moments`.
    """
    complements = complements or {}

    def reduce_one(mean: E) -> Expression:
        integrand = mean.integrand
        if not integrand.has(S):
            return E(_hermite(integrand, complements)[0])
        if moments is None:
            raise ValueError(f"the mask S appears in {mean} but no masked moments were given")
        dropped, kept = (_hermite(integrand.subs(S, value), complements) for value in (0, 1))
        return E(
            dropped[0] * moments.dropped
            + kept[0] * moments.kept
            + (kept[1] - dropped[1]) * moments.first
            + (kept[2] - dropped[2]) * moments.second
        )

    return expression.replace(lambda node: isinstance(node, E), reduce_one)


def _hermite(integrand: Expression, complements: dict) -> tuple[Expression, Expression, Expression]:
    """Coefficients of a quadratic in H in the basis 1, H, H**2 - 1, read off by differentiation, not expansion."""
    slope = integrand.diff(H)
    curvature = slope.diff(H)
    switches = any(part.has(H) for part in integrand.atoms(sympy.Function, sympy.Piecewise))  # whose slopes hide jumps
    if switches or (curvature.has(H) and sympy.simplify(curvature.diff(H)) != 0):
        raise ValueError(f"{integrand} is not a polynomial of degree at most two in H")
    square = curvature.subs(H, 0) / 2
    constant, linear = (fold_complements(part.subs(H, 0), complements) for part in (integrand, slope))
    return constant + square, linear, square


def fold_complements(expression: Expression, complements: dict) -> Expression:
    """Replace x - a*x by abar*x, for each pair a: abar, wherever it stands in a sum."""

    def fold(total: sympy.Expr) -> Expression:
        for a, abar in complements.items():
            if total.has(a):
                total = sympy.factor_terms(total).subs({1 - a: abar, a - 1: -abar})
        return total

    return expression.replace(lambda node: isinstance(node, sympy.Add), fold)
