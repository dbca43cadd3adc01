"""The command line: parse, call the public API, print."""

from __future__ import annotations

import json
import shlex
import sys
import warnings
from pathlib import Path
from typing import Any

import click

import riskcalc as rc
from riskcalc.command.options import (
    FILE,
    RANKINGS,
    chapter_option,
    digits_option,
    drawing_of,
    drawing_options,
    items,
    model_of,
    model_options,
    policy_of,
    policy_options,
    problem_options,
    question_of,
    refuse_budget,
    shown_policy,
)

_EPILOG = """New here? `riskcalc examples` writes problem files to begin with.

\b
Completion by the shell of commands, options, ids of formulas and files:
  eval "$(_RISKCALC_COMPLETE=bash_source riskcalc)"     in ~/.bashrc
  eval "$(_RISKCALC_COMPLETE=zsh_source riskcalc)"      in ~/.zshrc
  _RISKCALC_COMPLETE=fish_source riskcalc | source      in config.fish
"""


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(package_name="riskcalc", message="%(package)s %(version)s")
def app() -> None:
    """Prune a large model, or train a small one? Exact high-dimensional risks of both."""


@app.command()
@model_options
@digits_option
@problem_options
def predict(digits: int | None, as_json: bool, **options: Any) -> None:
    """Predict the test risk of one model: the dense fit, or the dense fit pruned by a policy, and retrained."""
    model, retrain = model_of(options)
    asked = question_of(options)
    prune = policy_of(model, asked.budget, options)
    _show(rc.predict(asked.problem, prune, retrain, digits=digits), as_json, problem=asked.problem)


@app.command()
@click.option("--retrain-ridge", help="Ridge penalty of second fits; none if left out.")
@digits_option
@problem_options
def compare(retrain_ridge: str | None, digits: int | None, as_json: bool, **options: Any) -> None:
    """Compare dense, pruned, retrained and small models at one budget; say which wins, by how much, and why."""
    asked = question_of(options)
    comparison = rc.compare(asked.problem, **asked.budget, digits=digits, retrain_ridge=retrain_ridge or 0)
    _show(comparison, as_json, problem=asked.problem)


@app.command()
@click.option("--tolerance", type=float, required=True, help="Absolute, of the training error.")
@problem_options
def prunability(tolerance: float, as_json: bool, **options: Any) -> None:
    """Find the smallest fraction kept, by policy, whose training error stays within a tolerance of the dense fit's."""
    asked = question_of(options)
    refuse_budget(options, "prunability finds the fraction kept; leave it out")
    _show(rc.prunability(asked.problem, tolerance), as_json, problem=asked.problem)


@app.command()
@click.option("--relative-error", type=float, required=True, help="Of a prediction, over its root mean square.")
@click.option("--failure", type=float, default=0.05, show_default=True, help="Probability of a larger error.")
@problem_options
def sampling_budget(relative_error: float, failure: float, as_json: bool, **options: Any) -> None:
    """Find the smallest budget at which sampled coefficients predict like the dense fit."""
    asked = question_of(options)
    refuse_budget(options, "sampling-budget finds the fraction kept; leave it out")
    _show(rc.sampling_budget(asked.problem, relative_error, failure), as_json, problem=asked.problem)


@app.command()
@click.option("--score", type=click.Choice(RANKINGS), default="magnitude", show_default=True)
@click.option("--keeps", required=True, help="Fractions kept after each round: 0.6,0.36,0.2.")
@click.option("--retrain-ridge", help="Ridge penalty of the fits between rounds and after them; none if left out.")
@problem_options
def rounds(score: str, keeps: str, retrain_ridge: str | None, as_json: bool, **options: Any) -> None:
    """One shot or several rounds of pruning and retraining? Compare them at every budget on the way."""
    asked = question_of(options)
    refuse_budget(options, "--keeps says what each round keeps; leave it out")
    _show(rc.rounds(asked.problem, score, items(keeps), retrain_ridge or 0), as_json, problem=asked.problem)


