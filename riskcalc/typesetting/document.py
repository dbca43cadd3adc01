"""All formulas in one article: by section, each with what it gives, when it holds and who published it."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Sequence
from functools import partial
from importlib.metadata import version
from itertools import groupby
from typing import Any

from sympy import FiniteSet, Reals

from riskcalc.formulas.chapters import Library
from riskcalc.formulas.records import Equation, FixedPoint, Formula
from riskcalc.formulas.symbols import QUANTITIES, Expression, LawSymbol, Quantity
from riskcalc.problems import Problem
from riskcalc.problems.base import facts_latex
from riskcalc.theory.library import LIBRARY
from riskcalc.typesetting.displays import definitions, equations
from riskcalc.typesetting.export import snippet
from riskcalc.typesetting.expressions import tex

_HEAD = r"""\documentclass{article}
\usepackage{amsmath,amssymb,longtable}
\setlength{\parskip}{6pt plus 2pt}
\raggedright
\raggedbottom
\title{TITLE}
\author{riskcalc VERSION}
\date{}
\begin{document}
\maketitle
"""

_SETTING = r"""A linear model $y=\sum_i x_i\beta_i+\text{noise}$ is fitted to $n$ samples of $p$ features. Feature $i$
has the variance $\Lambda_i$ and the coefficient $\beta_i=B_i/\sqrt p$; the noise has the variance $\sigma^2$. The fit
minimises the mean squared residual plus $\lambda\sum_iD_i\beta_i^2$; where $\lambda=0$ it is least squares, or the
interpolator of least norm. Numbers are limits as $n,p\to\infty$ with $p/n\to\kappa$, unless stated otherwise.
"""

_NOTATION = r"""$\mathbb{E}$ and $\mathbb{P}$ are the mean and the probability over the joint law of
$(\Lambda,B,D)$, over the standard normal $H$ and over the mask $S$; $\phi$ and $\Phi$ are the standard normal density
and distribution function, $\mathbf{1}\{\cdot\}$ is one where its condition holds and zero elsewhere. Symbols are
explained at the end.
"""


def article(formulas: Sequence[Formula], problem: Problem | None = None, library: Library = LIBRARY) -> str:
    """A whole article of these formulas of a library, with the numbers of a problem put in if one is given."""
    prose = partial(_prose, present={formula.id for formula in formulas}, known=library.records)
    if library is LIBRARY:
        title, setting = "High-dimensional risks of dense, pruned and small models", _SETTING + _NOTATION
    else:
        title, setting = " and ".join(prose(chapter.title) for chapter in library.chapters.values()), _NOTATION
    parts = [_HEAD.replace("VERSION", version("riskcalc")).replace("TITLE", title), setting]
    if problem is not None:
        facts = r", \\ & ".join(facts_latex(problem))
        parts.append(rf"The numbers put in are \begin{{align*}} & {facts}. \end{{align*}}" + "\n")
    for chapter, members in groupby(formulas, key=lambda formula: formula.id.partition(".")[0]):
        parts.append(rf"\section{{{prose(library.chapters[chapter].title)}}}" + "\n")
        parts += [_entry(formula, problem, prose) for formula in members]
    return "\n".join([*parts, _symbols(formulas), r"\end{document}", ""])


def _entry(formula: Formula, problem: Problem | None, prose: Callable[[str], str]) -> str:
    """A formula with its title above and what is known about it below."""
    solved = solved_for(formula)
    solved = f"Solved for {solved}. " if solved else ""
    holds = "" if formula.assumptions.startswith("none") else f"Assumes: {prose(formula.assumptions)}. "
    about = f"{solved}{holds}Source: {prose(formula.source)}."
    title = prose(formula.title[0].upper() + formula.title[1:])
    heading = rf"\textbf{{{title}}} ({typewriter(formula.id)})"
    below = rf"{{\small {about}\par}}"
    parts = [r"\begin{samepage}", heading, snippet(formula, problem, label=True), below, r"\end{samepage}\medskip", ""]
    return "\n".join(parts)


def solved_for(formula: Formula) -> str:
    """What an equation is solved for, and where its root is looked for; nothing for other formulas."""
    if isinstance(formula, Equation):
        x, lower, upper = map(tex, (formula.defines, formula.lower, formula.upper))
        return f"${x}$ between ${lower}$ and ${upper}$"
    return f"${tex(formula.defines)}$" if isinstance(formula, FixedPoint) else ""


def typewriter(id: str) -> str:
    """An id, which may be broken after a dot or an underscore."""
    return r"\texttt{" + re.sub(r"[._]", lambda sign: rf"{sign[0]}\allowbreak ", id).replace("_", r"\_") + "}"


def _prose(text: str, present: Container[str], known: Container[str]) -> str:
    """Text with TeX between dollar signs; ids outside it become references, Greek names letters, signs signs."""
    greek = {str(symbol): q.latex for symbol, q in QUANTITIES.items() if q.latex == rf"\{symbol}"}

    def symbol(found: re.Match) -> str:
        return f"${greek[found[1]]}{found[2] or ''}$"

    def reference(found: re.Match) -> str:
        id = found[0]
        if len(id) == 1:
            return rf"\{id}"
        return rf"\eqref{{eq:{id}}}" if id in present else typewriter(id) if id in known else id.replace("_", r"\_")

    def outside(part: str) -> str:
        part = re.sub(rf"\b({'|'.join(greek)})( [=<>] [\d.]+)?\b", symbol, part)
        return re.sub(r"[a-z_]+\.[a-z_]+|(?<!\\)[&%#_]", reference, part)

    return "$".join(part if place % 2 else outside(part) for place, part in enumerate(text.split("$")))


def _symbols(formulas: Iterable[Formula]) -> str:
    """Tables of the symbols that formulas use, with their meanings and domains."""
    shown = shown_quantities(formulas)
    parts = [r"\section*{Symbols}"]
    for words, law in (("One value for all features", False), ("One value for each feature", True)):
        rows = [
            rf"${q.latex}$ & {q.meaning} & ${_domain(q.domain)}$ \\"
            for q in shown
            if isinstance(q.symbol, LawSymbol) is law
        ]
        if rows:
            head = rf"\multicolumn{{3}}{{@{{}}l}}{{\emph{{{words}}}}} \\[3pt]"
            parts += [r"\begin{longtable}[l]{@{}lp{.7\textwidth}l@{}}", head, *rows, r"\end{longtable}", ""]
    return "\n".join(parts)


def shown_quantities(formulas: Iterable[Formula]) -> list[Quantity]:
    """What the symbols in formulas and their definitions mean, in the order of their declaration."""
    used = set().union(*(_used(formula) for formula in formulas))
    return [quantity for symbol, quantity in QUANTITIES.items() if symbol in used]


def _used(formula: Formula) -> set[Expression]:
    """The symbols that a formula and its definitions show."""
    stated = equations(formula)
    shown = [*stated, *definitions(formula, stated)]
    return {formula.defines}.union(*(side.free_symbols for one in shown for side in one.sides))


def _domain(domain: Any) -> str:
    if isinstance(domain, FiniteSet):
        return rf"\{{{', '.join(map(tex, domain.args))}\}}"
    if domain == Reals:
        return r"\mathbb{R}"
    left, right = "(" if domain.left_open else "[", ")" if domain.right_open else "]"
    return f"{left}{tex(domain.start)}, {tex(domain.end)}{right}"
