"""The options of the command line: what asks about a problem, chooses a model, and draws samples of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import click

import riskcalc as rc
from riskcalc.expressions import Expression
from riskcalc.files import check_output
from riskcalc.policies import POLICIES, Option, Ranking, Retrain, Score
from riskcalc.policies.base import rankings, required
from riskcalc.problems import BASES
from riskcalc.problems.activations import ACTIVATIONS
from riskcalc.problems.cleaning import FILLS
from riskcalc.problems.table import ROWS
from riskcalc.problems.tabular import COLUMNS

FILE = click.Path(path_type=Path)


class _Output(click.Path):
    """A file that a command writes: refused before the work if it cannot be written."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Path:
        path = Path(value)
        check_output(path)
        return path


OUTPUT = _Output()
# Letters of the choices that stand beside a flag; longer lists are part of its help, whose lines can be broken.
MOST_CHOICES = 40

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
    ("--covariance", FILE, "Instead of a law: covariance of the features, in a .npy or a .csv."),
    ("--loadings", str, "Instead of a law: loadings of the features on one factor; with --variances, a file for more."),
    ("--variances", str, "With --loadings: of what each feature shares with no other; or a file."),
    (
        "--coefficients",
        str,
        "Themselves, in place of --signal where there are n-features; or with --loadings or --covariance; or a file.",
    ),
    (
        "--activation",
        click.Choice([*ACTIVATIONS]),
        "Instead of a law: random features of this activation; with --n-inputs.",
    ),
    ("--n-inputs", str, "Dimension of the inputs of random features."),
    ("--hermite", str, "Of random features: Hermite coefficients of the target, from degree 1 on; 1 if left out."),
    ("--noise-variance", str, "Noise variance."),
    ("--ridge", str, "Ridge penalty: scikit-learn's alpha divided by n_samples."),
    ("--penalty", str, "'natural', or penalty weights by atom."),
    (
        "--basis",
        click.Choice([*BASES, COLUMNS]),
        "How features stand to the eigenvectors of their covariance; principal if left out. Of --data: columns.",
    ),
    ("--row-variances", str, "Rows of unequal length: what multiplies the variances of their features."),
    ("--row-weights", str, "Probability of each of these values; equal if left out."),
    (
        "--data",
        FILE,
        "CSV or Parquet table taken as the population, instead of a law; needs --target and --n-samples.",
    ),
    ("--target", str, "Target column of --data."),
    ("--missing", click.Choice(FILLS), "Of --data: leave out rows with missing cells, or fill in means of columns."),
    ("--scale", bool, "Of --data: divide columns by their standard deviations; yes if left out."),
    ("--rows", click.Choice(ROWS), "Of --data: predict for its rows as they are, or for Gaussian ones."),
    ("--keep", str, "Fraction of features kept; a list asks for several."),
    ("--n-keep", int, "Number of features kept, where the problem has a number of features."),
)
digits_option = click.option(
    "--digits", type=click.IntRange(1, 10_000), help="Significant digits, by mpmath; float64 if left out."
)
tolerance_option = click.option(
    "--tolerance", type=float, help="Of correlated features: standard error of a risk over it; 0.01 if left out."
)
seed_option = click.option("--seed", type=click.IntRange(0), default=0, help="Of correlated features: of their draws.")
chapter_option = click.option(
    "--chapter", metavar="FILE.py", help="For a chapter of your own: its file, or the name an installed package gives."
)
# How a table is read.
READING = ("missing", "scale", "rows")
# Names of the policies that rank by a score.
RANKINGS = [*rankings()]


def chapter_of(source: str | None) -> Any:
    """The chapter of one's own that is asked for, if any."""
    return None if source is None else rc.load_chapter(source)


def _flag(option: Option) -> str:
    return option.flag or option.name.replace("_", "-")


def _type(option: Option) -> Any:
    """How an option of a policy is read from the command line."""
    return click.Choice(RANKINGS) if option.kind is Ranking else str if option.kind in _TEXTS else option.kind


_RIDGE = "retrain-ridge"
# What is typed as text.
_TEXTS = (list, tuple, Expression)
# What belongs to policies: each flag once, whichever of them has it.
_CHOICES: dict[str, Option] = {}
for _option in (option for kind in POLICIES.values() for option in kind.choices):
    _CHOICES.setdefault(_flag(_option), _option)
