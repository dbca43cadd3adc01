"""The command that sweeps a grid: grids as text, where cells are computed, and what is printed of a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import numpy as np

import riskcalc as rc
from riskcalc.command.options import (
    OUTPUT,
    items,
    problem_options,
    question_of,
    refuse_budget,
    score_of,
    score_options,
    tolerance_option,
)
from riskcalc.command.output import show, watched
from riskcalc.exact import as_fractions, exact_array, plain, whole
from riskcalc.inert import signed
from riskcalc.questions.axes import BUDGETS, COUNTS, FIXES
from riskcalc.quoting import printable, quoted
from riskcalc.results.labelled import extra
from riskcalc.results.tables import Column, Shown, Table, number
from riskcalc.simulation.estimates import with_error

# Seconds that a scheduler may take to answer.
PATIENCE = 10


@click.command()
@click.option(
    "--over",
    multiple=True,
    required=True,
    metavar="NAME=GRID",
    help="What is varied: a list such as keep=1/100,1/10, or LOW:HIGH:COUNT, evenly spaced, or LOW:HIGH:COUNT:log. "
    "Several make a grid of every value with every other.",
)
@click.option("--model", "models", multiple=True, metavar="NAME", help="Such as hessian+retrain; those of compare.")
@click.option("--quantity", "quantities", multiple=True, metavar="NAME", help="Such as training_error; the risk.")
@click.option("--fix", type=click.Choice(FIXES), default=FIXES[0], help="What is held when n_features changes.")
@click.option("--trials", type=click.IntRange(0), default=0, help="Also simulate every cell, so many times.")
@click.option("--size", type=int, help="Rows of a simulated sample; 200 of an aspect ratio, if left out.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Of simulations and drawn predictions.")
@click.option("--workers", type=click.IntRange(1), help="Processes; as many as there are processors, if left out.")
@click.option("--scheduler", metavar="ADDRESS", help="Of a Dask cluster that simulates, such as tcp://host:8786.")
@click.option("--output", type=OUTPUT, metavar="FILE.nc", help="Write netCDF, with finished cells beside it.")
@tolerance_option
@score_options
@problem_options
def sweep(
    over: tuple[str, ...],
    models: tuple[str, ...],
    quantities: tuple[str, ...],
    fix: str,
    trials: int,
    size: int | None,
    seed: int,
    workers: int | None,
    scheduler: str | None,
    output: Path | None,
    tolerance: float | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Predict, and simulate, models over a grid of problems and budgets; say where the risk of each is least.

    What was ended goes on from where it was when it is asked for again.
    """
    grids = dict(map(_axis, over))
    if len(grids) < len(over):
        raise ValueError(f"--over names an axis twice: {', '.join(text.partition('=')[0] for text in over)}")
    own = score_of(options)
    if budgets := [name for name in BUDGETS if name in grids]:
        refuse_budget(options, f"--over {budgets[0]} says what is kept; leave it out")
    asked = question_of(options)
    what = [*models, *own, *dict.fromkeys(("risk", *quantities))]
    given = {} if budgets else asked.budget
    settings = {"trials": trials, "n_samples": size, "seed": seed, "tolerance": tolerance, "workers": workers}
    with _cluster(scheduler) as executor:
        found = rc.sweep(
            asked.problem, grids, what, fix=fix, **given, **settings, executor=executor, path=output, progress=watched()
        )
    show(Least(found, output), as_json)


def _axis(text: str) -> tuple[str, Any]:
    """An axis and its grid, exact where its ends are."""
    name, found, values = text.partition("=")
    name = name.strip().replace("-", "_")
    if not found:
        raise ValueError(f"--over must be NAME=GRID, such as keep=1/100,1/10, got {quoted(text)}")
    return name, _spaced(name, values.split(":")) if ":" in values else [_number(name, one) for one in items(values)]


def _number(name: str, text: str) -> Any:
    return whole(text, name) if name in COUNTS else text


def _spaced(name: str, parts: list[str]) -> Any:
    """Evenly spaced values from the lowest to the highest, or their logarithms; counts are rounded to whole ones."""
    low, high, *rest = parts
    if len(rest) not in (1, 2) or rest[1:] not in ([], ["log"]):
        raise ValueError(f"--over {name} must be LOW:HIGH:COUNT or LOW:HIGH:COUNT:log, got {quoted(':'.join(parts))}")
    number = whole(rest[0], f"the number of values of {name}")
    begin, end = (as_fractions(exact_array(one, name)).item() for one in (low, high))
    if number < 2 or not begin < end:
        raise ValueError(f"--over {name} must be two values or more, from low to high, got {quoted(':'.join(parts))}")
    if rest[1:]:
        if begin <= 0:
            raise ValueError(f"--over {name} must begin above 0 to be spaced by logarithms, got {quoted(low)}")
        values: Any = np.geomspace(float(begin), float(end), number)
    else:
        values = [begin + (end - begin) * Fraction(place, number - 1) for place in range(number)]
    return sorted({round(value) for value in values}) if name in COUNTS else values


@contextmanager
def _cluster(address: str | None) -> Iterator[Any]:
    """A client of the scheduler there, if one is named; ValueError if none answers."""
    if address is None:
        yield None
        return
    distributed = extra("distributed", "dask")
    try:
        distributed.comm.get_address_host_port(address, strict=True)  # or else a client waits for what cannot be
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(
            f"no Dask scheduler answers at {quoted(address)} (waited up to {PATIENCE} s): give its address, "
            "such as tcp://host:8786"
        ) from error
    with client:
        yield client


@dataclass(frozen=True)
class Least(Shown):
    """Where each model of a dataset does best: what is printed of a sweep.

    Attributes
    ----------
    dataset : xarray.Dataset
    output : Path or None
        Where it was written.
    """

    dataset: Any
    output: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """The dataset as plain values."""
        return signed(plain(self.dataset.to_dict(data="array")))

    def _parts(self) -> list[Table | str]:
        found, axes = self.dataset, [name for name in self.dataset.risk.dims if name != "model"]
        simulated = ["simulated risk"] if "simulated_risk" in found else []
        rows = [self._row(found.sel(model=model), axes) for model in found.model.values]
        columns = [Column("model", words=True), *map(Column, (*axes, "risk", *simulated))]
        size = " x ".join(str(found.sizes[name]) for name in axes)
        notes = [] if self.output is None else [f"Wrote {printable(str(self.output))}."]
        return [Table(f"where the predicted test risk is least, of {size} regimes", columns, rows, notes=notes)]

    def _row(self, found: Any, axes: list[str]) -> list[str]:
        risks = found.risk.where(np.isfinite(found.risk))
        label = str(found.label.item())
        if not risks.notnull().any():
            return [label, *[""] * len(axes), "none is finite", *[""] * ("simulated_risk" in found)]
        best = found.isel(risks.argmin(axes))
        simulated = []
        if "simulated_risk" in found:
            simulated.append(with_error(best.simulated_risk.item(), best.simulated_risk_stderr.item()))
        return [label, *(number(best[name].item()) for name in axes), number(best.risk.item()), *simulated]
