"""The command line: parse, call the public API, print."""

from __future__ import annotations

import shlex
import sys
import warnings
from pathlib import Path
from typing import Any

import click

import riskcalc as rc
from riskcalc.command import along, formulas
from riskcalc.command.options import (
    FILE,
    OUTPUT,
    RANKINGS,
    chapter_of,
    chapter_option,
    digits_option,
    drawing_of,
    drawing_options,
    items,
    model_of,
    model_options,
    policy_of,
    problem_options,
    question_of,
    refuse_budget,
    score_of,
    score_options,
    seed_option,
    tolerance_option,
)
from riskcalc.command.output import MUTANTS, announced, discard_output, say, show, told, warned, watched
from riskcalc.command.pictures import plot
from riskcalc.command.signals import interruptible
from riskcalc.command.sweeps import sweep

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


_OTHERS = (formulas.catalogue, formulas.derive, formulas.latex, formulas.source, plot, sweep)
for _command in (*_OTHERS, *along.COMMANDS):
    app.add_command(_command)


@app.command()
@model_options
@tolerance_option
@seed_option
@digits_option
@problem_options
def predict(digits: int | None, tolerance: float | None, seed: int, as_json: bool, **options: Any) -> None:
    """Predict the test risk of one model: the dense fit, or the dense fit pruned by a policy, and retrained."""
    model, retrain = model_of(options)
    asked = question_of(options)
    prune = policy_of(model, asked.budget, options)
    show(rc.predict(asked.problem, prune, retrain, digits=digits, tolerance=tolerance, seed=seed), as_json)


