"""Derivations as a readable article: the theorem, what is not proved, and each step with its reason and its level."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from riskcalc.derivation.claims import Claim, Equal, Expands, Less, Limit, Registered, Roots
from riskcalc.derivation.record import Derivation, Step
from riskcalc.derivation.reports import Report, Reports, StepReport
from riskcalc.derivation.run import build
from riskcalc.formulas.chapters import Library
from riskcalc.formulas.records import Definitions
from riskcalc.theory.library import LIBRARY
from riskcalc.typesetting.displays import Equation, display, record, rows_of
from riskcalc.typesetting.document import typewriter
from riskcalc.typesetting.expressions import Typesetter, tex

_PREAMBLE = r"""\documentclass[11pt]{article}
\usepackage[margin=1.1in]{geometry}
\usepackage{amsmath,amssymb}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt plus 1pt}
\allowdisplaybreaks
"""

_LEVELS = r"""Each step is a claim that a machine has checked. Its level stands after its name: \emph{symbolic}, proved
by computer algebra for every law of the features; \emph{enclosed}, by ball arithmetic at random rational points;
\emph{sampled}, by many digits at random points; \emph{simulated}, by simulated samples that agree with the prediction.
"""


def derivation_article(reports: Report | Reports, library: Library = LIBRARY) -> str:
    """A whole article of one derivation or several of a library that were run."""
    each = reports.reports if isinstance(reports, Reports) else (reports,)
    title = each[0].title if len(each) == 1 else "Derivations"
    sections = (_section(build(report.name, library=library), report, numbered=len(each) > 1) for report in each)
    head = [_PREAMBLE, rf"\title{{{title}}}", r"\author{}", r"\date{}", r"\begin{document}", r"\maketitle", _LEVELS]
    return "\n".join([*head, *sections, r"\end{document}", ""])


def _section(derivation: Derivation, report: Report, numbered: bool) -> str:
    parts = [rf"\section{{{derivation.title}}}"] if numbered else []
    for heading, text in (
        ("Theorem", derivation.statement),
        ("Assumptions", derivation.assumptions),
        ("Not proved here", derivation.cited),
    ):
        parts.append(rf"\textbf{{{heading}.}} {_filled(text)}" + "\n")
    throughout = _definitions(derivation.where)
    if throughout:
        parts += ["Throughout,", display([row for one in throughout for row in one.rows()], [])]
    parts.append(r"\begin{enumerate}")
    places = {step.name: place for place, step in enumerate(derivation.steps, 1)}
    for step, checked in zip(derivation.steps, report.steps, strict=True):
        parts += [
            rf"\item \textbf{{{_heading(step)}}} {_level(checked)}",
            _filled(step.why) + _cited(step.uses, places),
            _claim(step, derivation),
        ]
    return "\n".join([*parts, r"\end{enumerate}"])


def _heading(step: Step) -> str:
    if isinstance(step.claim, Registered):
        formula = step.claim.formula
        return rf"{formula.title[0].upper()}{formula.title[1:]}, {typewriter(formula.id)}."
    return f"{step.name[0].upper()}{step.name[1:]}."


def _filled(text: str) -> str:
    """The lines of a text in source code as one paragraph, its means and probabilities as in formulas."""
    return re.sub(r"(?<![A-Za-z\\])([EP])(?=[\[(])", r"\\mathbb{\1}", " ".join(text.split()))


def _cited(uses: Sequence[str], places: dict[str, int]) -> str:
    numbers = [str(place) for place in sorted(places[name] for name in uses)]
    if not numbers:
        return ""
    *most, last = numbers
    return rf" (From {', '.join(most)} and {last}.)" if most else f" (From {last}.)"


def _level(step: StepReport) -> str:
    return rf"[\emph{{{step.level}}}]" if step.passed else r"[\textbf{not shown}]"


def _claim(step: Step, derivation: Derivation) -> str:
    """The claim of a step, with the definitions that hold in this step only."""
    match step.claim:
        case Registered(formula):
            return record(formula)
        case Limit(words):
            return words
    own = {symbol: rule for symbol, rule in step.where.items() if derivation.where.get(symbol) != rule}
    return display(*rows_of(list(_equations(step.claim)), _definitions(own)))


def _equations(claim: Claim) -> Iterator[Equation]:
    match claim:
        case Equal(left, right):
            yield Equation(left, right)
        case Less(left, right, strict):
            yield Equation(left, right, "<" if strict else r"\le")
        case Roots(Equal(left, right), unknown, roots):
            yield Equation(left, right)
            distinct = list(dict.fromkeys(roots))
            for place, root in enumerate(distinct):
                word = "or" if place else "only for"
                yield Equation(rf"\text{{{word}}}\quad {tex(unknown)}", root)
        case Expands(expression, terms, error, variable, point, side):
            yield Equation(expression, terms, suffix=Typesetter().remainder(error, variable, point, side))


def _definitions(where: Definitions) -> list[Equation]:
    """Definitions that say something: a symbol that stands for itself, or for itself as positive, does not."""
    return [Equation(symbol, rule) for symbol, rule in where.items() if str(symbol) != str(rule)]
