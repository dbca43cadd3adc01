"""The options of the command line: what asks about a problem, chooses a model, and draws samples of it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import click

from riskcalc.policies import POLICIES, Group, Iterative, Retrain

FILE = click.Path(path_type=Path)

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
    ("--data", FILE, "CSV table taken as the population, instead of a law; needs --target and --n-samples."),
    ("--target", str, "Target column of --data."),
    ("--keep", str, "Fraction of features kept; a list asks for several."),
    ("--n-keep", int, "Number of features kept, where the problem has a number of features."),
)
digits_option = click.option(
    "--digits", type=click.IntRange(1, 10_000), help="Significant digits, by mpmath; float64 if left out."
)
_NAMES = [*POLICIES, Group.name, Iterative.name]
# How models are chosen, for `predict`, `simulate` and `verify`.
_MODEL: tuple[tuple[str, Any, str], ...] = (
    ("--policy", click.Choice(_NAMES), "Prune by this policy to the budget; the dense fit if left out."),
    ("--replacement", bool, "True: --policy sampled draws with replacement."),
    ("--rescale", bool, "True: --policy optimal may rescale what it keeps."),
    ("--group-size", int, "Features of a group, for --policy group."),
    ("--score", click.Choice(["magnitude", "hessian"]), "Of --policy group (hessian if left out) or iterative."),
    ("--keeps", str, "Fractions kept after each round, for --policy iterative: 0.6,0.36,0.2."),
    ("--retrain", click.Choice(["same", "fresh"]), "Fit again after pruning, on the same sample or a fresh one."),
    ("--retrain-ridge", str, "Ridge penalty of that fit, and of those between rounds; none if left out."),
)
# How they are drawn, for `simulate` and `verify`.
_DRAWING: tuple[tuple[str, Any, str], ...] = (
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


def model_options(command: Callable) -> Callable:
    """Give a command the options that choose a model."""
    return _with_options(command, _MODEL)


def drawing_options(command: Callable) -> Callable:
    """Give a command the options that choose a model and how samples of it are drawn."""
    return model_options(_with_options(command, _DRAWING))


def problem_options(command: Callable) -> Callable:
    """Give a command the options that ask about a problem."""
    command = _with_options(command, _OPTIONS)
    command = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(command)
    return click.argument("problem", type=FILE, required=False, metavar="[PROBLEM.toml]")(command)


def model_of(options: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """What chooses the policy, and the retraining, taken out of the options."""
    sample, ridge = options.pop("retrain"), options["retrain_ridge"]
    if sample is None and ridge is not None and options["policy"] != "iterative":
        raise ValueError("--retrain-ridge needs --retrain")
    chosen = {name.strip("-").replace("-", "_"): None for name, *_ in _MODEL if name != "--retrain"}
    chosen = {name: options.pop(name) for name in chosen}
    return chosen, None if sample is None else Retrain(ridge=ridge or 0, sample=sample)


def drawing_of(options: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `simulate` and `verify`, taken out of the options."""
    given = {name: options.pop(name) for name in ("seed", "distribution", "device", "workers")}
    drawing = {name: value for name, value in given.items() if value is not None}
    return drawing | {"n_samples": options.pop("size")}


# Options that belong to one policy.
_OWN = {"replacement": ("sampled",), "rescale": ("optimal",), "group_size": ("group",), "keeps": ("iterative",)} | {
    "score": ("group", "iterative")
}


def policy_of(chosen: dict[str, Any], budget: dict[str, Any], options: dict[str, Any]) -> Any:
    """The policy chosen, at the budget; None without a name, where a file may still hold a budget."""
    name = chosen["policy"]
    for option, owners in _OWN.items():
        if chosen[option] is not None and name not in owners:
            raise ValueError(f"--{option.replace('_', '-')} needs --policy {' or '.join(owners)}")
    if name == "iterative":
        if chosen["keeps"] is None:
            raise ValueError("--policy iterative needs --keeps, the fractions kept after each round")
        refuse_budget(options, "--keeps says what each round keeps; leave it out")
        return Iterative(chosen["score"] or "magnitude", items(chosen["keeps"]), chosen["retrain_ridge"] or 0)
    if name == "group":
        if chosen["group_size"] is None:
            raise ValueError("--policy group needs --group-size")
        return Group(chosen["group_size"], chosen["score"] or "hessian", **budget)
    if name is not None:
        own = {option: chosen[option] for option in ("replacement", "rescale") if chosen[option] is not None}
        return POLICIES[name](**budget, **own)
    refuse_budget(options, "it needs a --policy: without one the dense fit is asked for")
    return None


def refuse_budget(options: dict[str, Any], why: str) -> None:
    """Refuse a budget in flags where nothing would read it; one in a problem file is for the commands that do."""
    for flag, name in (("--keep", "keep"), ("--n-keep", "n_keep")):
        if options[name] is not None:
            raise ValueError(f"got {flag} {options[name]}, but {why}")


def question_of(options: dict[str, Any]):
    """The question that a problem file, flags, or both ask."""
    from riskcalc.problem_files import question, question_of_table, read_keys

    path, data, target = (options.pop(name) for name in ("problem", "data", "target"))
    flags = {name: listed(value) for name, value in options.items() if value is not None}
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


def items(text: str) -> list[str]:
    """A comma-separated text as a list, of one item without a comma."""
    return [part.strip() for part in text.split(",")]


def listed(value: Any) -> Any:
    """A text with commas as a list; anything else as it is."""
    return items(value) if isinstance(value, str) and "," in value else value
