r"""Expressions as LaTeX, as a mathematician would write them.

Factors stand as numbers, scalars, law symbols (Greek ones, those in [0, 1], the others), brackets, functions, means;
symbols of a kind as they were declared. Terms go from simple to complex, with a positive one first. Nodes are typeset
by their definitions. Brackets have fixed sizes (\bigl, \Bigl, ...), so that a line can be broken inside them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache, partialmethod
from typing import Any

import sympy
from sympy import Add, Integral, Mul, Rational
from sympy.printing.latex import LatexPrinter

from riskcalc.formulas import nodes
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import QUANTITIES, UNIT, Expression, H, LawSymbol, Quantity
from riskcalc.typesetting.factors import HALF, NUMBER, joined, power_of, rationalised, sides
from riskcalc.typesetting.textbook import Written, is_number, textbook
from riskcalc.typesetting.width import width

Terms = list[tuple[bool, Expression]]  # of a sum: whether a term is subtracted, and the term without its sign

_OPERATORS = (Integral, sympy.Sum, sympy.Limit, sympy.Derivative, sympy.Piecewise)  # what comes last in a product
_NAMED = {
    "Phi": r"\Phi",
    "Phi_inverse": r"\Phi^{-1}",
    "phi": r"\phi",
    "Max": r"\max",
    "Min": r"\min",
    "sup": r"\sup_{\Lambda, B}",
    "max": r"\max",
    "asin": r"\arcsin",
}
_LATE = (0, False, True, 0, True, False, True)  # the place of a negative constant in a sum: after the symbols
_SIMPLE_FRACTION = re.compile(r"\\frac\{[^{}^]*\}\{[^{}^]*\}")
_SIZES = ("", r"\big", r"\Big", r"\bigg", r"\Bigg")


def tex(expression: Expression, extra: Mapping[Any, Quantity] | None = None) -> str:
    """An expression, equation or inequality as LaTeX; `extra` are symbols that are declared nowhere else."""
    return Typesetter(extra).doprint(textbook(sympy.sympify(expression)))


@lru_cache(maxsize=4096)
def _size(expression: Expression) -> tuple[int, str]:
    """What orders expressions of a kind; of the same ones again and again in a display."""
    return int(sympy.count_ops(expression)), str(expression)


class Typesetter(LatexPrinter):
    """Prints expressions that `textbook` has gone over."""

    def __init__(self, extra: Mapping[Any, Quantity] | None = None, large: Expression = None):
        super().__init__()
        self.atoms = {
            symbol: int(index) for symbol in extra or () if (index := str(symbol).rpartition("_")[2]).isdigit()
        }
        self.large = large  # a variable that tends to infinity: sums are in falling powers of it
        self.quantities = QUANTITIES | dict(extra or {})
        self.places = {symbol: place for place, symbol in enumerate(self.quantities)}
        self.depth = 0  # of fractions
        self.inline = False  # in an exponent, where fractions have a slash
        self.printed: dict[Any, str] = {}  # parts of an expression are tried in several places

    def _print(self, expr: Any, **options: Any) -> str:
        key = expr, self.depth, self.inline
        if options or not isinstance(expr, sympy.Basic):
            return super()._print(expr, **options)
        if key not in self.printed:
            self.printed[key] = super()._print(expr)
        return self.printed[key]

    def bracket(self, content: str, left: str = "(", right: str = ")") -> str:
        """`content` in brackets of a size that fits it."""
        if self.inline:
            size = 0
        elif re.search(r"\\(sum|int|begin)\b", content):
            size = 3
        elif r"\frac" in content:
            size = 2 if self.depth or r"\frac" not in _SIMPLE_FRACTION.sub("", content) else 3
        else:
            inner = [_SIZES.index(found) for found in re.findall(r"(\\[bB]igg?)l\b", content)]
            size = min(max(inner) + 1, 4) if inner else int(bool(re.search(r"[(\[]", content)))
        name = _SIZES[size]
        return f"{name}l{left}{content}{name}r{right}" if name else f"{left}{content}{right}"

    # Sums

    def terms(self, expression: Expression) -> Terms:
        """The terms of a sum in the order in which they are written."""
        found = []
        all_terms = Add.make_args(expression)
        for term in all_terms:
            negative = term.as_coeff_Mul()[0].is_negative
            base, power = power_of(term.as_coeff_Mul()[1])
            square = power == 2 and (base.is_Add or sum(other.has(base) for other in all_terms) == 1)
            term = -term if negative else term
            place = _LATE if negative and is_number(term) else self._complexity(term, square)
            found.append((place, bool(negative), term))
        found = [(negative, term) for _, negative, term in sorted(found, key=lambda item: item[0])]
        first = next((i for i, (negative, _) in enumerate(found) if not negative), 0)
        return [found[first], *found[:first], *found[first + 1 :]]

    def term(self, expression: Expression) -> str:
        """A term without its sign."""
        return self.bracket(self._print(expression)) if expression.is_Add else self._print(expression)

    def _print_Add(self, expr: Expression, order: Any = None) -> str:
        text = ""
        for negative, term in self.terms(expr):
            sign = "-" if negative else "+"
            text += f" {sign} {self.term(term)}" if text else f"{sign}{self.term(term)}".lstrip("+")
        return text

    def _complexity(self, term: Expression, square: bool) -> tuple:
        """What orders the terms of a sum: constants, squares, powers of scalars, law symbols, roots, means."""
        means = term.has(E, Integral, sympy.Sum, sympy.Limit, sympy.Derivative)
        powers = [power_of(factor) for factor in Mul.make_args(term) if not is_number(factor)]
        composed = not square and any(not base.is_Symbol for base, _ in powers)
        degree = sum(abs(power) for base, power in powers if power.is_number and not base.has(LawSymbol))
        keys = [(*self._place(base, power)[1:], -power if power.is_number else 0) for base, power in powers]
        atom = max((self.atoms.get(symbol, 0) for symbol in term.free_symbols), default=0)
        growth = -term.as_powers_dict()[self.large] if self.large is not None else 0
        simple = bool(powers), not square, composed, term.has(H), degree
        return growth, means, *simple[:1], atom, *simple[1:], tuple(sorted(keys)), *_size(term)

    # Products

    def _place(self, base: Expression, power: Expression = sympy.S.One) -> tuple[int, int, str]:
        """What orders the factors of a product."""
        if is_number(base) and not base.is_Add:
            return 0, int(power == HALF), "" if r"\frac" in str(base) else str(base)
        if base.is_Symbol:
            return self._kind(base), self.places.get(base, len(self.places)), str(base)
        if power == HALF and base.is_Mul:
            return max(self._place(factor) for factor in base.args)
        kind = 6 if base.is_Add or base.is_Mul else 8 if isinstance(base, E) else 7
        return kind, *_size(base)

    def _kind(self, symbol: Expression) -> int:
        """Scalars; of the law symbols Greek ones, then weights, the others, and the Gaussian last."""
        if not isinstance(symbol, LawSymbol):
            return 1
        if symbol == H:
            return 5
        quantity = self.quantities.get(symbol)
        if quantity is None:
            return 4
        if re.fullmatch(r"\\(?!ell|bar)[A-Za-z]+.*", quantity.latex):
            return 2
        return 3 if quantity.domain.is_subset(UNIT) else 4

    def _print_Mul(self, expr: Expression) -> str:
        number, rest = expr.as_coeff_Mul()
        if not isinstance(number, Rational):
            number, rest = sympy.S.One, expr
        factors = [power_of(factor) for factor in Mul.make_args(rest) if factor != 1]
        if number == -1 and rest.is_Add:
            return f"-{self.term(rest)}"
        sign = "-" if number < 0 else ""
        return sign + self._product(abs(number), factors)

    def _print_Pow(self, expr: Expression) -> str:
        return self._product(sympy.S.One, [power_of(expr)])

    def _product(self, number: Any, factors: list[tuple[Expression, Expression]]) -> str:
        """A positive number times powers: a sign-free term."""
        factors = [self._squared_symbol(base, power) for base, power in factors]
        tall = [factor for factor in factors if isinstance(factor[0], _OPERATORS)]
        if tall and (len(factors) > 1 or number != 1):
            others = [factor for factor in factors if factor not in tall]
            front = [self._product(number, others)] if others or number != 1 else []
            return joined([*front, *(self._operator(*factor) for factor in tall)])
        above, below = sides(factors)
        number, above, below = rationalised(number, above, below)
        fractions = [factor for factor in above if factor[1] == 1 and self._is_fraction(factor[0])]
        rest = [factor for factor in above if factor not in fractions]
        if below and fractions and number.p == number.q and (rest or all(is_number(base) for base, _ in below)):
            return joined([self._factors(number, fractions), self._quotient(number, rest, below)])
        if not below and number.q == 1:
            return self._factors(number, above)
        lone_sum = len(above) == 1 and above[0][0].is_Add and above[0][1] == 1
        if not below and not lone_sum and not self.inline and self._prefixes(above):
            return joined([rf"\frac{{{number.p}}}{{{number.q}}}", self._factors(sympy.S.One, above)])
        return self._quotient(number, above, below)

    def _squared_symbol(self, base: Expression, power: Expression) -> tuple[Expression, Expression]:
        r"""A symbol typeset as a square, such as \sigma^2, as the power of a symbol \sigma."""
        latex = self.quantities[base].latex if base in self.quantities else ""
        if latex.endswith("^2") and power != 1:
            root = type(base)(f"root of {base}", positive=True)
            if root not in self.quantities:
                quantity = self.quantities[base]
                self.quantities[root] = Quantity(root, quantity.meaning, quantity.domain, latex.removesuffix("^2"))
                self.places[root] = self.places[base]
            return root, 2 * power
        return base, power

    def _is_fraction(self, base: Expression) -> bool:
        return isinstance(base, Written) and base.name.startswith(r"\frac")

    @staticmethod
    def _prefixes(above: list[tuple[Expression, Expression]]) -> bool:
        """Whether a rational factor stands before what it multiplies, and not under it."""
        return any(base.is_Add or isinstance(base, (E, sympy.Function)) for base, _ in above) or len(above) > 3

    def _operator(self, base: Expression, power: Expression) -> str:
        text = self._print(base)
        return text if power == 1 else self.bracket(text) + self._raised(power)

    def _factors(self, number: Any, factors: list[tuple[Expression, Expression]]) -> str:
        """The product of a whole number and powers, on one line; square roots under one root."""
        bases = [base for base, power in factors if power == HALF]
        others = [factor for factor in factors if factor[1] != HALF]
        ordered = sorted([*others, (Mul(*bases), HALF)] if bases else others, key=lambda factor: self._place(*factor))
        if not ordered:
            return self._print(number)
        alone = len(ordered) == 1 and number == 1
        parts = [] if number == 1 else [self._print(number)]
        for base, power in ordered:
            parts.append(rf"\sqrt{{{self._print(base)}}}" if power == HALF else self._factor(base, power, alone))
        return joined(parts)

    def _factor(self, base: Expression, power: Expression, alone: bool = False) -> str:
        """One power; a sum in brackets, unless it stands alone."""
        text = self._print(base)
        whole = base.is_Integer and base > 0
        bare = whole or base.is_Symbol or base.is_Function or isinstance(base, (E, sympy.NumberSymbol))
        if power == 1:
            return self.bracket(text) if base.is_Add and not alone else text
        bare = bare and not isinstance(base, (sympy.exp, sympy.log)) and ("^" not in text or isinstance(base, E))
        if not bare or text.startswith(r"\frac"):
            text = self.bracket(text)
        return text + self._raised(power)

    def _raised(self, power: Expression) -> str:
        text = self._slashed(power)
        return f"^{text}" if len(text) == 1 else f"^{{{text}}}"

    def _slashed(self, expression: Expression) -> str:
        """With slashes for fractions, as in an exponent."""
        before, self.inline = self.inline, True
        text = self._print(expression)
        self.inline = before
        return text

    def short(self, expression: Expression) -> str:
        """With slashes for fractions where that is short."""
        slashed = self._slashed(expression)
        nested = slashed.startswith("(") or "/(" in slashed
        return slashed if width(slashed) <= 6 and not nested else self._print(expression)

    def _quotient(self, number: Any, above: list, below: list) -> str:
        given = below and all(isinstance(base, Written) for base, _ in below)
        if self.inline or (self.depth and not given and self._small(above, 3) and self._small(below, 1)):
            top = self._factors(Rational(number.p), above)
            bottom = self._factors(Rational(number.q), below)
            terms = [base for base, power in above if base.is_Add and power == 1]
            top = self.bracket(top) if terms and len(above) == 1 and number.p == 1 else top
            single = len(below) + (number.q != 1) == 1 and not (below and below[0][0].is_Add and below[0][1] == 1)
            return f"{top}/{bottom if single else self.bracket(bottom)}"
        self.depth += 1
        tall = [factor for factor in above if self._stands_apart(*factor)]
        top = self._factors(Rational(number.p), [factor for factor in above if factor not in tall])
        bottom = self._factors(Rational(number.q), below)
        self.depth -= 1
        return joined([rf"\frac{{{top}}}{{{bottom}}}", *(self._factor(*factor) for factor in tall)])

    def _stands_apart(self, base: Expression, power: Expression) -> bool:
        """Whether what would be above a fraction line holds fractions itself, and stands after it instead."""
        apart = isinstance(base, E) or (base.is_Add and power == 1)
        return apart and self.depth == 1 and r"\frac" in NUMBER.sub("", self._print(base))

    @staticmethod
    def _small(factors: list[tuple[Expression, Expression]], most: int) -> bool:
        """Whether a part of a fraction in a fraction is better written with a slash."""
        return len(factors) <= most and all(base.is_Symbol or base.is_number for base, _ in factors)

    # Leaves and functions

    def _print_Symbol(self, expr: Expression, style: str = "plain") -> str:
        quantity = self.quantities.get(expr)
        return quantity.latex if quantity is not None else super()._print_Symbol(expr)

    def _print_Rational(self, expr: Expression) -> str:
        sign = "-" if expr < 0 else ""
        return sign + (self._quotient(abs(expr), [], []) if expr.q != 1 else str(abs(expr.p)))

    def _print_Written(self, expr: Expression) -> str:
        return expr.name

    def _print_E(self, expr: Expression) -> str:
        if isinstance(expr.integrand, nodes.positive):
            return rf"\mathbb{{P}}({self._print(expr.integrand.args[0])} > 0)"
        return r"\mathbb{E}" + self.bracket(self.short(expr.integrand), "[", "]")

    def _print_positive(self, expr: Expression) -> str:
        return rf"\mathbf{{1}}\{{{self._print(expr.args[0])} > 0\}}"

    def _indicator(self, comparison: Expression, sign: str) -> str:
        left, right = comparison.args
        if left.could_extract_minus_sign() and right.could_extract_minus_sign():
            left, right, sign = -left, -right, sign.replace(">", "<")
        return rf"\mathbf{{1}}\{{{self._print(left)} {sign} {self._print(right)}\}}"

    _print_above, _print_tied = partialmethod(_indicator, sign=">"), partialmethod(_indicator, sign="=")

    def _print_Function(self, expr: Expression, exp: Any = None) -> str:
        name = expr.func.__name__
        latex = _NAMED.get(name) or (name if len(name) == 1 else rf"\mathrm{{{name}}}")
        return latex + self.bracket(", ".join(self.short(argument) for argument in expr.args))

    def _chi_probability(self, expr: Expression, sign: str) -> str:
        mu, u, size = expr.args
        return rf"\mathbb{{P}}\bigl({self._chi(size, mu, size)} {sign} {self._print(u**2)}\bigr)"

    _print_chi_outside = partialmethod(_chi_probability, sign=">")
    _print_chi_inside = partialmethod(_chi_probability, sign=r"\le")

    def _chi(self, k: Expression, mu: Expression, size: Expression) -> str:
        return rf"\chi^2_{{{self._print(k)}}}({self._print(size * mu**2)})"

    def _print_tent_loss(self, expr: Expression) -> str:
        mu, u = expr.args
        size = rf"\lvert {self._print(textbook(mu))} + H\rvert"
        return rf"\mathbb{{E}}_H\bigl[{size} \max(0, {self._print(u)} - {size})\bigr]"

    def _print_chi_density(self, expr: Expression) -> str:
        mu, u, k, size = expr.args
        return rf"f_{{{self._chi(k, mu, size)}}}({self._print(u**2)})"

    _print_Node = _print_Max = _print_Min = _print_Function

    def _print_log(self, expr: Expression, exp: Any = None) -> str:
        argument = expr.args[0]
        text = self.short(argument)
        return rf"\log {text}" if argument.is_Symbol or argument.is_Integer else rf"\log{self.bracket(text)}"

    def _print_exp(self, expr: Expression, exp: Any = None) -> str:
        text = self._slashed(expr.args[0])
        return f"e^{{{text}}}" if width(text) <= 12 else rf"\exp{self.bracket(self._print(expr.args[0]))}"

    def _print_Abs(self, expr: Expression, exp: Any = None) -> str:
        return self.bracket(self._print(expr.args[0]), r"\lvert ", r"\rvert")

    # Calculus

    def operator(self, expr: Expression) -> str:
        """A derivative or a limit, without what it is of."""
        if isinstance(expr, sympy.Limit):
            _, variable, point, side = expr.args
            return rf"\lim_{{{self.approach(variable, point, str(side))}}} "
        order = sum(count for _, count in expr.variable_count)
        power = f"^{{{order}}}" if order != 1 else ""
        below = " ".join(
            rf"\partial {self._print(symbol)}" + (f"^{{{count}}}" if count != 1 else "")
            for symbol, count in expr.variable_count
        )
        return rf"\frac{{\partial{power}}}{{{below}}}"

    def _print_Derivative(self, expr: Expression) -> str:
        inside = expr.expr
        numerator, denominator = inside.as_numer_denom()
        product = inside.is_Mul and denominator == 1 and not numerator.is_number
        argument = self.bracket(self._print(inside)) if inside.is_Add or product else self._print(inside)
        return joined([self.operator(expr), argument])

    def _print_Integral(self, expr: Expression) -> str:
        signs, ends = "", ""
        for variable, *bounds in reversed(expr.limits):
            if len(bounds) == 2:
                lower, upper = (self._slashed(bound) for bound in bounds)
                signs += rf"\int_{{{lower}}}^{{{upper}}} "
            else:
                signs += r"\int "
            ends = rf"\,d{self._print(variable)}" + ends
        return f"{signs}{self._argument(expr.function)}{ends}"

    def _print_Sum(self, expr: Expression) -> str:
        signs = ""
        for variable, lower, upper in expr.limits:
            signs += rf"\sum_{{{self._print(variable)} = {self._slashed(lower)}}}^{{{self._slashed(upper)}}} "
        return signs + self._argument(expr.function)

    def _print_Limit(self, expr: Expression) -> str:
        return self.operator(expr) + self._argument(expr.args[0])

    def approach(self, variable: Expression, point: Expression, side: str) -> str:
        """A variable that tends to a point from a side."""
        sided = "" if point.is_infinite or side == "+-" else f"^{side}"
        return rf"{self._print(variable)} \to {self._slashed(point)}{sided}"

    def remainder(self, error: Expression, variable: Expression, point: Expression, side: str) -> str:
        """What stands after the leading terms of an expansion."""
        order = self.bracket(self.short(textbook(error)))
        return rf" + O{order} \quad \text{{as }} {self.approach(variable, point, side)}"

    def _argument(self, expression: Expression) -> str:
        return self.bracket(self._print(expression)) if expression.is_Add else self._print(expression)
