"""Results that are looked at: their panels, on given axes, on a figure of their own, or in a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from riskcalc.files import check_output
from riskcalc.pictures.declared import Panel
from riskcalc.pictures.style import FORMATS, SETTINGS, WIDTHS
from riskcalc.quoting import printable
from riskcalc.results.labelled import extra


class Pictured(ABC):
    """A result that has a picture."""

    @abstractmethod
    def _panels(self) -> Sequence[Panel]:
        """What the picture shows."""

    def plot(self, ax: Any = None, *, columns: int = 1, path: Any = None) -> Any:
        """Draw it by matplotlib, an extra: ``pip install 'riskcalc[plot]'``.

        Parameters
        ----------
        ax : matplotlib Axes, or an array of them, optional
            To draw on; on a new figure of pyplot if not given.
        columns : 1 or 2
            The width of a new figure: of one column in print (3.35 inches), or of two (6.9).
        path : path, optional
            A file to write, a .png (300 dots per inch), .svg or .pdf; nothing then stays open.

        Returns
        -------
        Axes, or ndarray of Axes
            One for each panel.

        Raises
        ------
        ValueError
            If the file cannot be written, or what is asked for has no picture.
        ImportError
            Without matplotlib.
        """
        check_asked(ax, columns, path)
        return plot_panels(self._panels(), ax, columns, path)


def check_asked(ax: Any, columns: int, path: Any) -> None:
    """ValueError for an output that cannot be made, before the work."""
    if columns not in WIDTHS:
        raise ValueError(f"columns must be 1 or 2, got {columns!r}")
    if path is None:
        return
    if ax is not None:
        raise ValueError("path is of a picture of its own; save the figure of your axes by ax.figure.savefig")
    if Path(path).suffix.lower() not in FORMATS:
        raise ValueError(f"a picture is a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file, got {printable(str(path))}")
    check_output(Path(path))


def plot_panels(panels: Sequence[Panel], ax: Any, columns: int, path: Any) -> Any:
    """Draw panels; see `Pictured.plot`."""
    matplotlib = extra("matplotlib", "plot")
    from riskcalc.pictures.draw import draw, size

    with matplotlib.rc_context(SETTINGS):
        figure = None
        if ax is None:
            figure = _figure(size(panels, columns), path is None)
            shape = (1, len(panels)) if columns > 1 else (len(panels), 1)
            ax = figure.subplots(*shape, squeeze=False)
        several = np.ravel(np.asarray(ax, dtype=object))
        if len(several) != len(panels):
            raise ValueError(f"the picture has {len(panels)} panels; give as many axes, got {len(several)}")
        for panel, axes in zip(panels, several, strict=True):
            width = axes.get_figure(root=True).get_size_inches()[0] / axes.get_gridspec().ncols
            draw(panel, axes, width)
        if figure is not None and path is not None:
            figure.savefig(path)
    return several[0] if len(panels) == 1 else several


def _figure(size: tuple[float, float], shown: bool) -> Any:
    """One that pyplot knows and shows; or one that nothing holds."""
    if shown:
        return import_module("matplotlib.pyplot").figure(figsize=size, layout="constrained")
    return import_module("matplotlib.figure").Figure(figsize=size, layout="constrained")
