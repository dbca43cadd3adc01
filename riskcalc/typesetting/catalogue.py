"""The catalogue: every formula of a library on one page that a browser shows without a network."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from html import escape
from importlib.metadata import version

from latex2mathml.converter import convert

from riskcalc.derivation.claims import Registered
from riskcalc.derivation.reports import Reports
from riskcalc.derivation.run import build
from riskcalc.formulas.chapters import Library
from riskcalc.formulas.records import Formula
from riskcalc.theory.library import LIBRARY
from riskcalc.typesetting.displays import record
from riskcalc.typesetting.document import shown_quantities, solved_for

_STYLE = """
body { font: 17px/1.5 Georgia, serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b }
h2 { margin-top: 3rem; border-bottom: 1px solid #ccc }
article { margin: 2.2rem 0 }
h3 { margin: 0; font-size: 1.05rem }
h3 code { font-weight: normal; color: #555; font-size: .85rem; margin-left: .6rem }
.statement { overflow-x: auto; padding: .6rem 0; font-size: 1.15rem }
dl { display: grid; grid-template-columns: 8rem 1fr; gap: .1rem 1rem; margin: 0; font-size: .92rem }
dt { color: #555 } dd { margin: 0 }
table { border-collapse: collapse } td { padding: 0 .9rem 0 0; vertical-align: baseline }
mtd { padding: .25em .1em } mtd:first-child { text-align: right } mtd:last-child { text-align: left }
nav { columns: 2; font-size: .92rem } nav a { display: block }
"""


def catalogue(reports: Reports, library: Library = LIBRARY) -> str:
    """The page, with the derivations of the formulas and the levels they were checked at."""
    levels = _levels(reports, library)
    sections = []
    for chapter in library.chapters.values():
        entries = (_entry(formula, levels[formula.id], levels) for formula in chapter.formulas)
        sections.append(f"<h2>{_prose(chapter.title)}</h2>" + "".join(entries))
    contents = "".join(f'<a href="#{id}">{_prose(formula.title)}</a>' for id, formula in library.formulas.items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>riskcalc: formulas</title>'
        f"<style>{_STYLE}</style><h1>Formulas, by riskcalc {version('riskcalc')}</h1>"
        f"<p>{len(levels)} formulas, written by <code>riskcalc catalogue</code>. {_prose(_MEANING)}</p>"
        f"<nav>{contents}</nav>{''.join(sections)}</html>\n"
    )


_MEANING = (
    r"A derivation is checked step by step, by computer algebra (symbolic), by ball arithmetic at random points "
    r"(enclosed), by many digits at random points (sampled) or by simulation; the level given is the weakest among "
    r"the steps that a formula rests on. Means $\mathbb{E}$ are over the joint law of the features $(\Lambda, B, D)$, "
    r"over $H$ and over the mask $S$."
)


def _levels(reports: Reports, library: Library) -> dict[str, list[str]]:
    """Where each formula is derived, and the level of what it rests on."""
    found: dict[str, list[str]] = {id: [] for id in library.formulas}
    for report in reports.reports:
        for step in build(report.name, library=library).steps:
            if isinstance(step.claim, Registered) and step.claim.formula.id in found:
                found[step.claim.formula.id].append(f"{report.name} ({report.level_behind(step.name)})")
    return found


def _entry(formula: Formula, derivations: Iterable[str], present: Container[str]) -> str:
    symbols = "".join(
        f"<tr><td>{_mathml(quantity.latex)}</td><td>{_prose(quantity.meaning)}</td></tr>"
        for quantity in shown_quantities([formula])
    )
    facts = {
        "solved for": _prose(solved_for(formula)),
        "symbols": f"<table>{symbols}</table>",
        "assumptions": _prose(formula.assumptions),
        "source": _prose(formula.source),
        "follows from": ", ".join(_reference(id, present) for id in formula.derived_from),
        "derivation": escape(", ".join(derivations)),
    }
    listed = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in facts.items() if text)
    title = _prose(formula.title[0].upper() + formula.title[1:])
    return (
        f'<article id="{formula.id}"><h3>{title}<code>{formula.id}</code></h3>'
        f'<div class="statement">{_mathml(record(formula), display=True)}</div>'
        f"<dl>{listed}</dl></article>"
    )


def _reference(id: str, present: Container[str]) -> str:
    code = f"<code>{id}</code>"
    return f'<a href="#{id}">{code}</a>' if id in present else code


def _prose(text: str) -> str:
    """Text with TeX between dollar signs."""
    parts = text.split("$")
    return "".join(_mathml(part) if place % 2 else escape(part) for place, part in enumerate(parts))


def _mathml(tex: str, display: bool = False) -> str:
    """LaTeX as MathML that browsers show as TeX would: aligned rows, a bold one, upright Greek capitals."""
    tex = tex.replace(r"\begin{align*}", r"\begin{array}{rl}").replace(r"\end{align*}", r"\end{array}")
    tex = tex.replace(r"\mathbf{1}", "\N{MATHEMATICAL BOLD DIGIT ONE}")
    found = convert(tex, display="block" if display else "inline")
    found = found.replace("<mtable>", '<mtable displaystyle="true">')
    return re.sub(r"<mi>(&#x0039B;|&#x003A6;|&#x00394;)</mi>", r'<mi mathvariant="normal">\1</mi>', found)
