"""Chapters of one's own: the words that they are written in, and how they are loaded.

A Python file, or an installed package with an entry point of the group ``riskcalc.chapters``, defines one `Chapter`:
formulas in symbols that are declared with their meanings, derivations of them, and trials that test them. What its file
registers beside, such as a kind of problem, is there when it is loaded.
"""

import riskcalc.theory.symbols  # noqa: F401  its symbols are declared first: another's of the same name must be the same
from riskcalc.chapters.loading import load_chapter
from riskcalc.derivation.checks import Enclosed, Sampled, Simulated, Symbolic
from riskcalc.derivation.claims import Equal, Expands, Less, Limit, Registered, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.chapters import Chapter, Trial
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import positive, ratio, rest, share
from riskcalc.formulas.records import Equation, Expansion, FixedPoint, Formula
from riskcalc.formulas.symbols import NONNEGATIVE, POSITIVE, REAL, UNIT, H, law_symbol, scalar

__all__ = [
    "NONNEGATIVE",
    "POSITIVE",
    "REAL",
    "UNIT",
    "Chapter",
    "Derivation",
    "E",
    "Enclosed",
    "Equal",
    "Equation",
    "Expands",
    "Expansion",
    "FixedPoint",
    "Formula",
    "H",
    "Less",
    "Limit",
    "Registered",
    "Roots",
    "Sampled",
    "Simulated",
    "Symbolic",
    "Trial",
    "law_symbol",
    "load_chapter",
    "positive",
    "ratio",
    "rest",
    "scalar",
    "share",
]
