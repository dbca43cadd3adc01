"""What a prediction is: the numbers of one model over a batch of regimes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, singledispatch
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from riskcalc.exact import count, matching_shapes, numbers, plain
from riskcalc.inert import Inert, check_keys
from riskcalc.policies import Policy, Procedure, Retrain
from riskcalc.prediction.row_law.heavy import heavy_rows
from riskcalc.prediction.status import CURES, NAMES, in_words
from riskcalc.problems import Problem
from riskcalc.problems.latex import results_latex
from riskcalc.results.finite_size import at_size, counted, off_limit
from riskcalc.results.labelled import to_dataset, to_frame
from riskcalc.results.quantities import QUANTITIES, Quantities, documented
from riskcalc.results.regimes import inputs
from riskcalc.results.tables import Column, Part, Shown, Table, cut, number

# What a prediction is written and read by; its model and budget follow from it.
_ASKED = ("problem", "prune", "retrain", "digits")


class Later(Protocol):
    """Computes what is not computed before it is asked for."""

    def kept(self, prediction: Prediction) -> np.ndarray:
        """See `Prediction.kept`."""
        ...

    def quadrature_error(self, prediction: Prediction) -> float | np.ndarray | None:
        """See `Prediction.quadrature_error`."""
        ...


@singledispatch
def later(problem: Problem, procedure: Procedure, digits: int | None) -> Later:
    """What computes the rest of a prediction that was read: `riskcalc.prediction.predict` registers it."""
    raise TypeError(f"problem must be a problem such as riskcalc.LinearGaussian, got {problem!r}")


@dataclass(frozen=True, eq=False)
class Prediction(Quantities, Shown, Inert):
    """Predicted risks of one model over a batch of regimes.

    All values have the batch's shape; a batch of shape () gives plain numbers. With `digits` they are mpf.

    Attributes
    ----------
    problem : Problem
    procedure : Procedure
        How the model is made; `prune` and `retrain` are its policy and its second fit, `model` its name.
    digits : int or None
    """

    problem: Problem
    procedure: Procedure
    digits: int | None
    values: Mapping[str, Any]
    _later: Later = field(repr=False)

    _read: ClassVar[Mapping[str, Any]] = {"problem": Problem, "prune": Policy, "retrain": Retrain}
    _follows: ClassVar[frozenset[str]] = frozenset({"model", "keep", "options"})

    def __reduce__(self) -> Any:
        return Prediction, (*self.given().values(), self._later)

    if not TYPE_CHECKING:  # to which `Quantities` says what there is

        def __getattr__(self, name: str) -> Any:
            if name in QUANTITIES and not hasattr(type(self), name):
                return self.values.get(name)
            return object.__getattribute__(self, name)  # raises as it did

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *QUANTITIES})

    @property
    def prune(self) -> Policy | None:
        """The policy; for "small", the oracle that chose its features."""
        return self.procedure.prune

    @property
    def retrain(self) -> Retrain | None:
        """The fit after pruning; for "small", the only one."""
        return self.procedure.retrain

    @property
    def model(self) -> str:
        """ "dense", "small", or the name of the policy."""
        return self.procedure.name

    @property
    def label(self) -> str:
        """The model in words."""
        return self.procedure.label

    @cached_property
    def kept(self) -> np.ndarray:
        """Fraction kept of each atom, shape (..., K); nan where there is no mask. Computed when first asked for."""
        return self._later.kept(self)

    @cached_property
    def quadrature_error(self) -> float | np.ndarray | None:
        """How far the risk is from those of coarser quadratures; None for a law of atoms, which has no such error.

        The largest difference from rules of two, two and a half, and three times fewer nodes. It estimates the error of
        the coarser rules, which is the larger: on the safe side, but for rounding. Where a ranking cuts a continuous
        law sharply (oracle and small; every policy where the fit has no noise) the error is of second order in 1/nodes
        and fluctuates with where the cut falls between two nodes, which is why one rule would not do; elsewhere it
        vanishes fast. nan where no risk is finite. A float whatever `digits`: more digits do not make it smaller, more
        nodes do. Computed when first asked for, by three more predictions.
        """
        return self._later.quadrature_error(self)

    @property
    def budget(self) -> np.ndarray | None:
        """The exact fraction kept; None for the dense fit."""
        return None if self.prune is None else self.procedure.budget(self.problem.n_features)

    def _shown(self) -> dict[str, Any]:
        """The quantities that exist, or that every prediction tells of."""
        found = {name: getattr(self, name) for name in QUANTITIES}
        return {name: value for name, value in found.items() if value is not None or QUANTITIES[name].always}

    def _digits(self, name: str) -> int | None:
        return self.digits if QUANTITIES[name].digits else None

    def _written(self, place: Any = None) -> dict[str, Any]:
        names = _ASKED if place is None else ("prune", "retrain")  # within another result, of its problem and digits
        asked = {name: self._plainly(name, getattr(self, name)) for name in names}
        found = {name: plain(value, self.digits) for name, value in self._shown().items()}
        return self._kind_at(place) | asked | self._derived() | found

    def _derived(self) -> dict[str, Any]:
        told = {"model": self.model, "keep": None if self.prune is None else plain(self.budget)}
        told |= {"options": {} if self.prune is None else self.prune.options}
        return {name: value for name, value in told.items() if value}

    @classmethod
    def _made(cls, given: dict[str, Any]) -> Prediction:
        check_keys(cls, given, (*_ASKED, *cls._follows, *QUANTITIES), (*_ASKED, "risk", "status"))
        problem, prune, retrain, digits = (cls._meant(name, given[name]) for name in _ASKED)
        procedure, digits = Procedure(prune, retrain), digits if digits is None else count(digits, "digits")
        told = {name: value for name, value in given.items() if name in QUANTITIES and value is not None}
        if wrong := [name for name, value in told.items() if isinstance(value, Mapping)]:
            raise ValueError(f"a number is needed for {wrong[0]}, got {told[wrong[0]]!r}")
        values = {name: _status(one) if name == "status" else numbers(one, digits) for name, one in told.items()}
        _check_shapes(problem, values)
        computed = {name: values.pop(name) for name in ("quadrature_error",) if name in values}
        found = cls(problem, procedure, digits, values, later(problem, procedure, digits))
        vars(found).update(computed)
        return found

    def to_pandas(self) -> Any:
        """A DataFrame: one row for each regime, inputs and quantities as columns. Needs the extra `pandas`."""
        return to_frame(self.problem, self.prune, {self.procedure.key: self._shown()})

    def to_xarray(self) -> Any:
        """A Dataset: every quantity over the axes of the batch. Needs the extra `xarray`.

        An axis along which one input varies, and nothing else, has its name ("aspect_ratio", "keep", "noise_variance",
        "ridge", ...) and its values as coordinates; others are "axis_0", "axis_1" and so on.
        """
        return to_dataset(self.problem, self.prune, {self.procedure.key: self._shown()})

    def _parts(self) -> list[Part]:
        caution = filter(None, [self.problem.caution])
        remark = self.problem.remark(self.procedure)
        told = [f"{remark[0].upper()}{remark[1:]}."] if remark else []
        return [*caution, self._table(), *heavy_rows(self), *told, *filter(None, [self.problem.note])]

    def _table(self) -> Table:
        columns = {name: value for name, value in self._shown().items() if value is not None}
        labels = {name: name.replace("_", " ") for name in columns}

        def text(name: str, value: Any) -> str:
            return str(value) if name == "status" else number(value, self._digits(name))

        if np.ndim(self.risk) == 0:
            rows = [(labels[name], text(name, value)) for name, value in columns.items()]
            off = at_size(self)
            notes = [f"At n = {self.problem.n_samples} the mean test risk is {off}."] if off else []
            notes += [f"Status: {in_words(str(self.status))}."] if self.status in CURES else []
            return Table(self.label, (Column("quantity", words=True), Column("value")), rows, notes=notes)
        given = inputs(self.problem, np.shape(self.risk), self.budget)
        flat = {name: np.ravel(value) for name, value in columns.items()}
        rows = (
            [number(column[i]) for column in given.values()] + [text(name, column[i]) for name, column in flat.items()]
            for i in range(np.size(self.risk))
        )
        told = [*map(Column, given), *(Column(label, words=name == "status") for name, label in labels.items())]
        shown = cut(rows, np.size(self.risk))
        unsure = [f"Some risks are {in_words(name)}." for name in CURES if np.any(self.status == name)]
        shown["notes"] = [*shown["notes"], *counted(off_limit(self)), *unsure]
        return Table(self.label, told, keys=len(given), **shown)

    def latex_rows(self) -> list[str]:
        """The numbers and what they are predicted for, in rows of LaTeX; ValueError for a batch of regimes."""
        found = {one.latex: self.values.get(name) for name, one in QUANTITIES.items() if one.latex}
        if self.prune is None or self.procedure.is_small:  # its risk is that of the fit itself
            own = r"\gamma" if self.prune is None else r"\gamma_\Delta"
            del found["R"], found[r"\gamma"]
            found = {own: self.risk} | found
        return results_latex(self.problem, self.budget, self.label, found, lambda value: number(value, self.digits))


def _check_shapes(problem: Problem, values: Mapping[str, Any]) -> None:
    shapes = {name: np.shape(value) for name, value in values.items()}
    several = matching_shapes({"the problem": np.empty(problem.shape, bool), "risk": np.empty(shapes["risk"], bool)})
    if set(shapes.values()) != {several}:
        told = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"quantities must have one shape, which the problem's {problem.shape} fits, got {told}")


def _status(value: Any) -> Any:
    """One word, or an array of them; ValueError for others than there are."""
    words = np.array(value)
    if not np.isin(words, NAMES).all():
        raise ValueError(f"status must be one of {', '.join(NAMES)}, got {value!r}")
    return value if isinstance(value, str) else words


Prediction.__doc__ = f"{Prediction.__doc__}".rstrip() + "\n" + documented()
