"""Equations and formula records as LaTeX displays: rows that fit a line, and the where-definitions that they need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Mul

from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import positive_root, top
from riskcalc.formulas.records import Definitions, Expansion, Formula
from riskcalc.formulas.symbols import NONNEGATIVE, Expression, LawSymbol, Quantity, S, Scalar
from riskcalc.lowering.compile import closure
from riskcalc.theory.symbols import alpha, t
from riskcalc.typesetting.expressions import Typesetter, tex
from riskcalc.typesetting.textbook import textbook
from riskcalc.typesetting.width import width

Extra = Mapping[Any, Quantity]  # symbols that are declared nowhere else

# Of a line of an article in ten points, in ems, less the number of the equation.
LINE = 31.0
_RELATIONS = {"=": "=", "<=": r"\le", ">=": r"\ge", "~": r"\approx"}
_GIVEN = r"\mid \Lambda, B]"  # a mask's moments are means over H at a given feature


@dataclass(frozen=True)
class Equation:
    """`left relation right suffix`, where the left side may be LaTeX already.

    Sums are in falling powers of `large`, a variable that tends to infinity.
    """

    left: Expression | str
    right: Expression
    relation: str = "="
    suffix: str = ""
    large: Expression = None

    @property
    def sides(self) -> list[Expression]:
        """Left and right, but for LaTeX."""
        return [side for side in (self.left, self.right) if not isinstance(side, str)]

    def rows(self, extra: Extra | None = None, line: float = LINE, flush: bool = False) -> list[str]:
        """Rows of an `aligned` environment, broken before plus and minus signs.

        They are aligned at the relation; or at the left if they are to be flush and the left side is long.
        """
        typesetter = Typesetter(extra, self.large)
        written = isinstance(self.left, str)
        left = self.left if written else typesetter.doprint(textbook(self.left))
        right = typesetter.doprint(textbook(sympy.sympify(self.right)))
        fits = width(f"{left} {self.relation} {right}{self.suffix}") <= line
        if fits or width(left) <= line / 2 or written:
            start = f"& {left} {self.relation} " if flush and width(left) > 4 else f"{left} &{self.relation} "
            return _filled(typesetter, start, self.right, self.suffix, line - width(start.partition("&")[0]))
        first = _filled(typesetter, "& ", self.left, "", line)
        return [*first, *_filled(typesetter, rf"& \quad {self.relation} ", self.right, self.suffix, line)]


def _filled(typesetter: Typesetter, start: str, expression: Expression, suffix: str, line: float) -> list[str]:
    """An expression on as many rows as it needs."""
    expression = textbook(sympy.sympify(expression))
    whole = suffix.removeprefix(" + ") if expression == 0 and suffix else typesetter.doprint(expression) + suffix
    room = line - width(start.partition("&")[2])
    if width(whole) <= room:
        return [start + whole]
    rows, used = [start], 0.0
    for piece in [*_pieces(typesetter, expression, room - 2), *([suffix] if suffix else [])]:
        if used and used + width(piece) > room:
            rows.append(r"&\qquad {}")
            used = 2.0
        rows[-1] += piece
        used += width(piece)
    return rows


def _pieces(typesetter: Typesetter, expression: Expression, room: float) -> list[str]:
    """LaTeX in pieces between which a line may be broken: at plus and minus signs, inside brackets if need be."""
    if expression.is_Add:
        found: list[str] = []
        for negative, term in typesetter.terms(expression):
            text = typesetter.term(term)
            parts = [text] if width(text) <= room else _pieces(typesetter, term, room)
            sign = " - " if negative else " + "
            parts[0] = f"{sign if found else sign.strip().lstrip('+')}{parts[0]}"
            found += parts
        return found
    longest = max(Mul.make_args(expression), key=lambda factor: width(typesetter.doprint(factor)))
    others = Mul(*(factor for factor in Mul.make_args(expression) if factor is not longest))
    front = "" if others == 1 else "-" if others == -1 else f"{typesetter.term(others)} "
    if isinstance(longest, E):
        return _opened(typesetter, rf"{front}\mathbb{{E}}", longest.integrand, "[]", room)
    if isinstance(longest, (sympy.Derivative, sympy.Limit)) and longest.args[0].is_Add:
        return _opened(typesetter, front + typesetter.operator(longest), longest.args[0], "()", room)
    if longest.is_Add:
        return _opened(typesetter, front, longest, "()", room)
    return [typesetter.doprint(expression)]


def _opened(typesetter: Typesetter, front: str, inside: Expression, ends: str, room: float) -> list[str]:
    """The pieces of what stands in brackets."""
    content = typesetter.doprint(inside)
    opening, closing = typesetter.bracket(content, *ends).split(content)
    parts = _pieces(typesetter, inside, room)
    parts[0] = front + opening + parts[0]
    parts[-1] += closing
    return parts


def equations(formula: Formula) -> list[Equation]:
    """What a record states."""
    statement, suffix = formula.statement, ""
    if isinstance(statement, sympy.Eq):
        return [Equation(statement.lhs, statement.rhs)]
    large = None
    if isinstance(formula, Expansion):
        suffix = Typesetter().remainder(formula.error, formula.variable, formula.point, formula.side)
        large = formula.variable if formula.point.is_infinite else None
    relation = _RELATIONS[formula.relation]
    if relation == r"\le" and _varies(statement) and not _varies(formula.defines):
        return [Equation(formula.defines, sympy.Function("sup")(statement), relation)]
    return [Equation(formula.defines, statement, relation, suffix, large)]


def _varies(expression: Expression) -> bool:
    """Whether an expression varies over the law."""
    return expression.replace(lambda node: isinstance(node, E), lambda _: sympy.S.One).has(LawSymbol)


def definitions(formula: Formula, stated: Iterable[Equation], extra: Extra | None = None) -> list[Equation]:
    """The where-definitions that what is stated needs, each after its first use."""
    found: dict[Any, Equation] = {}
    waiting = [side for equation in stated for side in equation.sides]
    known = {side for side in waiting if side.is_Symbol}
    where, means = formula.where, {}
    if formula.moments is not None and S in closure(waiting, where):
        means = {formula.moments.kept: "S", formula.moments.first: "H S", formula.moments.second: "(H^2 - 1) S"}
        if formula.moments.kept in where:
            where = {t: sympy.Eq(E(formula.moments.kept), alpha), **where}
    while waiting:
        needed = _in_order(waiting.pop(0), where, extra)
        if not waiting and not set(needed) - found.keys() - known:
            needed = [symbol for symbol in means if symbol in where]
        for symbol in needed:
            if symbol not in found and symbol not in known:
                found[symbol] = _definition(symbol, where[symbol], means)
                waiting.append(where[symbol])
    return list(found.values())


def _definition(symbol: Any, rule: Expression, means: Mapping[Any, str]) -> Equation:
    """A definition, or the equation that stands in its place; a mask by the chance of being kept."""
    if isinstance(rule, sympy.Eq):
        return Equation(rule.lhs, rule.rhs)
    if symbol in means:
        return Equation(rf"{tex(symbol)} = \mathbb{{E}}[{means[symbol]} {_GIVEN}", rule)
    certain = isinstance(rule, top) and rule.args[-1] == 0
    return Equation(r"\mathbb{P}(S = 1 \mid X, \Lambda, B)" if symbol == S and not certain else symbol, rule)


def _in_order(expression: Expression, where: Definitions, extra: Extra | None) -> list[Expression]:
    """The defined symbols of an expression, as one reads them."""
    typesetter, places = Typesetter(extra), {}
    text = typesetter.doprint(textbook(sympy.sympify(expression)))
    for symbol in expression.free_symbols & where.keys():
        found = re.search(rf"(?<![A-Za-z\\]){re.escape(typesetter.doprint(symbol))}(?![A-Za-z])", text)
        places[symbol] = len(text) if found is None else found.start()
    return sorted(places, key=lambda symbol: (places[symbol], str(symbol)))


def shortened(formula: Formula) -> tuple[Formula, Extra]:
    """The record with a name, x, for what the root of a quadratic equation would repeat."""
    roots = formula.statement.atoms(positive_root)
    repeated = [
        part
        for root in roots
        for part in sympy.preorder_traversal(root)
        if part.has(E) and all(argument.has(part) for argument in root.args)
    ]
    if not repeated:
        return formula, {}
    x = Scalar("x", nonnegative=True)
    longest = max(repeated, key=sympy.count_ops)
    statement = formula.statement.xreplace({longest: x})
    return replace(formula, statement=statement, where={x: longest}), {x: Quantity(x, "", NONNEGATIVE, "x")}


def rows_of(
    stated: list[Equation], where: Sequence[Equation | str], extra: Extra | None = None
) -> tuple[list[str], list[str]]:
    """The rows of equations, and those of their where-definitions, which may be LaTeX, as many to a row as fit."""
    first = [row for equation in stated for row in equation.rows(extra, flush=len(stated) == 1)]
    return first, _where(where, extra)


def _where(where: Sequence[Equation | str], extra: Extra | None) -> list[str]:
    rows: list[str] = []
    used = 0.0
    room = LINE - 5
    for equation in where:
        if isinstance(equation, str):
            text, broken = equation, [f"&{equation}"]
        else:
            left = equation.left if isinstance(equation.left, str) else tex(equation.left, extra)
            text = f"{left} = {Typesetter(extra).short(textbook(equation.right))}"
            broken = [f"&{text}"] if width(text) <= room else Equation(left, equation.right).rows(extra, room)
        if rows and used + width(text) + 2 <= room:
            rows[-1] += rf",\qquad {text}"
            used += 2
        else:
            if rows:
                rows[-1] += ","
            for row in broken:
                start = r"\phantom{\text{where}\quad} " if rows else r"\text{where}\quad "
                rows.append(f"& {start}{row.replace('&', '', 1)}")
            used = 0.0
        used += width(text)
    return rows


def display(stated: list[str], where: list[str], label: str = "") -> str:
    """Rows as a display: numbered once if it has a label, otherwise not at all."""
    commas = "," if where else ""
    rows = [*stated[:-1], stated[-1] + commas, *where]
    environment = "align" if label else "align*"
    if label:
        rows = [rf"{rows[0]} \label{{eq:{label}}}", *(rf"{row} \notag" for row in rows[1:])]
    body = " \\\\\n  ".join(rows)
    return f"\\begin{{{environment}}}\n  {body}\n\\end{{{environment}}}"


def parts(formula: Formula) -> tuple[list[Equation], list[Equation], Extra]:
    """What a formula states, its where-definitions, and symbols that are declared nowhere else."""
    formula, extra = shortened(formula)
    stated = equations(formula)
    return stated, definitions(formula, stated, extra), extra


def record(formula: Formula, label: bool = False) -> str:
    """A formula with its where-definitions, as a display."""
    return display(*rows_of(*parts(formula)), label=formula.id if label else "")
