"""Problems from TOML files, from command-line numbers, and from tables of data.

The schema of a problem file (every key is optional where the problem does not need it):

    aspect_ratio = "10/3"        # features per sample, p/n; or n_samples and n_features
    eigenvalues = [25, 1]        # variances of the features, by atom
    signal = 1                   # sqrt(p) * coefficient, by atom; one number fills all atoms
    coefficients = 0.1           # instead of signal, where there is n_features: the coefficients themselves
    weights = [0.1, 0.9]         # probability of each atom; left out: equal
    noise_variance = 0.0
    ridge = 0.0                  # scikit-learn's alpha, divided by n_samples
    penalty = "natural"          # or weights by atom; left out: 1
    basis = "generic"            # features in general position to the eigenvectors; left out: "principal"
    row_variances = [4, 1]       # rows of unequal length: what multiplies the variances of their features, by value;
    row_weights = [0.2, 0.8]     # probability of each of these values; left out: equal
    keep = 0.1                   # the budget; or n_keep

    power_law = [1.5, 0.25, 500] # instead of eigenvalues, signal and weights: decay, signal_decay, features
                                 # (without the third: the limit of many features)

Continuous laws, instead of eigenvalues and weights; signal is then one number, 1 if left out:

    marchenko_pastur = 0.5       # the ratio: eigenvalues of a sample covariance of white noise
    uniform = [0.5, 2]           # low, high
    beta = [2, 3, 0, 5]          # a, b, low, high (without the last two: from 0 to 1)
    signal_power = -0.25         # coefficients are signal * eigenvalue^signal_power; left out: 0

One factor behind all features, exact at every size; with n_samples and noise_variance:

    loadings = [2, 1, 1]         # slopes of the features in the factor
    coefficients = [1, 1, -1]    # the true ones, themselves

Correlated features; with n_samples, coefficients, noise_variance and ridge:

    covariance = "file.npy"      # or .csv, of numbers alone, from this file's folder; or rows: [[1, 0.5], [0.5, 1]]
    coefficients = "beta.csv"    # the true ones, themselves; or a list

Instead of a covariance, factors and what each feature has of its own:

    loadings = "loadings.npy"    # slopes in the factors, a row for each feature; or rows, or a list for one factor
    variances = [0.5, 0.2, 0.1]  # of what a feature shares with no other; one number for all, a list, or a file

Random features; with n_features, n_samples, noise_variance and ridge:

    activation = "relu"          # or another that is registered: erf, tanh, sign, linear, softplus, ...
    n_inputs = 100               # dimension of the inputs
    hermite = [1, 0.5]           # Hermite coefficients of the target, from degree 1 on; left out: 1

Numbers are exact: 0.1 means one tenth, and strings such as "10/3" are accepted; files hold
doubles.
"""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError

from riskcalc.command.arrays import SUFFIXES, columns, located, read_arrays, vector
from riskcalc.exact import one_number, whole
from riskcalc.laws import Beta, Law, MarchenkoPastur, PowerLaw, Uniform
from riskcalc.problems import Correlated, FactorCovariance, LinearGaussian, Problem, RandomFeatures, RankOne
from riskcalc.problems.tabular import from_data
from riskcalc.quoting import printable, quoted
from riskcalc.text import read_text

SCHEMA = inspect.cleandoc(__doc__ or "").partition("\n\n")[2]
# Of a problem file, which hardly has more than some numbers for each of a million features.
MOST_BYTES = 1 << 26
_EXAMPLES = Path(__file__).parent.parent / "examples"

_Scalar = StrictInt | Annotated[Decimal, Field(strict=True, allow_inf_nan=True)] | StrictStr
_Numbers = _Scalar | list[_Scalar] | list[list[_Scalar]]
_Counts = StrictInt | StrictStr | list[StrictInt | StrictStr]


