"""Panels, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from importlib import import_module
from textwrap import fill
from typing import Any

import numpy as np

from riskcalc.pictures.declared import (
    Area,
    Band,
    Bars,
    Border,
    Line,
    Panel,
    Points,
    Region,
    Rule,
    Scale,
    Stems,
    Text,
    plain,
)
from riskcalc.pictures.style import SOLID, WEAK, WIDTHS, fill_of, look_of

# Of a logarithmic axis that spans less than this, every tick has a plain number.
PLAIN_SPAN = 200.0
GREY = "0.45"
# Inches: of a letter, of what stands before a name in a legend, of a line.
LETTER, HANDLE, LINE = 0.058, 0.45, 0.15
NARROWEST = 12  # letters of a line, however narrow the axes
# Of a line, where a label is tried, and how straight it must be: the way between two places over that along it.
MOST_PLACES, STRAIGHT = 64, 0.95


def draw(panel: Panel, axes: Any, width: float) -> None:
    """Draw a panel on matplotlib's axes, which with their labels are so many inches wide."""
    _scale(axes.xaxis, panel.x)
    _scale(axes.yaxis, panel.y)
    borders = [mark for mark in panel.marks if isinstance(mark, Border)]
    for mark in panel.marks:
        if not isinstance(mark, Border):
            _draw(mark, axes)
    for axis, scale in ((axes.xaxis, panel.x), (axes.yaxis, panel.y)):
        _limit(axis, scale)
    _legend(panel, axes, width)
    if borders:
        axes.figure.figure.draw_without_rendering()  # labels stand on lines as these are in the end
    for mark in borders:
        _draw(mark, axes)


def _scale(axis: Any, scale: Scale) -> None:
    axis.set_label_text(scale.label)
    if scale.log:
        getattr(axis.axes, f"set_{axis.axis_name}scale")("log")
    if scale.rows:
        places, several = zip(*scale.rows, strict=True)
        axis.set_ticks(places, [plain(name) for name in several])
        axis.axes.tick_params(axis=axis.axis_name, length=0)


def _limit(axis: Any, scale: Scale) -> None:
    """Limits, and ticks that can be read at them."""
    limits = getattr(axis.axes, f"set_{axis.axis_name}lim")
    if scale.rows:
        limits(scale.rows[-1][0] + 0.6, scale.rows[0][0] - 0.6)
    elif scale.limits is not None:
        limits(*scale.limits)
    low, high = axis.get_view_interval()
    if scale.log:
        ticker = import_module("matplotlib.ticker")
        if high / low < PLAIN_SPAN:
            subs = [1, 2, 5] if high / low > 4 else [1, 1.5, 2, 3, 4, 5, 7]
            axis.set_major_locator(ticker.LogLocator(subs=subs))
            axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(ticker.NullFormatter())


def _labels(panel: Panel, width: float) -> list[str]:
    """What the legend explains, in lines that axes have room for which with their labels are so many inches wide."""
    marks = (mark for mark in panel.marks if not isinstance(mark, (Rule, Text, Border)))
    return [_wrapped(mark.label, panel, width) for mark in marks if mark.label]


def _wrapped(label: str, panel: Panel, width: float) -> str:
    return fill(label, max(NARROWEST, int((width - _beside(panel) - HANDLE) / LETTER)))


def _beside(panel: Panel) -> float:
    """Inches that names of rows, or numbers, take at the left of a panel."""
    return LETTER * max((len(line) for _, name in panel.y.rows for line in name.split("\n")), default=8)


def _legend_columns(panel: Panel, width: float) -> int:
    labels = _labels(panel, width)
    longest = max((len(line) for label in labels for line in label.split("\n")), default=1)
    return max(1, min(int((width - _beside(panel)) / (longest * LETTER + HANDLE)), len(labels)))


