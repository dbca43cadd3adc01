"""The command `plot`: a picture of what other commands wrote."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import click

import riskcalc as rc
from riskcalc.command.options import FILE, OUTPUT
from riskcalc.exact import numbers
from riskcalc.files import read_bytes
from riskcalc.lookup import look_up
from riskcalc.pictures.pictured import Pictured, check_asked
from riskcalc.quoting import printable
from riskcalc.results.labelled import extra
from riskcalc.text import read_text

# How a netCDF begins: classic, and of HDF5.
_CLASSIC, _HDF5 = b"CDF", b"\x89HDF"
_WORDS = ("model", "label")


@click.command()
@click.argument("file", type=FILE)
@click.option("--output", type=OUTPUT, required=True, help="The picture: a .png, .svg or .pdf.")
@click.option("--kind", help="Of a sweep: risk, training, phase or agreement; by its axes if left out.")
@click.option("--model", "models", multiple=True, help="Of a sweep: show this one; several name several.")
@click.option("--simulated", type=FILE, help="Of a sweep: another one, whose simulations are shown.")
@click.option("--columns", type=click.IntRange(1, 2), default=1, show_default=True, help="Its width in print.")
def plot(
    file: Path, output: Path, kind: str | None, models: tuple[str, ...], simulated: Path | None, columns: int
) -> None:
    """Draw FILE: the netCDF of a sweep, or what another command wrote with --json."""
    check_asked(None, columns, output)
    given: dict[str, Any] = {"kind": kind, "models": [*models] or None, "simulated": simulated}
    found = _read(file)
    if isinstance(found, Pictured):
        if (name := next((name for name, value in given.items() if value is not None), None)) is not None:
            raise ValueError(f"--{name.removesuffix('s')} is of sweeps, and {printable(str(file))} is one result")
        found.plot(columns=columns, path=output)
        return
    other = None if simulated is None else _read(simulated)
    if isinstance(other, Pictured):
        raise ValueError(f"{printable(str(simulated))} is no netCDF of a sweep")
    rc.plot(found, kind, given["models"], simulated=other, columns=columns, path=output)


def _read(path: Path) -> Any:
    """A dataset, or a result that has a picture; ValueError for any other file."""
    raw = read_bytes(path)
    if raw.startswith((_CLASSIC, _HDF5)):
        engine = "scipy" if raw.startswith(_CLASSIC) else "h5netcdf"
        xarray = extra("xarray")
        try:
            return xarray.load_dataset(BytesIO(raw), engine=engine)
        except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, ImportError) as error:
            raise ValueError(f"cannot read {printable(str(path))}: {error}") from error
    try:
        told = json.loads(read_text(path))
    except ValueError as error:
        raise ValueError(
            f"{printable(str(path))} is neither the netCDF of a sweep nor JSON of a result: {error}"
        ) from error
    if isinstance(told, dict) and "data_vars" in told:
        return _dataset(told, path)
    if not isinstance(told, dict) or not isinstance(told.get("kind"), str):
        raise ValueError(f"{printable(str(path))} is JSON, but of no result of riskcalc")
    kinds = {one.__name__: one for name in rc.__all__ if isinstance(one := getattr(rc, name), type)}
    pictured: dict[str, Any] = {name: one for name, one in kinds.items() if issubclass(one, Pictured)}
    try:
        return look_up(told["kind"], pictured, "result with a picture").from_dict(told)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{printable(str(path))}: {error}") from error


def _dataset(told: dict[str, Any], path: Path) -> Any:
    """Of a sweep, as it is written in JSON: numbers that JSON has not are words."""
    try:
        every = told["data_vars"] | {name: one for name, one in told["coords"].items() if name not in _WORDS}
        for one in every.values():
            one["data"] = numbers(one["data"])
        return extra("xarray").Dataset.from_dict(told)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{printable(str(path))} is JSON, but of no sweep: {error}") from error