class ProblemFile(BaseModel):
    """The keys of a problem file and their types; the problem itself checks their values."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    aspect_ratio: _Numbers | None = None
    n_samples: _Counts | None = None
    n_features: _Counts | None = None
    eigenvalues: _Numbers | None = None
    signal: _Numbers | None = None
    weights: _Numbers | None = None
    power_law: list[_Scalar] | None = None
    marchenko_pastur: _Numbers | None = None
    uniform: _Numbers | None = None
    beta: _Numbers | None = None
    signal_power: _Numbers | None = None
    covariance: _Numbers | np.ndarray | None = None
    loadings: _Numbers | np.ndarray | None = None
    variances: _Numbers | np.ndarray | None = None
    coefficients: _Numbers | np.ndarray | None = None
    activation: StrictStr | None = None
    n_inputs: _Counts | None = None
    hermite: _Scalar | list[_Scalar] | None = None
    noise_variance: _Numbers | None = None
    ridge: _Numbers | None = None
    penalty: _Numbers | None = None
    basis: StrictStr | None = None
    row_variances: _Numbers | None = None
    row_weights: _Numbers | None = None
    keep: _Numbers | None = None
    n_keep: StrictInt | None = None


@dataclass(frozen=True)
class Question:
    """A problem, and the budget asked for (arguments of a policy: keep or n_keep)."""

    problem: Problem
    budget: dict[str, Any]


def read_keys(path: Path) -> dict[str, Any]:
    """The keys of a TOML file, numbers exact; ValueError if it cannot be read."""
    try:
        keys = tomllib.loads(read_text(path, MOST_BYTES), parse_float=_decimal)
        return located(keys, path.parent)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{printable(str(path))} is not valid TOML: {error}") from error
    except RecursionError as error:
        raise ValueError(f"{printable(str(path))} is nested too deeply") from error


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{text} is out of reach of decimal numbers") from error


def write_examples(folder: Path) -> list[Path]:
    """Copy the example files into a folder, which is made if need be; ValueError if one of them is there."""
    examples = {folder / path.name: path for path in sorted(_EXAMPLES.glob("*.toml"))}
    if there := [str(path) for path in examples if path.exists()]:
        raise ValueError(f"{' and '.join(there)} would be overwritten; give another folder, or move what is there")
    folder.mkdir(parents=True, exist_ok=True)
    for path, example in examples.items():
        path.write_bytes(example.read_bytes())
    return [*examples]


def question(keys: Mapping[str, Any]) -> Question:
    """The question that keys of a file or of the command line ask; ValueError names every key that is wrong."""
    given, budget = _checked(keys)
    if given.keys() & {"covariance", "variances"}:
        return Question(_correlated(given), budget)
    if "loadings" in given:
        return Question(_one_factor(given), budget)
    if given.keys() & {"activation", "n_inputs", "hermite"}:
        return Question(_random_features(given), budget)
    laws = [name for name in ("power_law", *_CONTINUOUS) if name in given]
    if len(laws) > 1:
        raise ValueError(f"give one law, not {' and '.join(laws)}")
    if "power_law" in given:
        given["law"] = _power_law(given.pop("power_law"))
    elif laws:
        given["law"] = _continuous(laws[0], given)
    if "signal_power" in given:
        raise ValueError(f"signal_power needs one of the laws {', '.join(_CONTINUOUS)}; leave it out")
    return Question(LinearGaussian(**given), budget)


def _one_factor(given: dict[str, Any]) -> RankOne:
    """One factor behind all features."""
    _check_keys("one factor", given, {"loadings", "coefficients", "n_samples"}, {"noise_variance"})
    return RankOne(**given | {name: vector(given[name]) for name in ("loadings", "coefficients")})


def _correlated(given: dict[str, Any]) -> Correlated:
    """Features of a covariance: a matrix, or factors."""
    factors = {"loadings", "variances"}
    needed = {"coefficients", "n_samples"} | ({"covariance"} if "covariance" in given else factors)
    _check_keys("a problem of correlated features", given, needed, {"noise_variance", "ridge"})
    if isinstance(text := given.get("covariance"), str):
        named = " or ".join(SUFFIXES)
        raise ValueError(f"covariance must be rows of numbers, or a file named {named}, got {quoted(text)}")
    rest = {name: value for name, value in given.items() if name not in factors}
    if "covariance" not in given:
        rest["covariance"] = FactorCovariance(columns(given["loadings"]), given["variances"])
    return Correlated(**rest | {"coefficients": vector(given["coefficients"])})


def _check_keys(what: str, given: Mapping[str, Any], needed: set[str], known: set[str]) -> None:
    """Refuse keys that are missing, and keys that something else determines."""
    if missing := sorted(needed - given.keys()):
        raise ValueError(f"{what} needs {' and '.join(missing)}; give {', '.join(sorted(needed))}")
    _leave_out(what, given.keys() - needed - known)


def _random_features(given: dict[str, Any]) -> RandomFeatures:
    """Neurons with weights drawn once."""
    needed = {"activation", "n_inputs", "n_features", "n_samples"}
    _check_keys("a problem of random features", given, needed, {"hermite", "noise_variance", "ridge"})
    target = given.pop("hermite", None)
    return RandomFeatures(**given, target=target)


def _leave_out(what: str, determined: Iterable[str]) -> None:
    """Refuse keys that something else determines."""
    if names := sorted(determined):
        raise ValueError(f"{what} determines {' and '.join(names)}; leave {'it' if len(names) == 1 else 'them'} out")


def question_of_table(path: Path, target: str, keys: Mapping[str, Any], **reading: Any) -> Question:
    """The question about training on `n_samples` rows of a table in a file; `keys` may hold the rest."""
    given, budget = _checked(keys)
    _leave_out("a table of data", given.keys() - {"n_samples", "ridge", "basis"})
    if "n_samples" not in given:
        raise ValueError("a table of data needs n_samples: on how many of its rows to train")
    return Question(from_data(path, target, **given, **reading), budget)


def _checked(keys: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments of the problem and of the policy."""
    try:
        checked = ProblemFile.model_validate(read_arrays(keys))
    except ValidationError as error:
        raise ValueError("; ".join(_messages(error))) from error
    given = {name: value for name, value in checked if value is not None}
    for name in given.keys() & {"n_samples", "n_features", "n_inputs"}:
        given[name] = _counts(given[name], name)
    return given, {name: given.pop(name) for name in ("keep", "n_keep") if name in given}


