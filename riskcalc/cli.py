"""The command line: parse, call the public API, print."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import click

_FILE = click.Path(path_type=Path)

# Every option of every command that asks about a problem: (flag, type, help). A flag replaces the file's key of the
# same name. Numbers stay text, which is exact: 10/3 is ten thirds, and 0.1,0.2 is a list.
_OPTIONS: tuple[tuple[str, Any, str], ...] = (
    ("--aspect-ratio", str, "Features per sample, p/n; or --n-samples and --n-features."),
    ("--n-samples", str, "Number of samples."),
    ("--n-features", str, "Number of features."),
    ("--eigenvalues", str, "Variances of the features, by atom: 25,1."),
    ("--signal", str, "sqrt(p) * coefficient, by atom; one number fills all, or scales a continuous law's."),
    ("--weights", str, "Probability of each atom; equal if left out."),
    ("--power-law", str, "Instead of atoms: DECAY,SIGNAL_DECAY or DECAY,SIGNAL_DECAY,FEATURES."),
    ("--marchenko-pastur", str, "Instead of atoms: RATIO of a sample covariance of white noise."),
    ("--uniform", str, "Instead of atoms: LOW,HIGH."),
    ("--beta", str, "Instead of atoms: A,B or A,B,LOW,HIGH."),
    ("--signal-power", str, "Of a continuous law: coefficients are signal * eigenvalue^POWER; 0 if left out."),
    ("--noise-variance", str, "Noise variance."),
    ("--ridge", str, "Ridge penalty: scikit-learn's alpha divided by n_samples."),
    ("--penalty", str, "'natural', or penalty weights by atom."),
    ("--data", _FILE, "CSV table taken as the population, instead of a law; needs --target and --n-samples."),
    ("--target", str, "Target column of --data."),
    ("--keep", str, "Fraction of features kept; a list asks for several."),
    ("--n-keep", int, "Number of features kept, where the problem has a number of features."),
)
_digits = click.option(
    "--digits", type=click.IntRange(1, 10_000), help="Significant digits, by mpmath; float64 if left out."
)
# How models are chosen and drawn, for `simulate` and `verify`.
_DRAWING: tuple[tuple[str, Any, str], ...] = (
    ("--policy", click.Choice(["magnitude", "hessian", "oracle", "random"]), "Prune by this policy to the budget."),
    ("--retrain", click.Choice(["same", "fresh"]), "Fit again after pruning, on the same sample or a fresh one."),
    ("--retrain-ridge", str, "Ridge penalty of that fit; none if left out."),
    ("--size", int, "Rows of a simulated sample."),
    ("--seed", click.IntRange(0), "The same seed draws the same samples; 0 if left out."),
    ("--distribution", click.Choice(["gaussian", "rademacher", "uniform", "student5"]), "Of the design's entries."),
    ("--device", click.Choice(["cpu", "gpu"]), "Where to simulate; a GPU where there is one, if left out."),
    ("--workers", click.IntRange(1), "Processes; as many as there are processors, if left out."),
)

# Two spellings of the same thing: a flag of one replaces the file's keys of the other.
_SPELLINGS = (
    ({"keep"}, {"n_keep"}),
    ({"aspect_ratio"}, {"n_samples", "n_features"}),
    *combinations(({"eigenvalues", "weights"}, {"power_law"}, {"marchenko_pastur"}, {"uniform"}, {"beta"}), 2),
    ({"power_law"}, {"signal"}),
    ({"eigenvalues", "weights", "power_law"}, {"signal_power"}),
)


def _with_options(command: Callable, options: tuple[tuple[str, Any, str], ...]) -> Callable:
    for flag, kind, text in reversed(options):
        command = click.option(flag, type=kind, help=text)(command)
    return command


def _drawing_options(command: Callable) -> Callable:
    return _with_options(command, _DRAWING)


def _problem_options(command: Callable) -> Callable:
    command = _with_options(command, _OPTIONS)
    command = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(command)
    return click.argument("problem", type=_FILE, required=False, metavar="[PROBLEM.toml]")(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="riskcalc", message="%(package)s %(version)s")
def app() -> None:
    """Prune a large model, or train a small one? Exact high-dimensional risks of both."""


@app.command()
@click.option(
    "--policy",
    type=click.Choice(["magnitude", "hessian", "oracle", "random"]),
    help="Prune by this policy to the budget; the dense fit if left out.",
)
@_digits
@_problem_options
def predict(policy: str | None, digits: int | None, as_json: bool, **options: Any) -> None:
    """Predict the test risk of one model: the dense fit, or the dense fit pruned by a policy."""
    import riskcalc as rc

    asked = _question(options)
    prune = _policy(policy, asked.budget, options)
    _show(rc.predict(asked.problem, prune=prune, digits=digits), asked.problem, as_json)


@app.command()
@_digits
@_problem_options
def compare(digits: int | None, as_json: bool, **options: Any) -> None:
    """Compare dense, pruned and small models at one budget, and say which wins by how much."""
    import riskcalc as rc

    asked = _question(options)
    _show(rc.compare(asked.problem, **asked.budget, digits=digits), asked.problem, as_json)


@app.command()
@click.option("--trials", type=click.IntRange(1), default=100, show_default=True)
@click.option(
    "--features", type=click.Choice(["quantiles", "drawn"]), help="At the law's quantiles (default), or drawn anew."
)
@_drawing_options
@_problem_options
def simulate(trials: int, features: str | None, as_json: bool, **options: Any) -> None:
    """Measure the test risk of one model at finite size: draw samples, fit, prune, measure."""
    import riskcalc as rc
    from riskcalc.tables import table, to_text

    policy, retrain, drawing = _drawing(options)
    asked = _question(options)
    prune = _policy(policy, asked.budget, options)
    drawing |= {} if features is None else {"features": features}
    estimate = rc.simulate(asked.problem, prune, retrain, trials=trials, progress=_watched(), **drawing)
    if as_json:
        _show(estimate, asked.problem, as_json)
        return
    grid = table(f"simulated, {estimate.trials} trials", ("quantity", "value"))
    grid.add_row("test risk", str(estimate))
    grid.add_row("training error", str(estimate.training_error))
    click.echo(to_text([grid]))


@app.command()
@click.option("--mutants", is_flag=True, help="Instead of a problem: put wrong formulas before the checks.")
@click.option("--tolerance", type=float, default=0.02, show_default=True, help="Relative deviation that is agreement.")
@click.option("--confidence", type=float, default=0.99, show_default=True, help="That no verdict is wrong.")
@click.option("--seconds", type=float, default=45.0, show_default=True, help="Time for trials.")
@_drawing_options
@_problem_options
def verify(mutants: bool, tolerance: float, confidence: float, seconds: float, as_json: bool, **options: Any) -> None:
    """Show that theory and simulation agree: the dense fit and, with a budget, every policy, or the one given.

    With --mutants, show how many small errors in the formulas the checks would catch. Exit code 1 if they disagree.
    """
    import riskcalc as rc
    from riskcalc.policies import POLICIES

    if mutants:
        _show_power(options, as_json)
        return
    policy, retrain, drawing = _drawing(options)
    asked = _question(options)
    if policy is None and asked.budget:
        pruned = [kind(**asked.budget) for kind in POLICIES.values()]
        models = pruned if retrain else [None, *pruned]
    else:
        models = [_policy(policy, asked.budget, options)]
    drawing |= {"tolerance": tolerance, "confidence": confidence, "seconds": seconds}
    verification = rc.verify(asked.problem, models, retrain, progress=_watched(), **drawing)
    _show(verification, asked.problem, as_json)
    if verification.verdict == "disagree":
        sys.exit(1)


@app.command()
@click.argument("name", required=False)
@click.option("--tex", "tex_file", type=_FILE, help="Also write the derivation, or all of them, as an article.")
@click.option("--workers", type=click.IntRange(1), help="Processes; as many as there are processors, if left out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def derive(name: str | None, tex_file: Path | None, workers: int | None, as_json: bool) -> None:
    """Run one derivation, or all: every step is checked by a machine, and reported with the level of its check.

    NAME is that of a derivation, or a Python file of your own. Exit code 1 if a step fails.
    """
    import riskcalc as rc

    report = rc.derive(name, workers=workers, progress=_watched())
    if tex_file is not None:
        from riskcalc.typesetting.article import derivation_article

        tex_file.write_text(derivation_article(report), encoding="utf-8")
    click.echo(json.dumps({"riskcalc": rc.__version__, **report.to_dict()}, indent=2) if as_json else str(report))
    if not report.passed:
        sys.exit(1)


@app.command()
@click.argument("file", type=_FILE)
@click.option("--workers", type=click.IntRange(1), help="Processes; as many as there are processors, if left out.")
def catalogue(file: Path, workers: int | None) -> None:
    """Write a page of all formulas, with where they are derived and at which level, to FILE; it needs no network.

    The derivations are run for it. Exit code 1 if a step fails.
    """
    import riskcalc as rc
    from riskcalc.typesetting.catalogue import catalogue

    reports = rc.derive(workers=workers, progress=_watched())
    file.write_text(catalogue(reports), encoding="utf-8")
    if not reports.passed:
        raise click.ClickException("a derivation fails; see riskcalc derive")


@app.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--problem", type=_FILE, metavar="PROBLEM.toml", help="Put the numbers of this problem in.")
@click.option("--document", is_flag=True, help="Print an article that compiles, with a table of symbols.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines, without labels, as KaTeX takes it.")
def latex(ids: tuple[str, ...], problem: Path | None, document: bool, as_json: bool) -> None:
    """Print formulas as LaTeX, all of them if no ID is given: numbered displays, with their ids as labels."""
    from riskcalc.lookup import look_up
    from riskcalc.problem_files import question, read_keys
    from riskcalc.theory import REGISTRY
    from riskcalc.typesetting.document import article
    from riskcalc.typesetting.export import snippet

    if document and as_json:
        raise ValueError("give either --document or --json, not both")
    wanted = {look_up(id, REGISTRY, "formula").id for id in ids} or REGISTRY.keys()
    formulas = [formula for id, formula in REGISTRY.items() if id in wanted]
    numbers = None if problem is None else question(read_keys(problem)).problem
    if document:
        click.echo(article(formulas, numbers), nl=False)
    elif as_json:
        listed = [{"id": formula.id, "latex": snippet(formula, numbers)} for formula in formulas]
        click.echo(json.dumps(listed, indent=2))
    else:
        click.echo("\n\n".join(snippet(formula, numbers, label=True) for formula in formulas))


def _show_power(options: dict[str, Any], as_json: bool) -> None:
    from riskcalc import __version__
    from riskcalc.power.measure import measure_power

    workers = options.pop("workers")
    if any(value is not None for value in options.values()):
        raise ValueError("--mutants is about the formulas; it takes no problem")
    power = measure_power(workers=workers, progress=_watched())
    click.echo(json.dumps({"riskcalc": __version__, **power.to_dict()}, indent=2) if as_json else str(power))


def _drawing(options: dict[str, Any]) -> tuple[str | None, Any, dict[str, Any]]:
    """The policy, the retraining, and the arguments of `simulate` and `verify`, taken out of the options."""
    from riskcalc.policies import Retrain

    policy, sample, ridge, size = (options.pop(name) for name in ("policy", "retrain", "retrain_ridge", "size"))
    if sample is None and ridge is not None:
        raise ValueError("--retrain-ridge needs --retrain")
    given = {name: options.pop(name) for name in ("seed", "distribution", "device", "workers")}
    drawing = {name: value for name, value in given.items() if value is not None}
    retrain = None if sample is None else Retrain(ridge=ridge or 0, sample=sample)
    return policy, retrain, drawing | {"n_samples": size}


def _policy(name: str | None, budget: dict[str, Any], options: dict[str, Any]) -> Any:
    """The policy of a name at the budget; None without a name, where a file may still hold a budget."""
    from riskcalc.policies import POLICIES

    if name is not None:
        return POLICIES[name](**budget)
    if options["keep"] or options["n_keep"]:
        raise ValueError("--keep and --n-keep need a --policy; without one the dense fit is asked for")
    return None


def _watched() -> bool:
    """Whether somebody sees a progress bar."""
    return sys.stderr.isatty()


def _question(options: dict[str, Any]):
    """The question that a problem file, flags, or both ask."""
    from riskcalc.problem_files import question, question_of_table, read_keys

    path, data, target = (options.pop(name) for name in ("problem", "data", "target"))
    flags = {name: _listed(value) for name, value in options.items() if value is not None}
    keys = {} if path is None else read_keys(path)
    for one, other in _SPELLINGS:
        for given, dropped in ((one, other), (other, one)):
            if flags.keys() & given and not flags.keys() & dropped:
                keys = {key: value for key, value in keys.items() if key not in dropped}
    keys |= flags
    if (data is None) != (target is None):
        raise ValueError("--data and --target must be given together")
    try:
        return question(keys) if data is None else question_of_table(data, target, keys)
    except ValueError as error:
        raise ValueError(str(error) if path is None else f"{path}: {error}") from error


def _listed(value: Any) -> Any:
    """A comma-separated text as a list; anything else as it is."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) and "," in value else value


def _show(result: Any, problem: Any, as_json: bool) -> None:
    if as_json:
        from riskcalc import __version__

        click.echo(
            json.dumps(
                {"riskcalc": __version__, "problem": problem.to_dict(), **result.to_dict()}, indent=2, allow_nan=False
            )
        )
    else:
        click.echo(str(result))


def main() -> None:
    """Run the command line; bad input ends with exit code 2 and one line on stderr."""
    warnings.showwarning = lambda message, *_, **__: click.echo(f"riskcalc: warning: {message}", err=True)
    try:
        sys.exit(app(standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(2)
    except click.ClickException as error:
        message = error.format_message()
    except (ValueError, TypeError, OSError) as error:
        message = str(error)
    except click.Abort:
        sys.exit(130)
    click.echo(f"riskcalc: error: {' '.join(message.split())}", err=True)
    sys.exit(2)
