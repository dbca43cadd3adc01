"""What is found along a number: places, written and read at their digits."""

from __future__ import annotations

from fractions import Fraction
from numbers import Rational
from typing import Any, ClassVar

import mpmath

from riskcalc.exact import decimal, numbers, plain
from riskcalc.inert import Inert
from riskcalc.results.tables import number
from riskcalc.results.values import Number, difference


def at_digits(value: Any, digits: int | None) -> Number:
    """An exact number, or one that was found, as results have it."""
    if digits is None:
        return float(value)
    if isinstance(value, Rational):
        own = mpmath.MPContext()
        own.dps = digits + 5
        exact = Fraction(value)
        value = own.mpf(int(exact.numerator)) / int(exact.denominator)
    return decimal(value, digits)


def width(bracket: tuple[Number, ...], digits: int | None) -> str:
    """Of a bracket, as a table shows it."""
    return number(float(difference(bracket[1], bracket[0], digits)))


class Placed(Inert):
    """A value of which `_measured` parts are numbers, or arrays, of its `digits`, and `_several` are tuples of such."""

    digits: int | None
    _measured: ClassVar[tuple[str, ...]] = ()
    _several: ClassVar[tuple[str, ...]] = ()

    def _plainly(self, name: str, value: Any) -> Any:
        if name in self._several:
            return [plain(one, self.digits) for one in value]
        return plain(value, self.digits) if name in self._measured else super()._plainly(name, value)

    @classmethod
    def _made(cls, given: dict[str, Any]) -> Any:
        digits = given.get("digits")
        read = {name: numbers(given[name], digits) for name in cls._measured if name in given}
        read |= {name: tuple(numbers(one, digits) for one in given[name]) for name in cls._several if name in given}
        return super()._made(given | read)