@app.command()
@click.option("--trials", type=click.IntRange(1), default=100, show_default=True)
@click.option(
    "--features", type=click.Choice(["quantiles", "drawn"]), help="At the law's quantiles (default), or drawn anew."
)
@drawing_options
@problem_options
def simulate(trials: int, features: str | None, as_json: bool, **options: Any) -> None:
    """Measure the test risk of one model at finite size: draw samples, fit, prune, measure."""
    from riskcalc.results.tables import Column, Table, to_text

    (model, retrain), drawing = model_of(options), drawing_of(options)
    asked = question_of(options)
    prune = policy_of(model, asked.budget, options)
    drawing |= {} if features is None else {"features": features}
    estimate = rc.simulate(asked.problem, prune, retrain, trials=trials, progress=_watched(), **drawing)
    if as_json:
        _show(estimate, as_json, problem=asked.problem)
        return
    rows = [("test risk", str(estimate)), ("training error", str(estimate.training_error))]
    columns = Column("quantity", words=True), Column("value")
    click.echo(to_text([Table(f"simulated, {estimate.trials} trials", columns, rows)]))


@app.command()
@click.option("--mutants", is_flag=True, help="Instead of a problem: put wrong formulas before the checks.")
@click.option("--tolerance", type=float, default=0.02, show_default=True, help="Relative deviation that is agreement.")
@click.option("--confidence", type=float, default=0.99, show_default=True, help="That no verdict is wrong.")
@click.option("--seconds", type=float, default=45.0, show_default=True, help="Time for trials.")
@chapter_option
@drawing_options
@problem_options
def verify(
    mutants: bool,
    tolerance: float,
    confidence: float,
    seconds: float,
    chapter: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Show that theory and simulation agree: the dense fit and, with a budget, every policy that its theory covers, or
    the one given.

    With --chapter, show that the formulas of a chapter of your own agree with its trials.

    With --mutants, show how many small errors in the formulas the checks would catch. Exit code 1 if they disagree.
    """
    from riskcalc.policies import by_budget
    from riskcalc.prediction.predict import evaluate

    settings = {"tolerance": tolerance, "confidence": confidence, "seconds": seconds}
    if chapter is not None:
        given = {name: options.pop(name) for name in ("seed", "workers", "size")}
        if any(value is not None for value in options.values()):
            raise ValueError("--chapter is about its own formulas; it takes no problem")
        drawing = {"seed": given["seed"] or 0, "workers": given["workers"], "n_samples": given["size"]}
        _verify_chapter(_chapter(chapter), mutants, as_json, **settings, **drawing)
        return
    if mutants:
        from riskcalc.power.measure import measure_power

        workers = options.pop("workers")
        if any(value is not None for value in options.values()):
            raise ValueError("--mutants is about the formulas; it takes no problem")
        _show(measure_power(workers=workers, progress=_watched()), as_json)
        return
    (model, retrain), drawing = model_of(options), drawing_of(options)
    asked = question_of(options)
    if model["policy"] is None and asked.budget:
        pruned = [rc.Procedure(kind(**asked.budget), retrain) for kind in by_budget().values()]
        every = pruned if retrain else [rc.Procedure(), *pruned]
        models, retrain = list(evaluate(asked.problem, every, covered=True)), None
    else:
        models = [policy_of(model, asked.budget, options)]
    verification = rc.verify(asked.problem, models, retrain, progress=_watched(), **settings, **drawing)
    _show(verification, as_json, problem=asked.problem)
    if verification.verdict == "disagree":
        sys.exit(1)


def _verify_chapter(chapter: Any, mutants: bool, as_json: bool, **settings: Any) -> None:
    if mutants:
        from riskcalc.power.chapters import measure_chapter

        _show(measure_chapter(chapter, progress=_watched(), **settings), as_json)
        return
    verification = rc.verify(chapter, progress=_watched(), **settings)
    _show(verification, as_json)
    if verification.verdict == "disagree":
        sys.exit(1)


@app.command()
@click.argument("name", required=False)
@click.option("--tex", "tex_file", type=FILE, help="Also write the derivation, or all of them, as an article.")
@click.option("--workers", type=click.IntRange(1), help="Processes; as many as there are processors, if left out.")
@chapter_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def derive(name: str | None, tex_file: Path | None, workers: int | None, chapter: str | None, as_json: bool) -> None:
    """Run one derivation, or all: every step is checked by a machine, and reported with the level of its check.

    NAME is that of a derivation, or a Python file of your own. Exit code 1 if a step fails.
    """
    own = _chapter(chapter)
    report = rc.derive(name, chapter=own, workers=workers, progress=_watched())
    if tex_file is not None:
        from riskcalc.theory.library import library_of
        from riskcalc.typesetting.article import derivation_article

        tex_file.write_text(derivation_article(report, library_of(own)), encoding="utf-8")
    _show(report, as_json)
    if not report.passed:
        sys.exit(1)


@app.command()
@click.argument("file", type=FILE)
@click.option("--workers", type=click.IntRange(1), help="Processes; as many as there are processors, if left out.")
@chapter_option
def catalogue(file: Path, workers: int | None, chapter: str | None) -> None:
    """Write a page of all formulas, with where they are derived and at which level, to FILE; it needs no network.

    The derivations are run for it. Exit code 1 if a step fails.
    """
    from riskcalc.theory.library import library_of
    from riskcalc.typesetting.catalogue import catalogue

    own = _chapter(chapter)
    reports = rc.derive(chapter=own, workers=workers, progress=_watched())
    file.write_text(catalogue(reports, library_of(own)), encoding="utf-8")
    if not reports.passed:
        raise click.ClickException("a derivation fails; see riskcalc derive")


def _formula_ids(context: Any, parameter: Any, incomplete: str) -> list[str]:
    from riskcalc.theory import REGISTRY

    return [id for id in REGISTRY if id.startswith(incomplete)]


@app.command()
@click.argument("id", shell_complete=_formula_ids)
@chapter_option
def source(id: str, chapter: str | None) -> None:
    """Print the array code that evaluates a formula; of an equation, what its solver evaluates at every trial."""
    click.echo(rc.source(id, chapter=_chapter(chapter)))


@app.command()
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=_formula_ids)
@click.option("--problem", type=FILE, metavar="PROBLEM.toml", help="Put the numbers of this problem in.")
@click.option("--list", "listed", is_flag=True, help="Instead, print ids with what they are of, by chapter.")
@click.option("--document", is_flag=True, help="Print an article that compiles, with a table of symbols.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines, without labels, as KaTeX takes it.")
@policy_options
@chapter_option
def latex(
    ids: tuple[str, ...],
    problem: Path | None,
    listed: bool,
    document: bool,
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

    if document and (as_json or listed):
        raise ValueError(f"give either --document or --{'json' if as_json else 'list'}, not both")
    library, policy = library_of(_chapter(chapter)), shown_policy(options)
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
        listing = [{"id": formula.id, "latex": snippet(formula, numbers)} for formula in formulas]
        click.echo(json.dumps(listing, indent=2))
    else:
        click.echo("\n\n".join(snippet(formula, numbers, label=True) for formula in formulas))


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


@app.command()
@click.argument("folder", type=FILE, default=".", metavar="[FOLDER]")
@click.option("--schema", is_flag=True, help="Instead, print what a problem file may hold.")
def examples(folder: Path, schema: bool) -> None:
    """Write the example problem files into FOLDER, the current one if left out. No file is overwritten."""
    from riskcalc.command.problem_files import SCHEMA, write_examples

    if schema:
        click.echo(SCHEMA)
        return
    written = write_examples(folder)
    click.echo("\n".join(f"wrote {path}" for path in written))
    click.echo(f"Next: riskcalc compare {shlex.quote(str(written[-1]))}")
    click.echo("All that a problem file may hold: riskcalc examples --schema")


def _chapter(source: str | None) -> Any:
    return None if source is None else rc.load_chapter(source)


def _watched() -> bool:
    """Whether somebody sees a progress bar."""
    return sys.stderr.isatty()


def _show(result: Any, as_json: bool, problem: Any = None) -> None:
    if not as_json:
        click.echo(str(result))
        return
    about = {} if problem is None else {"problem": problem.to_dict()}
    click.echo(json.dumps({"riskcalc": rc.__version__, **about, **result.to_dict()}, indent=2, allow_nan=False))


def main() -> None:
    """Run the command line; bad input ends with exit code 2 and one line on stderr."""
    warnings.showwarning = lambda message, *_, **__: click.echo(f"riskcalc: warning: {message}", err=True)
    try:
        sys.exit(app(prog_name="riskcalc", standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(2)
    except click.ClickException as error:
        message = error.format_message()
    except (ValueError, TypeError, OSError) as error:
        message = str(error)
    except ArithmeticError as error:
        message = f"the numbers asked about are out of reach: {type(error).__name__}: {error}"
    except click.Abort:
        sys.exit(130)
    click.echo(f"riskcalc: error: {' '.join(message.split())}", err=True)
    sys.exit(2)
