"""Pruned models and the small model of the same budget, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import decimal, plain
from riskcalc.inert import Inert, check_keys
from riskcalc.policies import Hessian, Magnitude, Optimal, Oracle, Policy, Procedure, Random, Retrain, Variance
from riskcalc.policies.base import at_budget, exact_fractions
from riskcalc.prediction.predict import evaluate
from riskcalc.prediction.result import Prediction
from riskcalc.prediction.row_law import heavy_rows
from riskcalc.prediction.solvers import NotCovered
from riskcalc.prediction.status import CURES, NAMES, Status, in_words
from riskcalc.problems import Problem, check_problem
from riskcalc.results.finite_size import at_size, counted, off_limit
from riskcalc.results.labelled import to_dataset, to_frame
from riskcalc.results.regimes import inputs
from riskcalc.results.tables import Column, Part, Shown, Table, cut, number
from riskcalc.results.values import Number, below, difference, digits_left, plain_scalar

# The rules that a budget is given to, if no others are asked for.
RULES: tuple[type[Policy], ...] = (Magnitude, Hessian, Oracle, Random)
# What chooses the features of small models: the paper's is told the best of them, the others need not be.
SMALL: tuple[type[Policy], ...] = (Oracle, Variance, Random)
# The bound is a nonsmooth root: over more atoms it would take most of the time.
MOST_ATOMS = 1 << 14
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def procedures(rules: Sequence[Policy], ridge: ArrayLike | str, bound: bool) -> list[Procedure]:
    """What is compared at the budget of rules, with this ridge of the second fits.

    Where a mask depends on the sample it matters on which sample it is retrained.
    """
    same, fresh = Retrain(ridge), Retrain(ridge, "fresh")
    budget = {"keep": rules[0].keep, "n_keep": rules[0].n_keep}
    found = [Procedure(), *(Procedure.small(**budget, by=kind) for kind in SMALL), *map(Procedure, rules)]
    found += [Procedure(Optimal(**budget))] if bound else []
    found += [Procedure(rule, same) for rule in rules]
    return found + [Procedure(rule, fresh) for rule in rules if rule.sees_fit]


@dataclass(frozen=True, eq=False)
class Comparison(Shown, Inert):
    """Risks of every model at one budget. Prints as a table, and what it says in words.

    Attributes
    ----------
    problem : Problem
    keep : ndarray
        The budget, as given; exact.
    predictions : dict of str to Prediction
        By model: "dense", "small" (told its features), "small_by_variance" (those of largest variance),
        "small_by_chance" (any), "magnitude", "hessian", "oracle", "random", "optimal" (the bound for rules that
        keep or drop), "magnitude+retrain" and so on (the same sample), "magnitude+fresh" and "hessian+fresh"; those
        that the theory of the problem covers.
    digits : int or None
    """

    problem: Problem
    keep: np.ndarray
    predictions: dict[str, Prediction]
    digits: int | None

    _read: ClassVar[Mapping[str, Any]] = {"problem": Problem, "keep": exact_fractions}
    _follows: ClassVar[frozenset[str]] = frozenset({"risks", "best", "margin", "prune_beats_small"})

    @property
    def risks(self) -> dict[str, Number]:
        """Test risk of every model."""
        return {model: prediction.risk for model, prediction in self.predictions.items()}

    @property
    def best(self) -> str | np.ndarray | None:
        """The model of lowest risk among those that meet the budget and can be computed from data alone.

        These are rules that see no truth, retrained on the same sample or not, and small models that are not told their
        features: those of largest variance, or any. None where no competitor has a finite risk.
        """
        return np.array([*self._competitors, None], dtype=object)[self._ranking[0]]

    @property
    def _competitors(self) -> list[str]:
        """Models that meet the budget and can be computed from data alone."""
        return [model for model, prediction in self.predictions.items() if prediction.procedure.feasible]

    @property
    def _pruned(self) -> list[str]:
        """Of these, the models that prune by what they see of the sample."""
        asked = {model: self.predictions[model].procedure for model in self._competitors}
        return [model for model, one in asked.items() if one.prune is not None and one.prune.sees_fit]

    @property
    def margin(self) -> Number:
        """Risk of the runner-up minus risk of the best; nan where fewer than two competitors have a finite risk.

        A difference below rounding (1e-12, the estimates of the two models if they are imprecise, or 100 units in the
        last digit asked for), or below twice the standard errors of their integrations, is zero.
        """
        return self._ranking[1]

    @property
    def prune_beats_small(self) -> bool | np.ndarray:
        """Whether a rule that looks at the sample, retrained or not, has a lower risk than "small".

        It is the paper's question; that small model is told the best features, which no sample tells. False where that
        is so near its threshold that its risk is not known.
        """
        risks, small = self._finite_risks(self._pruned), self._finite_risks(["small"])[0]
        best = np.argmin(risks, axis=0)[None]
        lowest, error = (np.take_along_axis(x, best, axis=0)[0] for x in (risks, self._errors(self._pruned)))
        answer = below(lowest, small, self.digits, error + self._errors(["small"])[0])
        known = np.asarray(self.predictions["small"].status) != NAMES[Status.NEAR_THRESHOLD]
        return plain_scalar(np.asarray(answer).astype(bool) & known)

    def _finite_risks(self, models: list[str]) -> np.ndarray:
        """Risks of models, inf in place of nan; of shape (models, ...), with one of infinite risk at the end."""
        risks = [_finite(self.predictions[model].risk) for model in models]
        return np.stack([*risks, np.full_like(_finite(self.predictions["dense"].risk), np.inf)])

    def _errors(self, models: list[str]) -> np.ndarray:
        """Relative errors of these risks, as `_finite_risks` has them: by rounding, zero where they have digits, and
        by integration, twice its standard error."""
        like = np.zeros(np.shape(self.predictions["dense"].risk))
        return np.stack([like + _relative_error(self.predictions[model]) for model in [*models, "dense"]])

    @cached_property
    def _ranking(self) -> tuple[np.ndarray, Any]:
        finite = self._finite_risks(self._competitors)
        order = np.argsort(finite, axis=0, kind="stable")
        first, second = (np.take_along_axis(finite, order[i : i + 1], axis=0)[0] for i in (0, 1))
        errors = self._errors(self._competitors)
        error = sum(np.take_along_axis(errors, order[i : i + 1], axis=0)[0] for i in (0, 1))
        usable = second < np.inf
        with np.errstate(invalid="ignore"):
            margin = np.where(usable, difference(second, np.where(usable, first, 0), self.digits), np.nan)
            margin = np.where(below(first, second, self.digits, error), margin, 0 * margin)
            if self.digits is not None:
                margin = np.frompyfunc(lambda x, risk: decimal(x, digits_left(x, risk, self.digits) or 1), 2, 1)(
                    margin, second
                )
        return np.where(first < np.inf, order[0], -1), plain_scalar(np.asarray(margin))

    def _order(self, one: str, other: str) -> str:
        """Whether a model's risk is "lower" than another's, "equal" up to its errors, or "higher" (or not finite)."""
        first, second = (_finite(self.predictions[model].risk) for model in (one, other))
        error = self._errors([one, other])[:2].sum()
        if below(first, second, self.digits, error):
            return "lower"
        return "equal" if first < np.inf and not below(second, first, self.digits, error) else "higher"

    def _untold(self, models: list[str]) -> list[str]:
        """Of these, the ones whose numbers sentences do not speak of: nobody knows them to the digits shown."""
        return [model for model in models if str(self.predictions[model].status) in CURES]

    def _written(self, place: Any = None) -> dict[str, Any]:
        asked = {name: self._plainly(name, getattr(self, name)) for name in ("problem", "keep", "digits")}
        models = {model: one._written(Prediction) for model, one in self.predictions.items()}
        return self._kind_at(place) | asked | self._derived() | {"models": models}

    def _derived(self) -> dict[str, Any]:
        found = {"risks": self.risks, "best": self.best, "margin": self.margin}
        found = {name: plain(value, self.digits) for name, value in found.items()}
        return found | {"prune_beats_small": plain(self.prune_beats_small)}

    @classmethod
    def _made(cls, given: dict[str, Any]) -> Comparison:
        needed = ("problem", "keep", "digits", "models")
        check_keys(cls, given, (*needed, *cls._follows), needed)
        problem, keep, digits = (cls._meant(name, given[name]) for name in needed[:3])
        own = {"problem": problem, "digits": digits}
        models = {model: Prediction.from_dict(one | own) for model, one in given["models"].items()}
        for model, one in models.items():
            if one.budget is not None and np.any(one.budget != keep):
                raise ValueError(f"keep is {plain(keep)}, but the model {model} keeps {plain(one.budget)}")
        return cls(problem, keep, models, digits)

    def to_pandas(self) -> Any:
        """A DataFrame: one row for each model and regime. Needs the extra `pandas`."""
        return to_frame(self.problem, self._policy, {key: one._shown() for key, one in self.predictions.items()})

    def to_xarray(self) -> Any:
        """A Dataset: quantities over models and the axes of the batch, as `Prediction.to_xarray` names them.

        Needs the extra `xarray`.
        """
        models = {key: one._shown() for key, one in self.predictions.items()}
        named = np.frompyfunc(lambda model: model or "", 1, 1)
        best = np.asarray(named(np.asarray(self.best, dtype=object))).astype(str)
        together = {
            "best": (best, "The model that is recommended; empty where none has a finite risk."),
            "margin": (self.margin, "Risk of the runner-up minus risk of the best."),
            "prune_beats_small": (self.prune_beats_small, "Whether pruning has a lower risk than the small model."),
        }
        return to_dataset(self.problem, self._policy, models, together)

    @property
    def _policy(self) -> Policy:
        """One at the budget."""
        return next(one.prune for one in self.predictions.values() if one.prune is not None)

    def _parts(self) -> list[Part]:
        parts = [self._one_regime(), *self._verdict()] if np.ndim(self.margin) == 0 else [self._many_regimes()]
        caution, costs = filter(None, [self.problem.caution]), heavy_rows(self.predictions["dense"])
        return [*caution, *parts, *costs, *filter(None, [self.problem.note])]

    def _one_regime(self) -> Table:
        ratio, keep = (number(value[()]) for value in (self.problem.aspect_ratio, self.keep))
        marks: dict[str, str] = {}
        at_n = f"At n = {self.problem.n_samples} the mean is"
        lists: dict[str, list[str]] = {"References": [], "Remarks": [], "Status": [], at_n: []}
        winner = self.best
        rows, pruned = [], {one.prune for one in self.predictions.values() if one.retrain is None}
        for model in self._in_families():
            prediction, told = self.predictions[model], ""
            status = "" if prediction.status == "ok" else in_words(str(prediction.status))
            remark = self.problem.remark(prediction.procedure)
            notes = (prediction.procedure.note, remark, status, at_size(prediction))
            for listed, note in zip(lists.values(), notes, strict=True):
                if note and note not in marks:
                    marks[note] = str(len(marks) + 1).translate(_RAISED)
                    listed.append(f"{marks[note]} {note}")
                told += marks.get(note, "")
            label, again = prediction.label, prediction.retrain
            if again is not None and not prediction.procedure.is_small and prediction.prune in pruned:
                label = f"  {again.label}"
            values = (prediction.risk, prediction.misfit, prediction.training_error)
            risk, dropping, training = (number(value, self.digits) for value in values)
            best = "*" if model == winner else ""
            rows.append([label + best + told, risk, dropping, self._estimation(model), training])
        names = ("test risk", "by dropping", "by estimating", "training error")
        below = [f"{what}: {', '.join(listed)}." for what, listed in lists.items() if listed]
        title = f"predicted test risk, {ratio} features per sample, keeping {keep} of them"
        return Table(title, [Column("model", words=True), *map(Column, names)], rows, notes=below)

    def _in_families(self) -> list[str]:
        """The models, those retrained after the rule that they are pruned by."""
        families: dict[Any, list[str]] = {}
        for model, prediction in self.predictions.items():
            family = prediction.procedure if prediction.procedure.is_small else prediction.prune
            families.setdefault(family, []).append(model)
        return [model for family in families.values() for model in family]

    def _verdict(self) -> list[str]:
        winner = self.best
        if winner is None:
            return ["No model that meets the budget from data alone has a finite risk."]
        best, gap = self.predictions[str(winner)], self.margin
        margin = number(gap, digits_left(gap, best.risk, self.digits))
        by = "; the next is equal" if gap == 0 else f", by {margin}"
        by = "" if gap != gap or self._untold(self._first_two()) else by
        told = [f"* Best within the budget: {best.label}{by}."]
        if not self._pruned:
            return told
        pruned = min(self._pruned, key=lambda model: _finite(self.predictions[model].risk).item())
        if not self._untold([pruned, "small"]):
            beats = {"lower": "beats", "equal": "is equal to", "higher": "does not beat"}[self._order(pruned, "small")]
            reason = self._why(pruned, "small")
            told.append(f"Pruning the large model {beats} training the small one. {reason}".strip())
        rule = pruned.removesuffix("+retrain")
        return [*told, *filter(None, [self._retraining(rule)])]

    def _first_two(self) -> list[str]:
        """The best and the runner-up."""
        risks = [_finite(self.predictions[model].risk).item() for model in self._competitors]
        return [self._competitors[i] for i in np.argsort(np.array(risks, dtype=object), kind="stable")[:2]]

    def _why(self, one: str, other: str) -> str:
        """What decides between two models: what they drop (misfit), or how well they estimate what they keep.

        Nothing does if their risks are equal, or one of them is not finite.
        """
        pair = [self.predictions[model] for model in (one, other)]
        order = self._order(one, other)
        split = all(prediction.misfit is not None for prediction in pair)
        if order == "equal" or not (split and all(_finite(prediction.risk) < np.inf for prediction in pair)):
            return ""
        misfits = [prediction.values["misfit"] for prediction in pair]
        told = [self._estimation(one), self._estimation(other), *(number(misfit, self.digits) for misfit in misfits)]
        by_misfit = difference(misfits[1], misfits[0], self.digits)
        by_risk = difference(pair[1].excess_risk, pair[0].excess_risk, self.digits)
        if abs(float(difference(by_risk, by_misfit, self.digits))) >= abs(float(by_misfit)):
            reason = "denoising" if order == "lower" else "the noise in what it keeps"
            return f"The reason is {reason}: estimating what is kept costs {told[0]} instead of {told[1]}."
        return f"The reason is misfit: dropping costs {told[2]} instead of {told[3]}."

    def _retraining(self, rule: str) -> str:
        """What retraining does to a pruned model."""
        retrained = f"{rule}+retrain"
        if self._untold([rule, retrained]):
            return ""
        before, later = (self.predictions[model].risk for model in (rule, retrained))
        if not max(_finite(before), _finite(later)) < np.inf:
            return ""
        order = self._order(retrained, rule)
        if order == "equal":
            return f"Retraining on the same sample leaves its risk equal, at {number(before, self.digits)}."
        helps = "lowers" if order == "lower" else "raises"
        values = f"from {number(before, self.digits)} to {number(later, self.digits)}"
        return f"Retraining on the same sample {helps} its risk {values}. {self._why(retrained, rule)}"

    def _many_regimes(self) -> Table:
        given = inputs(self.problem, np.shape(self.margin), self.keep)
        risks = {model: np.ravel(risk) for model, risk in self.risks.items()}
        best, margin, beats = (np.ravel(np.asarray(one)) for one in (self.best, self.margin, self.prune_beats_small))
        regimes, keys = range(best.size), [*map(Column, given)]
        small = np.ravel(self.predictions["small"].status)
        found = {name for one in self.predictions.values() for name in np.ravel(one.status).tolist()}
        unsure = [name for name in CURES if name in found]

        def told(i: int) -> list[str]:
            return [number(column[i]) for column in given.values()]

        def risk(model: str | None, i: int) -> str:
            return "" if model is None else number(risks[model][i], self.digits)

        def by(i: int) -> str:
            return number(margin[i], digits_left(margin[i], risks[best[i] or "dense"][i], self.digits))

        def every(i: int) -> list[str]:
            return [*told(i), *(risk(model, i) for model in risks), best[i] or "none", by(i)]

        def some(i: int) -> list[str]:
            beaten = "yes" if beats[i] else "" if small[i] == NAMES[Status.NEAR_THRESHOLD] else "no"
            return [*told(i), best[i] or "none", risk(best[i], i), by(i), risk("small", i), beaten]

        title, first = "predicted test risk", Column("best", words=True)
        columns = [*keys, first, *map(Column, ("its risk", "by", "small")), Column("pruning beats small", words=True)]
        shown = cut(map(some, regimes), best.size)
        off = np.any([off_limit(one) for one in self.predictions.values()], axis=0)
        notes = [f"Some risks are {in_words(name)}: see each .status." for name in unsure] + counted(off)
        shown["notes"] = [*shown["notes"], "The risk of every model: .risks, .to_dict(), or --json.", *notes]
        brief = Table(title, columns, keys=len(keys), **shown)
        columns, whole = [*keys, *map(Column, risks), first, Column("by")], cut(map(every, regimes), best.size)
        whole["notes"] += notes
        return Table(title, columns, keys=len(keys), brief=brief, **whole)

    def _estimation(self, model: str) -> str:
        """The part of a risk that is the error in what is kept; empty where the theory does not split it."""
        prediction = self.predictions[model]
        if prediction.misfit is None:
            return ""
        found = difference(prediction.excess_risk, prediction.misfit, self.digits)
        return number(found, digits_left(found, prediction.excess_risk, self.digits))


def _relative_error(prediction: Prediction) -> Any:
    rounding, integration = prediction.rounding_error, prediction.integration_error
    error = 0.0 if rounding is None else np.asarray(rounding, float)
    if integration is None:
        return error
    risk = np.asarray(prediction.risk, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = 2 * np.asarray(integration, float) / risk
    return error + np.where(np.isfinite(own), own, 0)


def _finite(risk: Any) -> np.ndarray:
    """A risk, with inf in place of nan."""
    risk = np.asarray(risk)
    return np.where(risk == risk, risk, np.inf)


def compare(
    problem: Problem,
    keep: ArrayLike | str | None = None,
    n_keep: int | None = None,
    digits: int | None = None,
    retrain_ridge: ArrayLike | str = 0.0,
    policies: Sequence[type[Policy] | Policy] = RULES,
    *,
    tolerance: float | None = None,
    seed: int = 0,
) -> Comparison:
    """Compare the dense fit, its pruned and retrained versions, and small models, at one budget.

    Parameters
    ----------
    problem : LinearGaussian, Correlated, RankOne, or a problem of a kind of your own
    keep, n_keep
        The budget, as for a `Policy`: exactly one of them.
    digits : int, optional
        Significant digits; float64 if not given. The bound is then left out where it is known in float64 only:
        features of the same eigenvalue and penalty have different coefficients. It is also left out for laws of more
        than 16,384 atoms: ask for ``rc.predict(problem, rc.Optimal(keep))``.
    retrain_ridge : float
        Of the second fits; least squares, or least norm, if not given.
    policies : sequence of Policy types, or of policies
        The rules that are compared; of a policy, its options count, not its budget.
    tolerance, seed
        As for `predict`.

    Returns
    -------
    Comparison
        Prints as a table.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.

    Notes
    -----
    Theorems 1 and 2 and Section 3 of Chang et al. 2021; derivations 11, 12 and 17 for training errors, retraining on
    the same sample and the bound. The excess risk is what dropping costs (the signal of the dropped features, misfit)
    and what estimating costs (the error in what is kept). The paper's small model is told the best features; those of
    largest variance, and any, are what can be had without being told.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.LinearGaussian(aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"])
    >>> comparison = rc.compare(problem, keep="1/10")
    >>> comparison.best, round(comparison.margin, 4), comparison.prune_beats_small
    ('hessian', 0.1436, True)
    """
    check_problem(problem)
    if isinstance(policies, str) or not policies:
        raise TypeError(f"policies must be a list such as [rc.Magnitude, rc.Group(4, keep=0.1)], got {policies!r}")
    budget = Oracle(keep=keep, n_keep=n_keep)
    rules = [at_budget(rule, budget.keep, budget.n_keep) for rule in policies]
    names = [rule.kind for rule in rules]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"policies hold {twice} twice; give each to a comparison of its own")
    asked = procedures(rules, retrain_ridge, bound=getattr(problem, "n_atoms", 0) <= MOST_ATOMS)
    found = evaluate(problem, asked, digits, covered=True, tolerance=tolerance, seed=seed)
    predictions = {procedure.key: found[procedure] for procedure in asked if procedure in found}
    if "small" not in predictions:
        raise NotCovered(f"the theory of a {type(problem).__name__} does not cover small models; use predict")
    return Comparison(problem, budget.budget(problem.n_features), predictions, digits)
