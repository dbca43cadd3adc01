"""What a picture shows, as data: panels of lines, points, bars and regions on named axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


def plain(text: str) -> str:
    """Text that may hold dollar signs, which would begin math."""
    return text.replace("$", r"\$")


@dataclass(frozen=True)
class Scale:
    """An axis of a panel.

    Attributes
    ----------
    label : str
        What it measures, in words, with its symbol in math where there is one.
    log : bool
    rows : sequence of (float, str)
        Places and names of the rows of an axis that has them in place of numbers; from the top down.
    limits : pair of float or None
        As the marks need it, where None.
    """

    label: str
    log: bool = False
    rows: Sequence[tuple[float, str]] = ()
    limits: tuple[float, float] | None = None


@dataclass(frozen=True)
class Line:
    """A curve of the model called `key`, which decides how it looks; broken where y is not finite."""

    x: np.ndarray
    y: np.ndarray
    label: str
    key: str
    weak: int = 0  # above 0, what is said beside the main thing: the first such line, the second, ...


@dataclass(frozen=True)
class Points:
    """Points with error bars, of half the length given; hollow where something is not sure."""

    x: np.ndarray
    y: np.ndarray
    key: str
    label: str = ""
    x_error: np.ndarray | None = None
    y_error: np.ndarray | None = None
    hollow: np.ndarray | bool = False


@dataclass(frozen=True)
class Rule:
    """A straight line across the panel, at one value of an axis ("x" or "y")."""

    at: float
    label: str = ""
    axis: str = "x"
    dotted: bool = True


@dataclass(frozen=True)
class Band:
    """A strip across the panel, between two values of an axis."""

    low: float
    high: float
    label: str
    axis: str = "x"


@dataclass(frozen=True)
class Area:
    """What lies between two curves over x."""

    x: np.ndarray
    low: np.ndarray
    high: np.ndarray
    label: str
    key: str


@dataclass(frozen=True)
class Stems:
    """Masses at points."""

    x: np.ndarray
    y: np.ndarray
    label: str
    key: str


@dataclass(frozen=True)
class Bars:
    """Parts of rows: bars from `start` to `end`, shaded by `shade` from 0 (light) to 1 (dark)."""

    rows: np.ndarray
    start: np.ndarray
    end: np.ndarray
    label: str
    shade: float


@dataclass(frozen=True)
class Text:
    """Words at the right of a point, or on it; where x is infinite, at the end of the panel."""

    x: float
    y: float
    text: str
    centred: bool = False


@dataclass(frozen=True)
class Region:
    """Where something holds: where `above` is positive, over the grid of x and y, shape (len(y), len(x))."""

    x: np.ndarray
    y: np.ndarray
    above: np.ndarray
    label: str
    key: str


@dataclass(frozen=True)
class Border:
    """The line on which `above` is zero, over the grid of x and y; not drawn where it is nan. Labelled on the line."""

    x: np.ndarray
    y: np.ndarray
    above: np.ndarray
    label: str


Mark = Line | Points | Rule | Band | Area | Stems | Bars | Text | Region | Border


@dataclass(frozen=True)
class Panel:
    """One pair of axes with what is on it.

    Attributes
    ----------
    x, y : Scale
    marks : sequence of Mark
    title : str
        Only where several panels stand side by side, or where the picture needs a word.
    height : float
        In inches, without what stands above the axes.
    """

    x: Scale
    y: Scale
    marks: Sequence[Mark] = field(default_factory=tuple)
    title: str = ""
    height: float = 2.4
