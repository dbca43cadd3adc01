"""A grammar of arithmetic: expressions as data, read from text or from SymPy, and evaluated in any kind of value.

    sum:      names, exact numbers (2, 0.25, 1e-3), + - * / **, brackets
    function: abs sqrt exp log max min sign tanh atan (Abs, Max and Min as SymPy writes them)

Text is parsed to a tree of Python's own syntax, of which only these nodes are let through; nothing is ever executed. A
decimal is exact: 0.25 is a quarter.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from mpmath.libmp import to_rational

from riskcalc.lookup import look_up

# By name: how many arguments, and whether more.
FUNCTIONS = {
    **dict.fromkeys(("abs", "sqrt", "exp", "log", "sign", "tanh", "atan"), (1, False)),
    **dict.fromkeys(("max", "min"), (2, True)),
}
_SPELLINGS = {name: name for name in FUNCTIONS} | {"Abs": "abs", "Max": "max", "Min": "min"}
_OPERATORS: dict[type[ast.AST], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
# How tightly what an expression is made by binds.
_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "negative": 3, "**": 4}

LONGEST, DEEPEST, LARGEST_POWER, LARGEST_DECADE = 1000, 100, 64, 200
_LARGEST = 10 ** (LARGEST_DECADE + 20)


@dataclass(frozen=True)
class Expression:
    """A number, a name, or what an operator or a function makes of other expressions.

    Attributes
    ----------
    head : str
        "number", "name", "negative", an operator, or a function.
    parts : tuple
        A Fraction, a str, or expressions.
    """

    head: str
    parts: tuple[Any, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names in it."""
        if self.head in ("number", "name"):
            return frozenset(self.parts if self.head == "name" else ())
        return frozenset().union(*(part.names for part in self.parts))

    def value(
        self, names: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]], number: Callable[[Fraction], Any]
    ) -> Any:
        """Its value, given those of its names and numbers, and what its functions are."""
        if self.head == "number":
            return number(self.parts[0])
        if self.head == "name":
            return names[self.parts[0]]
        values = [part.value(names, functions, number) for part in self.parts]
        return _ARITHMETIC[self.head](*values) if self.head in _ARITHMETIC else functions[self.head](*values)

    def __str__(self) -> str:
        if self.head == "number":
            return str(self.parts[0])
        if self.head == "name":
            return self.parts[0]
        if self.head not in _BINDING:
            return f"{self.head}({', '.join(map(str, self.parts))})"
        own = _BINDING[self.head]
        if self.head == "negative":
            return f"-{self.parts[0]._within(own)}"
        left, right = self.parts  # of equal operators the left one is first, but of powers the right one
        power = self.head == "**"
        texts = left._within(own + power), right._within(own + (not power))
        return (f" {self.head} " if own == 1 else self.head).join(texts)

    def _within(self, binding: int) -> str:
        """Its text, in brackets where it binds less tightly."""
        if self.head == "number":  # a fraction is written by a division
            own = _BINDING["/"] if self.parts[0].denominator > 1 else 5
        else:
            own = _BINDING.get(self.head, 5)
        return str(self) if own >= binding else f"({self})"


_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "negative": lambda x: -x,
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
    "**": lambda x, y: x**y,
}


@cache
def parse(text: str, names: tuple[str, ...]) -> Expression:
    """The expression of a text, in these names; ValueError that says what is wrong with it, and where."""
    if len(text) > LONGEST:
        raise ValueError(f"an expression has at most {LONGEST:,} characters, got {len(text):,}")
    text = text.strip()
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "too deeply nested"
        raise ValueError(f"cannot read {text!r} as an expression: {reason}") from None
    return _Reader(text, names).read(tree, DEEPEST)


