"""What a step of a derivation claims."""

from __future__ import annotations

from dataclasses import dataclass

from riskcalc.formulas.records import Formula
from riskcalc.formulas.symbols import Expression


@dataclass(frozen=True)
class Equal:
    """`left = right`. Derivatives, integrals and limits may stand in it unevaluated."""

    left: Expression
    right: Expression


@dataclass(frozen=True)
class Less:
    """`left < right`, or `left <= right` if not strict."""

    left: Expression
    right: Expression
    strict: bool = True


@dataclass(frozen=True)
class Roots:
    """The equation has exactly these solutions in the unknown, each listed as often as it is a root."""

    equation: Equal
    unknown: Expression
    roots: tuple[Expression, ...]


@dataclass(frozen=True)
class Expands:
    """`expression = terms` up to the order of `error`, as the variable tends to the point from a side, "+" or "-"."""

    expression: Expression
    terms: Expression
    error: Expression
    variable: Expression
    point: Expression
    side: str = "+"


@dataclass(frozen=True)
class Registered:
    """What was derived is the registered formula: its statement and its evaluation form.

    `derived` is an expression; an `Equal` for a fixed point; an `Expands` for an expansion. `relation` is that of the
    formula: what was derived is a bound if it is "<=" or ">=", and a first trial if it is "~".
    """

    formula: Formula
    derived: Expression | Equal | Expands
    relation: str = "="


@dataclass(frozen=True)
class Limit:
    """A limit theorem in words: what simulated samples tend to. Only a simulation can support it."""

    words: str


Claim = Equal | Less | Roots | Expands | Registered | Limit