@app.command()
@click.option("--retrain-ridge", help="Ridge penalty of second fits; none if left out, or that of --data's first fit.")
@click.option("--repeats", type=click.IntRange(2), help="Of --data: draws of rows that are measured; 100 if left out.")
@click.option("--plot", "picture", type=OUTPUT, help="A picture of it: a .png, .svg or .pdf; of --data along budgets.")
@score_options
@tolerance_option
@seed_option
@digits_option
@problem_options
def compare(
    retrain_ridge: str | None,
    repeats: int | None,
    picture: Path | None,
    digits: int | None,
    tolerance: float | None,
    seed: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Compare dense, pruned, retrained and small models at one budget; say which wins, by how much, and why.

    Of a table (--data) all of them are measured, too, on rows not drawn, and one is recommended with the columns that
    it keeps.
    """
    from riskcalc.pictures.pictured import check_asked
    from riskcalc.questions.compare import RULES

    check_asked(None, 1, picture)
    own, asked = score_of(options), question_of(options)
    if isinstance(asked.problem, rc.Table):
        from riskcalc.questions.advise import spread

        if digits is not None:
            raise ValueError("tables are predicted in double precision; leave --digits out")
        asking = {"policies": own, "retrain_ridge": retrain_ridge, "repeats": repeats or 100, "tolerance": tolerance}
        budgets = [] if picture is None else spread(int(asked.problem.n_features))
        advice = rc.advise(asked.problem, **asked.budget, **asking, budgets=budgets, seed=seed, progress=watched())
        _answered(advice, picture, as_json)
        return
    if repeats is not None:
        raise ValueError("--repeats is about a table and its columns; give --data")
    rules = [*RULES, *own]
    given = {"digits": digits, "retrain_ridge": retrain_ridge or 0, "policies": rules, "tolerance": tolerance}
    _answered(rc.compare(asked.problem, **asked.budget, **given, seed=seed), picture, as_json)


def _answered(answer: Any, picture: Path | None, as_json: bool) -> None:
    if picture is not None:
        answer.plot(path=picture)
    show(answer, as_json)


@app.command()
@click.option("--retrain-ridge", help="Ridge penalty of second fits; none if left out.")
@tolerance_option
@seed_option
@digits_option
@problem_options
def survey(
    retrain_ridge: str | None, digits: int | None, tolerance: float | None, seed: int, as_json: bool, **options: Any
) -> None:
    """Survey every pruning rule at one budget: its risks, what it must know, what it takes, and what is certain."""
    asked = question_of(options)
    given = {"digits": digits, "retrain_ridge": retrain_ridge or 0, "tolerance": tolerance, "seed": seed}
    show(rc.survey(asked.problem, **asked.budget, **given), as_json)


@app.command()
@click.option("--tolerance", type=float, required=True, help="Absolute, of the training error.")
@score_options
@problem_options
def prunability(tolerance: float, as_json: bool, **options: Any) -> None:
    """Find the smallest fraction kept, by policy, whose training error stays within a tolerance of the dense fit's."""
    from riskcalc.questions.prunability import USUAL

    own, asked = score_of(options), question_of(options)
    refuse_budget(options, "prunability finds the fraction kept; leave it out")
    show(rc.prunability(asked.problem, tolerance, [*USUAL, *own] if own else None), as_json)


@app.command()
@click.option("--relative-error", type=float, required=True, help="Of a prediction, over its root mean square.")
@click.option("--failure", type=float, default=0.05, show_default=True, help="Probability of a larger error.")
@problem_options
def sampling_budget(relative_error: float, failure: float, as_json: bool, **options: Any) -> None:
    """Find the smallest budget at which sampled coefficients predict like the dense fit."""
    asked = question_of(options)
    refuse_budget(options, "sampling-budget finds the fraction kept; leave it out")
    show(rc.sampling_budget(asked.problem, relative_error, failure), as_json)


@app.command()
@click.option("--score", type=click.Choice(RANKINGS), help="Whose scores rank; magnitude if left out.")
@score_options
@click.option("--keeps", required=True, help="Fractions kept after each round: 0.6,0.36,0.2.")
@click.option("--retrain-ridge", help="Ridge penalty of the fits between rounds and after them; none if left out.")
@problem_options
def rounds(score: str | None, keeps: str, retrain_ridge: str | None, as_json: bool, **options: Any) -> None:
    """One shot or several rounds of pruning and retraining? Compare them at every budget on the way."""
    own, asked = score_of(options), question_of(options)
    refuse_budget(options, "--keeps says what each round keeps; leave it out")
    if own and score is not None:
        raise ValueError("give either --score or --score-expression, not both")
    by = own[0] if own else score or rc.Magnitude
    show(rc.rounds(asked.problem, by, items(keeps), retrain_ridge or 0), as_json)


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
    from riskcalc.simulation.estimates import with_error

    (model, retrain), drawing = model_of(options), drawing_of(options)
    asked = question_of(options)
    prune = policy_of(model, asked.budget, options)
    drawing |= {} if features is None else {"features": features}
    estimate = rc.simulate(asked.problem, prune, retrain, trials=trials, progress=watched(), **drawing)
    if as_json:
        show(estimate, as_json)
        return
    rows = [
        ("test risk", with_error(estimate.mean, estimate.stderr)),
        ("training error", str(estimate.training_error)),
    ]
    columns = Column("quantity", words=True), Column("value")
    grid = Table(f"simulated, {estimate.trials} trials", columns, rows)
    click.echo(to_text([grid, *filter(None, [estimate.note])]))


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
    settings = {"tolerance": tolerance, "confidence": confidence, "seconds": seconds}
    if chapter is not None:
        given = {name: options.pop(name) for name in ("seed", "workers", "size")}
        if any(value is not None for value in options.values()):
            raise ValueError("--chapter is about its own formulas; it takes no problem")
        drawing = {"seed": given["seed"] or 0, "workers": given["workers"], "n_samples": given["size"]}
        _verify_chapter(chapter_of(chapter), mutants, as_json, **settings, **drawing)
        return
    if mutants:
        workers = options.pop("workers")
        if any(value is not None for value in options.values()):
            raise ValueError("--mutants is about the formulas; it takes no problem")
        with announced(MUTANTS, workers):
            from riskcalc.power.measure import measure_power

            power = measure_power(workers=workers, progress=watched())
        show(power, as_json)
        return
    from riskcalc.policies import by_budget
    from riskcalc.prediction.predict import evaluate

    (model, retrain), drawing = model_of(options), drawing_of(options)
    asked = question_of(options)
    if model["policy"] is None and asked.budget:
        pruned = [rc.Procedure(kind(**asked.budget), retrain) for kind in by_budget().values()]
        every = pruned if retrain else [rc.Procedure(), *pruned]
        models, retrain = list(evaluate(asked.problem, every, covered=True)), None
    else:
        models = [policy_of(model, asked.budget, options)]
    verification = rc.verify(asked.problem, models, retrain, progress=watched(), **settings, **drawing)
    show(verification, as_json)
    if verification.verdict == "disagree":
        sys.exit(1)


def _verify_chapter(chapter: Any, mutants: bool, as_json: bool, **settings: Any) -> None:
    if mutants:
        from riskcalc.power.chapters import measure_chapter

        show(measure_chapter(chapter, progress=watched(), **settings), as_json)
        return
    verification = rc.verify(chapter, progress=watched(), **settings)
    show(verification, as_json)
    if verification.verdict == "disagree":
        sys.exit(1)


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


@app.command()
def schema() -> None:
    """Print what the JSON of results and problems means, key by key."""
    from riskcalc.results.schema import schema

    click.echo(schema())


def main() -> None:
    """Run the command line; bad input ends with exit code 2 and one line on stderr, an interrupt with 128 + signal."""
    warnings.showwarning = warned
    with interruptible() as signals:
        code = _run()
    sys.exit(128 + signals[0] if signals else code)


def _run() -> int:
    """Run the command and say what went wrong; the exit code."""
    try:
        code = app(prog_name="riskcalc", standalone_mode=False) or 0
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except SystemExit as stopped:
        return int(stopped.code or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        say("interrupted")
        return 130
    except BrokenPipeError:
        discard_output()
        return 141
    except Exception as error:
        discard_output()
        say(f"error: {told(error)}")
    return 2