class _Reader:
    """From Python's syntax to expressions."""

    def __init__(self, text: str, names: Collection[str]):
        self.text, self.names = text, names

    def read(self, node: ast.AST, depth: int) -> Expression:
        if depth == 0:
            raise ValueError(f"an expression is nested at most {DEEPEST} deep: {self.text!r}")
        if isinstance(node, ast.Constant):
            return _number(self._exact(node))
        if isinstance(node, ast.Name):
            return _name(node.id, self.names)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            inner = self.read(node.operand, depth - 1)
            return _made("negative", inner) if isinstance(node.op, ast.USub) else inner
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return _made(_OPERATORS[type(node.op)], *(self.read(side, depth - 1) for side in (node.left, node.right)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            return _made(_function(node.func.id), *(self.read(argument, depth - 1) for argument in node.args))
        raise ValueError(f"{self._shown(node)!r} is no arithmetic; there are + - * / **, brackets and {_known()}")

    def _exact(self, node: ast.Constant) -> Fraction:
        text = self._shown(node)
        if type(node.value) not in (int, float):
            raise ValueError(f"{text!r} is no number such as 2, 0.25 or 1e-3")
        if isinstance(node.value, int):
            return Fraction(node.value)
        if abs(int(text.lower().partition("e")[2] or 0)) > LARGEST_DECADE:  # before its digits are written out
            raise ValueError(
                f"{text} is beyond the numbers of an expression, 1e-{LARGEST_DECADE} to 1e{LARGEST_DECADE}"
            )
        return Fraction(text.replace("_", ""))

    def _shown(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.text, node) or self.text


def of_sympy(expression: Any, names: Mapping[str, str]) -> Expression:
    """The expression that a SymPy object is; ValueError for what the grammar has not, or a symbol that may be another.

    `names` are those that it may have, each with what SymPy must know of its symbol: "real", "nonnegative", "positive".
    Floats become the binary fractions that they are.
    """
    return _OfSympy(names).read(expression, DEEPEST)


class _OfSympy:
    """From SymPy's trees to expressions, by their attributes: SymPy itself is not needed here."""

    def __init__(self, names: Mapping[str, str]):
        self.names = names

    def read(self, node: Any, depth: int) -> Expression:
        if depth == 0:
            raise ValueError(f"an expression is nested at most {DEEPEST} deep")
        if node.is_Symbol:
            return self._symbol(node)
        if node.is_Rational:
            return _number(Fraction(int(node.p), int(node.q)))
        if node.is_Float:
            return _number(Fraction(*to_rational(node._mpf_)))
        head = type(node).__name__
        if head == "Exp1":
            return _made("exp", _number(Fraction(1)))
        parts = [self.read(part, depth - 1) for part in node.args]
        if node.is_Add:
            return _folded("+", parts)
        if node.is_Mul:
            return _folded("*", parts)
        if node.is_Pow:
            base, power = parts
            if power.head == "number" and power.parts[0] == Fraction(1, 2):
                return _made("sqrt", base)
            return _made("**", base, power)
        if not node.is_Function and head not in _SPELLINGS:
            raise ValueError(f"{node} is no arithmetic; there are + - * / **, and {_known()}")
        return _made(_function(head), *parts)

    def _symbol(self, symbol: Any) -> Expression:
        found = _name(symbol.name, self.names)
        meant = self.names[symbol.name]
        if not getattr(symbol, f"is_{meant}"):
            raise ValueError(
                f"the symbol {symbol.name} is not known to be {meant}: it is a plain one, and what is meant is "
                f"riskcalc.theory.symbols.{symbol.name}"
            )
        return found


def _number(value: Fraction) -> Expression:
    if max(abs(value.numerator), value.denominator) > _LARGEST:
        raise ValueError(f"a number of an expression is beyond 1e-{LARGEST_DECADE} to 1e{LARGEST_DECADE}")
    return Expression("number", (value,)) if value >= 0 else Expression("negative", (_number(-value),))


def _name(name: str, names: Collection[str]) -> Expression:
    if name in _SPELLINGS:
        raise ValueError(f"{name} is a function; write {name}(...)")
    return Expression("name", (look_up(name, {one: one for one in names}, "symbol of an expression"),))


def _function(name: str) -> str:
    return look_up(name, _SPELLINGS, "function of an expression")


def _known() -> str:
    return ", ".join(FUNCTIONS)


def _folded(head: str, parts: list[Expression]) -> Expression:
    """Of several terms or factors: one operation after the other."""
    found = parts[0]
    for part in parts[1:]:
        found = _made(head, found, part)
    return found


def _made(head: str, *parts: Expression) -> Expression:
    """What an operator or function makes of expressions; arithmetic of numbers is done, where it is exact and small."""
    if head in FUNCTIONS:
        fewest, more = FUNCTIONS[head]
        if len(parts) < fewest or (len(parts) > fewest and not more):
            raise ValueError(f"{head} takes {fewest} argument{'s' * (fewest > 1)}{' or more' * more}, got {len(parts)}")
        return Expression(head, parts)
    values = [_constant(part) for part in parts]
    if head == "**" and values[1] is not None and abs(values[1]) > LARGEST_POWER:
        raise ValueError(f"a power of an expression is at most {LARGEST_POWER}, got {parts[0]}**({parts[1]})")
    if head == "/" and values[1] == 0:
        raise ValueError(f"division by zero: {Expression(head, parts)}")
    whole = head != "**" or (values[1] is not None and values[1].denominator == 1)
    if None in values or not whole or (head == "**" and values[0] == 0 and not values[1]):
        return Expression(head, parts)
    try:
        return _number(_ARITHMETIC[head](*values))
    except ZeroDivisionError:
        raise ValueError(f"division by zero: {Expression(head, parts)}") from None


def _constant(part: Expression) -> Fraction | None:
    """The number that an expression is, if it is one."""
    if part.head == "negative":
        inner = _constant(part.parts[0])
        return None if inner is None else -inner
    return part.parts[0] if part.head == "number" else None
