"""Pruned models and the small model of the same budget, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import plain
from riskcalc.pictures.declared import Panel
from riskcalc.policies import Hessian, Magnitude, Optimal, Oracle, Policy, Procedure, Random
from riskcalc.policies.base import at_budget
from riskcalc.prediction.errors import errors_panel
from riskcalc.prediction.predict import evaluate
from riskcalc.prediction.solvers import NotCovered
from riskcalc.prediction.status import CURES, NAMES, Status, in_words
from riskcalc.problems import Problem, check_problem
from riskcalc.questions.comparison_picture import dots
from riskcalc.questions.models import few_atoms, procedures
from riskcalc.questions.side_by_side import SideBySide, finite, remarks
from riskcalc.results.finite_size import counted, off_limit
from riskcalc.results.regimes import inputs
from riskcalc.results.tables import Column, Part, Table, cut, number
from riskcalc.results.values import below, difference, digits_left, plain_scalar

# The rules that a budget is given to, if no others are asked for.
RULES: tuple[type[Policy], ...] = (Magnitude, Hessian, Oracle, Random)


@dataclass(frozen=True, eq=False)
class Comparison(SideBySide):
    """Risks of every model at one budget. Prints as a table, and what it says in words; `plot` draws it.

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

    _follows: ClassVar[frozenset[str]] = SideBySide._follows | {"prune_beats_small"}

    @property
    def _pruned(self) -> list[str]:
        """Of the models that compete, those that prune by what they see of the sample."""
        asked = {model: self.predictions[model].procedure for model in self._competitors}
        return [model for model, one in asked.items() if one.prune is not None and one.prune.sees_fit]

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

    def _order(self, one: str, other: str) -> str:
        """Whether a model's risk is "lower" than another's, "equal" up to its errors, or "higher" (or not finite)."""
        first, second = (finite(self.predictions[model].risk) for model in (one, other))
        error = self._errors([one, other])[:2].sum()
        if below(first, second, self.digits, error):
            return "lower"
        return "equal" if first < np.inf and not below(second, first, self.digits, error) else "higher"

    def _derived(self) -> dict[str, Any]:
        return super()._derived() | {"prune_beats_small": plain(self.prune_beats_small)}

    @property
    def _together(self) -> dict[str, tuple[Any, str]]:
        return {"prune_beats_small": (self.prune_beats_small, "Whether pruning has a lower risk than the small model.")}

    def _parts(self) -> list[Part]:
        parts = [self._one_regime(), *self._verdict()] if np.ndim(self.margin) == 0 else [self._many_regimes()]
        return self._framed(parts)

    def _one_regime(self) -> Table:
        ratio, keep = (number(value[()]) for value in (self.problem.aspect_ratio, self.keep))
        marks = self._marks("References")
        winner = self.best
        rows = []
        for model in self._in_families():
            prediction = self.predictions[model]
            told = marks.told(prediction.procedure.note, *remarks(prediction))
            values = (prediction.risk, prediction.misfit, prediction.training_error)
            risk, dropping, training = (number(value, self.digits) for value in values)
            best = "*" if model == winner else ""
            rows.append([self._name(model) + best + told, risk, dropping, self._estimation(model), training])
        names = ("test risk", "by dropping", "by estimating", "training error")
        title = f"predicted test risk, {ratio} features per sample, keeping {keep} of them"
        return Table(title, [Column("model", words=True), *map(Column, names)], rows, notes=marks.lines)

    def _name(self, model: str) -> str:
        """Of a model below the rule that it is pruned by."""
        one = self.predictions[model]
        alone = any(other.prune == one.prune and other.retrain is None for other in self.predictions.values())
        again = one.retrain if alone and not one.procedure.is_small else None
        return one.label if again is None else f"  {again.label}"

    def _in_families(self) -> list[str]:
        """The models, those retrained after the rule that they are pruned by."""
        return [model for family in self._families() for model in family]

    def _families(self) -> list[list[str]]:
        families: dict[Any, list[str]] = {}
        for model, prediction in self.predictions.items():
            family = prediction.procedure if prediction.procedure.is_small else prediction.prune
            families.setdefault(family, []).append(model)
        return [*families.values()]

    def _panels(self) -> list[Panel]:
        """At one budget a dot for every model; along an axis a curve for each that meets the budget, and small."""
        if np.ndim(self.margin) == 0:
            families = [[(self._name(one), self.predictions[one]) for one in family] for family in self._families()]
            return [dots(families, None if self.best is None else str(self.best))]
        shown = [one for one in self._in_families() if one in {*self._competitors, "small"}]
        return [errors_panel(self.problem, {one: self.predictions[one] for one in shown}, ("risk",))]

    def _verdict(self) -> list[str]:
        told = [self._recommended()]
        if self.best is None or not self._pruned:
            return told
        pruned = min(self._pruned, key=lambda model: finite(self.predictions[model].risk).item())
        if not self._untold([pruned, "small"]):
            beats = {"lower": "beats", "equal": "is equal to", "higher": "does not beat"}[self._order(pruned, "small")]
            reason = self._why(pruned, "small")
            told.append(f"Pruning the large model {beats} training the small one. {reason}".strip())
        rule = pruned.removesuffix("+retrain")
        return [*told, *filter(None, [self._retraining(rule)])]

    def _why(self, one: str, other: str) -> str:
        """What decides between two models: what they drop (misfit), or how well they estimate what they keep.

        Nothing does if their risks are equal, or one of them is not finite.
        """
        pair = [self.predictions[model] for model in (one, other)]
        order = self._order(one, other)
        split = all(prediction.misfit is not None for prediction in pair)
        if order == "equal" or not (split and all(finite(prediction.risk) < np.inf for prediction in pair)):
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
        if not max(finite(before), finite(later)) < np.inf:
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


def compared(problem: Problem, rules: Sequence[Policy], ridge: ArrayLike | str) -> list[Procedure]:
    """What a comparison of rules at one budget is of; the bound is left out over very many atoms."""
    bounds = [Optimal(keep=rules[0].keep, n_keep=rules[0].n_keep)] if few_atoms(problem) else []
    return procedures(rules, bounds, ridge)


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
    problem : LinearGaussian, Correlated, RankOne, RandomFeatures, or a problem of a kind of your own
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
    asked = compared(problem, rules, retrain_ridge)
    found = evaluate(problem, asked, digits, covered=True, tolerance=tolerance, seed=seed)
    predictions = {procedure.key: found[procedure] for procedure in asked if procedure in found}
    if "small" not in predictions:
        raise NotCovered(f"the theory of a {type(problem).__name__} does not cover small models; use predict")
    return Comparison(problem, budget.budget(problem.n_features), predictions, digits)