_OF_POLICIES: tuple[tuple[str, Any, str], ...] = tuple(
    (f"--{flag}", _type(option), option.help) for flag, option in _CHOICES.items() if flag != _RIDGE
)
# How a policy is chosen whose mask is to be shown, for `latex`.
_SHOWN: tuple[tuple[str, Any, str], ...] = (
    ("--policy", click.Choice([*POLICIES]), "Define the mask that formulas show: this policy's."),
    *_OF_POLICIES,
)
# How models are chosen, for `predict`, `simulate` and `verify`.
_MODEL: tuple[tuple[str, Any, str], ...] = (
    ("--policy", click.Choice([*POLICIES]), "Prune by this policy to the budget; the dense fit if left out."),
    *_OF_POLICIES,
    ("--retrain", click.Choice(["same", "fresh"]), "Fit again after pruning, on the same sample or a fresh one."),
    (f"--{_RIDGE}", str, "Ridge penalty of that fit, and of those between rounds; none if left out."),
)
# A score of one's own, which is a policy, and what others rank by.
_EXPRESSION = next(_flag(option) for option in Score.choices if option.kind is Expression)
_SCORE = tuple((f"--{_flag(option)}", _type(option), option.help) for option in Score.choices)
# How they are drawn, for `simulate` and `verify`.
_DRAWING: tuple[tuple[str, Any, str], ...] = (
    ("--size", int, "Rows of a simulated sample."),
    ("--seed", click.IntRange(0), "The same seed draws the same samples; 0 if left out."),
    ("--distribution", click.Choice(["gaussian", "rademacher", "uniform", "student5"]), "Of the design's entries."),
    ("--device", click.Choice(["cpu", "gpu"]), "Where to simulate; a GPU where there is one, if left out."),
    ("--workers", click.IntRange(1), "Processes; as many as there are processors, if left out."),
)

# Two spellings of the same thing: a flag of one replaces the file's keys of the other.
_LAWS = ({"eigenvalues", "weights"}, {"power_law"}, {"marchenko_pastur"}, {"uniform"}, {"beta"})
_NEURONS = {"activation", "n_inputs", "hermite"}
_SPELLINGS = (
    ({"keep"}, {"n_keep"}),
    ({"aspect_ratio"}, {"n_samples", "n_features"}),
    *combinations(_LAWS, 2),
    ({"loadings", "variances", "covariance"}, {"signal", "signal_power"}.union(*_LAWS)),
    ({"loadings", "variances"}, {"covariance"}),
    ({"coefficients"}, {"signal", "signal_power"}.union(*_LAWS[1:])),
    (_NEURONS, {"aspect_ratio", "signal", "signal_power", "loadings", "coefficients", "penalty"}.union(*_LAWS)),
    ({"power_law"}, {"signal"}),
    ({"eigenvalues", "weights", "power_law"}, {"signal_power"}),
)


def _with_options(command: Callable, options: tuple[tuple[str, Any, str], ...]) -> Callable:
    for flag, kind, text in reversed(options):
        metavar = None
        if isinstance(kind, click.Choice) and len("|".join(kind.choices)) > MOST_CHOICES:
            metavar, text = "NAME", f"{text} One of {', '.join(kind.choices)}."
        command = click.option(flag, type=kind, help=text, metavar=metavar)(command)
    return command


def model_options(command: Callable) -> Callable:
    """Give a command the options that choose a model."""
    return _with_options(command, _MODEL)


def policy_options(command: Callable) -> Callable:
    """Give a command the options that choose a policy to be shown."""
    return _with_options(command, _SHOWN)


def drawing_options(command: Callable) -> Callable:
    """Give a command the options that choose a model and how samples of it are drawn."""
    return model_options(_with_options(command, _DRAWING))


def problem_options(command: Callable) -> Callable:
    """Give a command the options that ask about a problem."""
    command = _with_options(command, _OPTIONS)
    command = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(command)
    return click.argument("problem", type=FILE, required=False, metavar="[PROBLEM.toml]")(command)


def score_options(command: Callable) -> Callable:
    """Give a command the options of a score of one's own."""
    return _with_options(command, _SCORE)


def score_of(options: dict[str, Any]) -> list[Score]:
    """The score of one's own, if there is one, taken out of the options; at any budget."""
    found = _own_score({_flag(option): options.pop(_flag(option).replace("-", "_")) for option in Score.choices})
    return [] if found is None else [found]


def _own_score(chosen: dict[str, Any]) -> Score | None:
    """The score of one's own, by flag, at any budget; None without one."""
    if chosen[_EXPRESSION] is not None:
        given = {option.name: chosen[_flag(option)] or option.default for option in Score.choices}
        return Score(**given, keep=1)
    for flag in map(_flag, Score.choices):
        if chosen[flag] is not None:
            raise ValueError(f"--{flag} needs --{_EXPRESSION}")
    return None


