"""What the engine knows of the theory that a step belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from riskcalc.formulas.expectation import MaskedMoments
from riskcalc.formulas.records import Definitions, Formula
from riskcalc.formulas.symbols import Expression


@dataclass(frozen=True, eq=False)
class Background:
    """A theory, as the engine sees it."""

    records: Mapping[str, Formula]  # by id; among them those that others were derived from
    meanings: Definitions  # what symbols stand for that have no formula of their own
    moments: MaskedMoments  # the symbols that H and the mask are averaged to
    fitted: Expression  # the symbol of a fitted coefficient, which depends on H and the mask