def _counts(value: Any, name: str) -> Any:
    """Counts of the command line, which are text, as integers."""
    if isinstance(value, list):
        return [_counts(item, name) for item in value]
    return whole(value, name)


def _power_law(values: list[Any]) -> PowerLaw:
    if len(values) not in (2, 3):
        wanted = "[decay, signal_decay] or [decay, signal_decay, features]"
        raise ValueError(f"power_law must be {wanted}, got {quoted(values)}")
    decay, signal_decay = (one_number(value, "power_law") for value in values[:2])
    return PowerLaw(decay, signal_decay, *(_counts(value, "power_law features") for value in values[2:]))


# What is no number.
_WORDS = {"activation": "a name"}

# The continuous laws: class, how many numbers it takes, and how they are written.
_CONTINUOUS: dict[str, tuple[Callable[..., Law], tuple[int, ...], str]] = {
    "marchenko_pastur": (MarchenkoPastur, (1,), "one number, the ratio"),
    "uniform": (Uniform, (2,), "[low, high]"),
    "beta": (Beta, (2, 4), "[a, b] or [a, b, low, high]"),
}


def _continuous(name: str, given: dict[str, Any]) -> Law:
    """The law of that name, whose keys leave `given`."""
    law, sizes, wanted = _CONTINUOUS[name]
    _leave_out(f"the law {name}", given.keys() & {"eigenvalues", "coefficients", "weights"})
    value = given.pop(name)
    values = value if isinstance(value, list) else [value]
    if len(values) not in sizes or any(isinstance(item, list) for item in values):
        raise ValueError(f"{name} must be {wanted}, got {quoted(value)}")
    return law(*values, **{key: given.pop(key) for key in ("signal", "signal_power") if key in given})


def _messages(error: ValidationError) -> list[str]:
    """One message per wrong key, without the branches of a union that did not match."""
    messages: dict[str, str] = {}
    for detail in error.errors():
        key = str(detail["loc"][0])
        if detail["type"] == "extra_forbidden":
            messages[key] = f"unknown key {quoted(key)}; known keys are {', '.join(ProblemFile.model_fields)}"
        else:
            wanted = "an integer" if key.startswith("n_") else _WORDS.get(key, "a number or a list of numbers")
            messages.setdefault(key, f"{key} must be {wanted}, got {quoted(detail['input'])}")
    return list(messages.values())
