"""Predictions and comparisons as tables for people (rich)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

if TYPE_CHECKING:
    from riskcalc.comparison import Comparison
    from riskcalc.prediction import Prediction
    from riskcalc.problems import LinearGaussian

# Longer batches are cut, with a line that says so.
MOST_ROWS = 24

_LABELS = {
    "dense": "dense, all features",
    "small": "small, on the best features",
    "magnitude": "pruned by magnitude",
    "hessian": "pruned by Hessian score",
    "oracle": "pruned by oracle",
    "random": "pruned at random",
}
_NOTES = {"dense": "reference: over the budget", "oracle": "reference: sees the true coefficients"}


def to_text(parts: Iterable[RenderableType]) -> str:
    """Render tables and lines as plain text, as wide as they are."""
    console = Console(width=240, color_system=None, highlight=False)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    return "\n".join(line.rstrip() for line in capture.get().strip("\n").split("\n"))


def number(value: Any, digits: int | None = None) -> str:
    """A number as a table shows it: five significant digits, or as many as were asked for."""
    if value is None:
        return ""
    return str(mpmath.nstr(value, digits)) if digits else f"{float(value):.5g}"


def prediction_lines(prediction: Prediction) -> list[RenderableType]:
    """One row per quantity, or per regime of a batch."""
    names = ("risk", "excess_risk", "dense_risk", "training_error", "threshold", "effective_ridge", "status")
    columns = {name: getattr(prediction, name) for name in names if getattr(prediction, name) is not None}

    def text(name: str, value: Any) -> str:
        return str(value) if name == "status" else number(value, prediction.digits)

    if np.ndim(prediction.risk) == 0:
        table = _table(_LABELS[prediction.model], ("quantity", "value"))
        for name, value in columns.items():
            table.add_row(name.replace("_", " "), text(name, value))
        return [table]
    keep = None if prediction.prune is None else prediction.prune.fraction_kept(prediction.problem.n_features)
    inputs = _inputs(prediction.problem, keep, np.shape(prediction.risk))
    table = _table(_LABELS[prediction.model], (*inputs, *(name.replace("_", " ") for name in columns)), left=0)
    flat = {name: np.ravel(value) for name, value in columns.items()}
    rows = (
        [number(column[i]) for column in inputs.values()] + [text(name, column[i]) for name, column in flat.items()]
        for i in range(np.size(prediction.risk))
    )
    return _filled(table, rows, np.size(prediction.risk))


def comparison_lines(comparison: Comparison) -> list[RenderableType]:
    """A table of models and a sentence on who wins; for a batch, one row per regime."""
    if np.ndim(comparison.margin) == 0:
        return [_one_regime(comparison), *_verdict(comparison), *_note(comparison)]
    shape, digits = np.shape(comparison.margin), comparison.digits
    columns = _inputs(comparison.problem, comparison.keep, shape)
    risks = {model: np.ravel(risk) for model, risk in comparison.risks.items()}
    best, margin = np.ravel(comparison.best), np.ravel(comparison.margin)
    table = _table("predicted test risk", (*columns, *risks, "best", "by"), left=0)
    rows = (
        [number(column[i]) for column in columns.values()]
        + [number(risk[i], digits) for risk in risks.values()]
        + [best[i] or "", number(margin[i], digits)]
        for i in range(best.size)
    )
    return [*_filled(table, rows, best.size), *_note(comparison)]


def _inputs(problem: LinearGaussian, keep: np.ndarray | None, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """What tells the regimes of a batch apart: the aspect ratio, the budget, and whatever else varies."""
    given = {"p/n": problem.aspect_ratio, "noise": problem.noise_variance, "ridge": problem.ridge, "keep": keep}
    shown = {
        name: value
        for name, value in given.items()
        if value is not None and (name in ("p/n", "keep") or np.size(value) > 1)
    }
    return {name: np.broadcast_to(value, shape).ravel() for name, value in shown.items()}


def _table(title: str, columns: Iterable[str], left: int = 1) -> Table:
    """An empty table; the first `left` columns are text."""
    table = Table(title=title, title_justify="left", title_style="", box=box.SIMPLE)
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i < left else "right", no_wrap=True)
    return table


def _filled(table: Table, rows: Iterable[list[str]], count: int) -> list[RenderableType]:
    for _, row in zip(range(MOST_ROWS), rows, strict=False):
        table.add_row(*row)
    return [table] if count <= MOST_ROWS else [table, f"the first {MOST_ROWS} of {count} regimes"]


def _one_regime(comparison: Comparison) -> Table:
    ratio, keep = (number(value[()]) for value in (comparison.problem.aspect_ratio, comparison.keep))
    table = _table(
        f"predicted test risk, {ratio} features per sample, keeping {keep} of them",
        ("model", "test risk", "excess risk", "training error"),
    )
    table.add_column("", justify="left", no_wrap=True)
    for model, prediction in comparison.predictions.items():
        notes = ["best" if model == comparison.best else _NOTES.get(model, "")]
        if prediction.status != "ok":
            notes.append(prediction.status.replace("_", " "))
        values = (prediction.risk, prediction.excess_risk, prediction.training_error)
        table.add_row(
            _LABELS[model], *(number(value, comparison.digits) for value in values), ", ".join(filter(None, notes))
        )
    return table


def _note(comparison: Comparison) -> list[str]:
    return list(filter(None, [comparison.problem.law.note]))


def _verdict(comparison: Comparison) -> list[str]:
    if comparison.best is None:
        return ["No model that meets the budget has a finite risk."]
    by = f", by {number(comparison.margin, comparison.digits)}" if comparison.margin == comparison.margin else ""
    beats = "beats" if comparison.prune_beats_small else "does not beat"
    return [
        f"Best within the budget: {_LABELS[comparison.best]}{by}.",
        f"Pruning the large model {beats} training the small one.",
    ]