def model_of(options: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """What chooses the policy, by flag, and the retraining, taken out of the options."""
    chosen = {flag[2:]: options.pop(flag[2:].replace("-", "_")) for flag, *_ in _MODEL}
    if chosen["policy"] is None and chosen[_EXPRESSION] is not None:
        chosen["policy"] = Score.name
    sample, ridge = chosen.pop("retrain"), chosen[_RIDGE]
    if sample is None and ridge is not None and _RIDGE not in map(_flag, _choices_of(chosen["policy"])):
        raise ValueError(f"--{_RIDGE} needs --retrain")
    return chosen, None if sample is None else Retrain(ridge=ridge or 0, sample=sample)


def _choices_of(name: str | None) -> tuple[Option, ...]:
    return () if name is None else POLICIES[name].choices


def drawing_of(options: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `simulate` and `verify`, taken out of the options."""
    given = {name: options.pop(name) for name in ("seed", "distribution", "device", "workers")}
    drawing = {name: value for name, value in given.items() if value is not None}
    return drawing | {"n_samples": options.pop("size")}


def policy_of(chosen: dict[str, Any], budget: dict[str, Any], options: dict[str, Any]) -> Any:
    """The policy chosen, at the budget; None without a name, where a file may still hold a budget."""
    name = chosen["policy"]
    own = {_flag(option): option for option in _choices_of(name)}
    scored = _own_score(chosen) if Ranking in {option.kind for option in own.values()} else None
    known = {*own, _RIDGE} if scored is None else {*own, _RIDGE, *map(_flag, Score.choices)}
    for flag in _CHOICES:
        if chosen[flag] is not None and flag not in known:
            owners = [owner for owner, kind in POLICIES.items() if flag in map(_flag, kind.choices)]
            raise ValueError(f"--{flag} needs --policy {' or '.join(owners)}")
    if name is None:
        refuse_budget(options, "it needs a --policy: without one the dense fit is asked for")
        return None
    kind, given = POLICIES[name], {}
    for flag, option in own.items():
        value: Any = option.default if chosen[flag] is None else chosen[flag]
        if option.kind is Ranking and scored is not None:
            if chosen[flag] is not None:
                raise ValueError(f"give either --{flag} or --{_EXPRESSION}, not both")
            value = scored
        if value is not None:
            given[option.name] = items(value) if option.kind in (list, tuple) else value
        elif option.name in required(kind):
            raise ValueError(f"--policy {name} needs --{flag}: {option.help}")
    if "keep" in inspect.signature(kind).parameters:
        return kind(**budget, **given)
    listed = next(flag for flag, option in own.items() if option.kind in (list, tuple))
    refuse_budget(options, f"--{listed} says what is kept; leave it out")
    return kind(**given)


def shown_policy(options: dict[str, Any]) -> Any:
    """The policy to be shown, at any budget; None without a name."""
    chosen = {flag[2:]: options[flag[2:].replace("-", "_")] for flag, *_ in _SHOWN} | {_RIDGE: None}
    return policy_of(chosen, {"keep": 1}, {"keep": None, "n_keep": None})


def refuse_budget(options: dict[str, Any], why: str) -> None:
    """Refuse a budget in flags where nothing would read it; one in a problem file is for the commands that do."""
    for flag, name in (("--keep", "keep"), ("--n-keep", "n_keep")):
        if options[name] is not None:
            raise ValueError(f"got {flag} {options[name]}, but {why}")


def question_of(options: dict[str, Any]):
    """The question that a problem file, flags, or both ask."""
    from riskcalc.command.arrays import located
    from riskcalc.command.problem_files import question, question_of_table, read_keys

    path, data, target = (options.pop(name) for name in ("problem", "data", "target"))
    reading = {name: value for name in READING if (value := options.pop(name)) is not None}
    flags = located({name: listed(value) for name, value in options.items() if value is not None}, Path())
    keys = {} if path is None else read_keys(path)
    for one, other in _SPELLINGS:
        for given, dropped in ((one, other), (other, one)):
            if flags.keys() & given and not flags.keys() & dropped:
                keys = {key: value for key, value in keys.items() if key not in dropped}
    keys |= flags
    if (data is None) != (target is None):
        raise ValueError("--data and --target must be given together")
    if data is None and reading:
        raise ValueError(f"--{' and --'.join(reading)} is about a table; give --data")
    try:
        return question(keys) if data is None else question_of_table(data, target, keys, **reading)
    except ValueError as error:
        raise ValueError(str(error) if path is None else f"{path}: {error}") from error


def items(text: str) -> list[str]:
    """A comma-separated text as a list, of one item without a comma."""
    return [part.strip() for part in text.split(",")]


def listed(value: Any) -> Any:
    """A text with commas as a list; anything else as it is."""
    return items(value) if isinstance(value, str) and "," in value else value
