"""The commands about formulas: derive them, write them, show the code that evaluates them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

import riskcalc as rc
from riskcalc.command.options import FILE, OUTPUT, chapter_of, chapter_option, policy_options, shown_policy
from riskcalc.command.output import DERIVATION, DERIVATIONS, announced, show, watched


@click.command()
@click.argument("name", required=False)
@click.option("--tex", "tex_file", type=OUTPUT, help="Also write the derivation, or all of them, as an article.")
@click.option("--workers", type=click.IntRange(1), help="Processes; as many as there are processors, if left out.")
@chapter_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def derive(name: str | None, tex_file: Path | None, workers: int | None, chapter: str | None, as_json: bool) -> None:
    """Run one derivation, or all: every step is checked by a machine, and reported with the level of its check.

    NAME is that of a derivation, or a Python file of your own. Exit code 1 if a step fails.
    """
    with announced(*((DERIVATIONS, workers) if name is None else (DERIVATION, 1))):
        own = chapter_of(chapter)
        report = rc.derive(name, chapter=own, workers=workers, progress=watched())
    if tex_file is not None:
        from riskcalc.theory.library import library_of
        from riskcalc.typesetting.article import derivation_article

        tex_file.write_text(derivation_article(report, library_of(own)), encoding="utf-8")
    show(report, as_json)
    if not report.passed:
        sys.exit(1)


@click.command()
@click.argument("file", type=OUTPUT)
@click.option("--workers", type=click.IntRange(1), help="Processes; as many as there are processors, if left out.")
@chapter_option
def catalogue(file: Path, workers: int | None, chapter: str | None) -> None:
    """Write a page of all formulas, with where they are derived and at which level, to FILE; it needs no network.

    The derivations are run for it. Exit code 1 if a step fails.
    """
    with announced(DERIVATIONS, workers):
        from riskcalc.theory.library import library_of
        from riskcalc.typesetting.catalogue import catalogue

        own = chapter_of(chapter)
        reports = rc.derive(chapter=own, workers=workers, progress=watched())
    file.write_text(catalogue(reports, library_of(own)), encoding="utf-8")
    if not reports.passed:
        raise click.ClickException("a derivation fails; see riskcalc derive")


def _formula_ids(context: Any, parameter: Any, incomplete: str) -> list[str]:
    from riskcalc.theory import REGISTRY

    return [id for id in REGISTRY if id.startswith(incomplete)]


@click.command()
@click.argument("id", shell_complete=_formula_ids)
@chapter_option
def source(id: str, chapter: str | None) -> None:
    """Print the array code that evaluates a formula; of an equation, what its solver evaluates at every trial."""
    click.echo(rc.source(id, chapter=chapter_of(chapter)))


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=_formula_ids)
@click.option("--problem", type=FILE, metavar="PROBLEM.toml", help="Put the numbers of this problem in.")
@click.option("--list", "listed", is_flag=True, help="Instead, print ids with what they are of, by chapter.")
@click.option("--document", is_flag=True, help="Print an article that compiles, with a table of symbols.")
@click.option("--one-line", is_flag=True, help="One line for each, as matplotlib's mathtext draws it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines, without labels, as KaTeX takes it.")
@policy_options
@chapter_option
def latex(
    ids: tuple[str, ...],
    problem: Path | None,
    listed: bool,
    document: bool,
    one_line: bool,
    as_json: bool,
    chapter: str | None,
    **options: Any,
) -> None:
    """Print formulas as LaTeX, all of them if no ID is given: numbered displays, with their ids as labels."""
    from riskcalc.command.problem_files import question, read_keys
    from riskcalc.lookup import look_up
    from riskcalc.theory.library import library_of
    from riskcalc.typesetting.document import article
    from riskcalc.typesetting.export import snippet
    from riskcalc.typesetting.policies import with_policy

    asked = {"document": document, "one-line": one_line, "list": listed, "json": as_json and document}
    if len(given := [flag for flag, meant in asked.items() if meant]) > 1:
        raise ValueError(f"give either --{given[0]} or --{given[1]}, not both")
    library, policy = library_of(chapter_of(chapter)), shown_policy(options)
    wanted = {look_up(id, library.formulas, "formula").id for id in ids} or library.formulas.keys()
    formulas = [formula for id, formula in library.formulas.items() if id in wanted]
    if listed:
        _list(formulas, library, as_json)
        return
    if policy is not None and not ids:
        raise ValueError("--policy defines the mask of formulas; give the ids of those")
    formulas = [formula if policy is None else with_policy(formula, policy) for formula in formulas]
    numbers = None if problem is None else question(read_keys(problem)).problem
    if document:
        click.echo(article(formulas, numbers, library), nl=False)
    elif as_json:
        listing = [{"id": formula.id, "latex": snippet(formula, numbers, one_line=one_line)} for formula in formulas]
        click.echo(json.dumps(listing, indent=2))
    else:
        between = "\n" if one_line else "\n\n"
        click.echo(between.join(snippet(formula, numbers, label=True, one_line=one_line) for formula in formulas))


def _list(formulas: list[Any], library: Any, as_json: bool) -> None:
    from riskcalc.results.tables import Column, Table, to_text
    from riskcalc.typesetting.plain import plain

    chapters = {id: plain(chapter.title) for id, chapter in library.chapters.items()}
    rows: dict[str, list[list[str]]] = {}
    for formula in formulas:
        rows.setdefault(formula.id.partition(".")[0], []).append([formula.id, plain(formula.title)])
    if as_json:
        told = [{"id": id, "title": title, "chapter": chapters[of]} for of in rows for id, title in rows[of]]
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    columns = Column("id", words=True), Column("title", words=True)
    click.echo(to_text(Table(chapters[of], columns, rows[of]) for of in rows))
