"""Curves of errors over one number: breaks where they are infinite, simulations beside them, scales that suit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskcalc.pictures.declared import Line, Mark, Panel, Points, Rule, Scale, plain

# What can be varied: in words, and its symbol in math.
AXES = {
    "aspect_ratio": ("features per sample", r"\kappa = p/n"),
    "n_samples": ("samples", "n"),
    "n_features": ("features", "p"),
    "n_inputs": ("inputs", "d"),
    "noise_variance": ("noise variance", r"\sigma^2"),
    "ridge": ("ridge penalty", r"\lambda"),
    "keep": ("fraction kept", r"\alpha = s/p"),
    "n_keep": ("features kept", "s"),
}
# Errors that span more than this are on a logarithmic scale; of a peak, so many times what is usual is shown.
DECADE, PEAK = 10.0, 12.0


@dataclass(frozen=True)
class Curve:
    """Errors of one model along an axis, in increasing order; infinite where there is a break."""

    key: str
    label: str
    x: np.ndarray
    y: np.ndarray
    weak: int = 0


def axis_scale(name: str, values: np.ndarray) -> Scale:
    """The axis of what is varied; logarithmic where the values are a geometric series rather than an arithmetic one."""
    words, symbol = AXES.get(name, (plain(name.replace("_", " ")), ""))
    return Scale(f"{words}, ${symbol}$" if symbol else words, log=_geometric(np.asarray(values, float)))


def _geometric(values: np.ndarray) -> bool:
    if values.size < 3 or values.min() <= 0 or values.max() < DECADE / 2 * values.min():
        return False
    steps, ratios = np.diff(values), np.diff(np.log(values))
    return bool(np.ptp(ratios) / ratios.mean() < np.ptp(steps) / steps.mean())


def error_scale(label: str, numbers: Sequence[Any]) -> Scale:
    """The axis of errors; peaks far above what is usual are cut, and so are errors far below."""
    several = [np.ravel(np.asarray(one, float)) for one in numbers]
    several = [one[np.isfinite(one) & (one > 0)] for one in several]
    several = [one for one in several if one.size]
    if not several:
        return Scale(label, limits=(0, 1))
    low, high = min(one.min() for one in several), max(one.max() for one in several)
    usual = [float(np.median(one)) for one in several]
    low, high, peaked = max(low, min(usual) / PEAK), min(high, PEAK * max(usual)), high > PEAK * max(usual)
    if high > DECADE * low:
        return Scale(label, log=True, limits=(low / 1.25, high * (1 if peaked else 1.25)))
    room = 0.06 * (high - low) or 0.1 * high
    return Scale(label, limits=(max(low - room, 0), high if peaked else high + room))


def dots_scale(label: str, values: np.ndarray, start: float = 0.0) -> Scale:
    """An axis of dots with their numbers beside them, from where they start."""
    known = values[np.isfinite(values)]
    if not known.size or known.max() <= start:
        return Scale(label, limits=(start, start + 1))
    low, high = known.min(), known.max()
    if low > 0 and high > DECADE * low:
        return Scale(label, log=True, limits=(low / 1.3, high * max(high / low, 2) ** 0.3))
    return Scale(label, limits=(0.97 * start, high + 0.25 * (high - start)))


def curves_panel(
    name: str,
    curves: Sequence[Curve],
    rules: Sequence[Rule] = (),
    points: Sequence[Points] = (),
    y: str = "test risk",
    title: str = "",
) -> Panel:
    """Curves over what is called `name`, with their asymptotes, and simulations."""
    x = np.unique(np.concatenate([np.ravel(one.x) for one in (*curves, *points)]))
    lines = [Line(one.x, one.y, one.label, one.key, one.weak) for one in curves]
    at = {rule.at for rule in rules}
    gaps = {float(place) for one in curves for place in one.x[np.isinf(one.y)]} - at
    marks: list[Mark] = [*rules, *(Rule(place) for place in sorted(gaps)), *lines, *points]
    bars = [one.y + one.y_error for one in points if one.y_error is not None]
    return Panel(axis_scale(name, x), error_scale(y, [*(one.y for one in (*curves, *points)), *bars]), marks, title)
