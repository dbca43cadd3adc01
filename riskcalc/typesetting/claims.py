"""What the steps of derivations claim, as LaTeX displays."""

from __future__ import annotations

from collections.abc import Iterator

from riskcalc.derivation.claims import Claim, Equal, Expands, Less, Limit, Registered, Roots
from riskcalc.derivation.record import Derivation, Step
from riskcalc.formulas.records import Definitions
from riskcalc.typesetting.displays import Equation, display, record, rows_of
from riskcalc.typesetting.expressions import Typesetter, tex


def claim_display(step: Step, derivation: Derivation) -> str:
    """The claim of a step, with the definitions that hold in this step only."""
    match step.claim:
        case Registered(formula):
            return record(formula)
        case Limit(words):
            return words
    own = {symbol: rule for symbol, rule in step.where.items() if derivation.where.get(symbol) != rule}
    return display(*rows_of(list(_equations(step.claim)), definitions(own)))


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


def definitions(where: Definitions) -> list[Equation]:
    """Definitions that say something: a symbol that stands for itself, or for itself as positive, does not."""
    return [Equation(symbol, rule) for symbol, rule in where.items() if str(symbol) != str(rule)]