def _above(panel: Panel, width: float) -> float:
    """Inches of what stands above the axes of a panel."""
    columns, labels = _legend_columns(panel, width), _labels(panel, width)
    rows = -(-len(labels) // columns) + sum(label.count("\n") for label in labels)
    title = panel.title.count("\n") + 1 if panel.title else 0
    return LINE * (rows + title + any(isinstance(mark, Rule) and bool(mark.label) for mark in panel.marks))


def _legend(panel: Panel, axes: Any, width: float) -> None:
    """Above the panel, where it hides nothing; the title stands over it."""
    handles, labels = axes.get_legend_handles_labels()  # also of what stood there before
    if not handles:
        axes.set_title(panel.title, loc="left")
        return
    told = any(isinstance(mark, Rule) and mark.label and mark.axis == "x" for mark in panel.marks)
    own = {mark.label for mark in panel.marks if not isinstance(mark, Text)}  # which have no math; others may
    axes.legend(
        handles,
        [plain(text) if label in own else text for label in labels for text in [_wrapped(label, panel, width)]],
        loc="lower left",
        bbox_to_anchor=(0, 1, 1, 0),
        borderaxespad=1.4 if told else 0.3,
        borderpad=0,
        ncols=_legend_columns(panel, width),
        title=panel.title or None,
        alignment="left",
    )


@singledispatch
def _draw(mark: Any, axes: Any) -> None:
    raise TypeError(f"how {type(mark).__name__} is drawn is not registered")


@_draw.register
def _(mark: Line, axes: Any) -> None:
    look = look_of(mark.key)
    shown = np.isfinite(mark.y) & ((mark.y > 0) | (axes.get_yscale() != "log"))
    broken = np.where(shown, mark.y, np.nan)
    width, dashes = (0.9, WEAK[(mark.weak - 1) % len(WEAK)]) if mark.weak else (1.2, look.dashes)
    axes.plot(mark.x, broken, color=look.color, linestyle=dashes, linewidth=width, label=mark.label or None)
    beside = np.pad(np.isfinite(broken), 1)
    alone = beside[1:-1] & ~beside[:-2] & ~beside[2:]  # what no line would show
    axes.plot(mark.x[alone], broken[alone], linestyle="none", marker=".", color=look.color)


@_draw.register
def _(mark: Points, axes: Any) -> None:
    look = look_of(mark.key)
    hollow = np.broadcast_to(mark.hollow, np.shape(mark.x))
    label = mark.label
    for filled in (True, False):
        some = np.flatnonzero(hollow != filled)
        if not some.size:
            continue
        errors = [None if error is None else np.asarray(error)[some] for error in (mark.x_error, mark.y_error)]
        axes.errorbar(
            np.asarray(mark.x)[some],
            np.asarray(mark.y)[some],
            xerr=errors[0],
            yerr=errors[1],
            linestyle="none",
            color=look.color,
            marker=look.marker,
            markerfacecolor=look.color if filled else "white",
            markeredgecolor=look.color,
            markeredgewidth=0.8,
            elinewidth=0.8,
            capsize=1.5,
            zorder=3,
            label=label or None,
        )
        label = ""


@_draw.register
def _(mark: Rule, axes: Any) -> None:
    style = {"color": GREY, "linewidth": 0.8, "linestyle": (0, (1, 1.5)) if mark.dotted else SOLID, "zorder": 0.5}
    if mark.axis == "x":
        axes.axvline(mark.at, **style)
        if mark.label:
            place = axes.get_xaxis_transform()
            axes.text(mark.at, 1.01, mark.label, transform=place, ha="center", va="bottom", fontsize=7, color="0.25")
    else:
        axes.axhline(mark.at, **style)
        if mark.label:
            place = axes.get_yaxis_transform()
            axes.text(1.01, mark.at, mark.label, transform=place, ha="left", va="center", fontsize=7, color="0.25")


@_draw.register
def _(mark: Band, axes: Any) -> None:
    span = axes.axvspan if mark.axis == "x" else axes.axhspan
    span(mark.low, mark.high, color="0.9", linewidth=0, zorder=0, label=mark.label)


@_draw.register
def _(mark: Area, axes: Any) -> None:
    color = look_of(mark.key).color
    axes.fill_between(mark.x, mark.low, mark.high, color=color, alpha=0.35, linewidth=0, label=mark.label)


@_draw.register
def _(mark: Stems, axes: Any) -> None:
    look = look_of(mark.key)
    axes.vlines(mark.x, 0, mark.y, color=look.color, linewidth=1, linestyle=look.dashes)
    axes.plot(mark.x, mark.y, look.marker, color=look.color, label=mark.label)


@_draw.register
def _(mark: Bars, axes: Any) -> None:
    color = str(0.92 - 0.5 * mark.shade)
    axes.barh(mark.rows, mark.end - mark.start, left=mark.start, height=0.5, color=color, label=mark.label, zorder=1)


@_draw.register
def _(mark: Text, axes: Any) -> None:
    place: dict[str, Any]
    if mark.centred:
        place = {"xy": (mark.x, mark.y), "xytext": (0, 0), "ha": "center", "fontweight": "bold"}
        place["path_effects"] = _outline()
    elif np.isfinite(mark.x):
        place = {"xy": (mark.x, mark.y), "xytext": (5, 0), "ha": "left"}
    else:
        place = {"xy": (1, mark.y), "xycoords": axes.get_yaxis_transform(), "xytext": (-2, 0), "ha": "right"}
    axes.annotate(plain(mark.text), **place, textcoords="offset points", va="center_baseline", fontsize=7)


@_draw.register
def _(mark: Region, axes: Any) -> None:
    """As far as lines between the points of the grid say, and below that cell by cell, which leaves no gap."""
    color = fill_of(mark.key)
    if (mark.above > 0).any():
        cells = np.ma.masked_where(~(mark.above > 0), mark.above)
        only = import_module("matplotlib.colors").ListedColormap([color])
        axes.pcolormesh(mark.x, mark.y, cells, cmap=only, shading="nearest", rasterized=True, zorder=-1)
        axes.contourf(mark.x, mark.y, np.ma.masked_invalid(mark.above), levels=[0, np.inf], colors=[color], zorder=0)
    if mark.label:
        axes.fill_between([], [], [], color=color, linewidth=0, label=mark.label)


@_draw.register
def _(mark: Border, axes: Any) -> None:
    lines = axes.contour(mark.x, mark.y, np.ma.masked_invalid(mark.above), levels=[0], colors="black", linewidths=1)
    place = _middle(lines.allsegs[0], axes, LETTER * len(mark.label) * axes.figure.figure.dpi)
    if place is not None:
        texts = axes.clabel(lines, fmt={0: mark.label}, fontsize=7, inline_spacing=3, manual=[place])
        for text in texts:
            text.set_path_effects(_outline())


def _middle(parts: Sequence[np.ndarray], axes: Any, room: float) -> tuple[float, float] | None:
    """Where lines have room for a label of this half-width: in a straight stretch, far from what is marked and said."""
    marked = [line.get_xydata() for line in axes.lines if line.get_marker() != "None"]
    marked += [np.reshape(getattr(text, "xy", text.get_position()), (1, 2)) for text in axes.texts]
    markers = [axes.transData.transform(some) for some in marked]
    best, found = 0.0, None
    for part in filter(len, parts):
        points = axes.transData.transform(part)
        along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
        places = np.linspace(room, along[-1] - room, MOST_PLACES) if along[-1] > 2 * room else np.zeros(0)
        at, before, after = (_at(points, along, places + step) for step in (0, -room, room))
        straight = np.hypot(*(after - before).T) / (2 * room)
        free = np.minimum(places, along[-1] - places)
        for some in markers:
            free = np.minimum(free, np.linalg.norm(at[:, None] - some[None], axis=2).min(axis=1))
        worth = np.where(straight > STRAIGHT, straight**16 * np.minimum(free, 1.2 * room), 0)
        if worth.size and worth.max() > best:
            best, found = float(worth.max()), at[worth.argmax()]
    return None if found is None else tuple(axes.transData.inverted().transform(found).tolist())


def _at(points: np.ndarray, along: np.ndarray, places: np.ndarray) -> np.ndarray:
    return np.stack([np.interp(places, along, column) for column in points.T], axis=-1)


def _outline() -> list[Any]:
    """White around letters, which are read on any colour."""
    return [import_module("matplotlib.patheffects").withStroke(linewidth=2, foreground="white")]


def size(panels: Sequence[Panel], columns: int) -> tuple[float, float]:
    """Width and height in inches of a picture of panels, side by side on two columns, and else below each other."""
    width, several = WIDTHS[columns], len(panels) if columns > 1 else 1
    heights = [panel.height + _above(panel, width / several) for panel in panels]
    return width, max(heights) if several > 1 else sum(heights)
