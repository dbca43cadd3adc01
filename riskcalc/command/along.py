"""Commands about a number that is varied: where models cross, are best, and peak."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

import riskcalc as rc
from riskcalc.command.options import (
    digits_option,
    fix_option,
    items,
    problem_options,
    question_of,
    refuse_budget,
    seed_option,
    tolerance_option,
)
from riskcalc.command.output import show
from riskcalc.questions.axes import BUDGETS


def _line_options(over: str) -> Callable[[Callable], Callable]:
    """Give a command the options that say along what it looks, and where."""

    def given(command: Callable) -> Callable:
        for option in (
            problem_options,
            digits_option,
            seed_option,
            tolerance_option,
            fix_option,
            click.option("--within", metavar="LOW,HIGH", help="The interval, ends included."),
            click.option("--over", metavar="NAME", default=over, show_default=True, help="The number that is varied."),
        ):
            command = option(command)
        return command

    return given


def _asked(options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The problem, and the arguments about its line, taken out of the options."""
    names = ("over", "within", "fix", "digits", "tolerance", "seed")
    line = {name: options.pop(name) for name in names}
    if line["within"] is None:
        del line["within"]
    else:
        line["within"] = items(line["within"])
    if line["over"] in BUDGETS:
        refuse_budget(options, f"--over {line['over']} varies it; leave it out")
    asked = question_of(options)
    return asked.problem, line | ({} if line["over"] in BUDGETS else asked.budget)


@click.command()
@click.option("--between", multiple=True, metavar="MODEL", help="Twice: the models; hessian and small if left out.")
@_line_options("aspect_ratio")
def crossover(between: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Find where the test risks of two models cross, along a number of the problem or along the budget."""
    problem, line = _asked(options)
    models: dict[str, Any] = {"between": between} if between else {}
    show(rc.crossover(problem, **models, **line), as_json)


@click.command()
@click.option("--model", metavar="MODEL", default="dense", show_default=True, help="As comparisons name it.")
@_line_options("ridge")
def optimum(model: str, as_json: bool, **options: Any) -> None:
    """Find where the test risk of a model is least: its best ridge, budget, or number of features."""
    problem, line = _asked(options)
    show(rc.optimum(problem, model=model, **line), as_json)


@click.command()
@click.option(
    "--model", metavar="MODEL", default=rc.Magnitude.name, show_default=True, help="As a comparison names it."
)
@_line_options("aspect_ratio")
def peak(model: str, as_json: bool, **options: Any) -> None:
    """Find where the test risk of a model is larger than beside it: the peaks of its double descent."""
    problem, line = _asked(options)
    show(rc.peak(problem, model=model, **line), as_json)


COMMANDS = (crossover, optimum, peak)
