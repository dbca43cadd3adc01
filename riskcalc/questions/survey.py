"""Every pruning rule at one budget: its risks, what it must know, what it takes, and what is certain of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_fractions, plain
from riskcalc.pictures.declared import Panel
from riskcalc.policies import POLICIES, Oracle, Policy, Procedure, Retrain
from riskcalc.policies.taxonomy import TAXA
from riskcalc.prediction.predict import evaluate
from riskcalc.prediction.result import Prediction
from riskcalc.problems import Problem, check_problem
from riskcalc.questions.models import MOST_ATOMS, few_atoms, procedures
from riskcalc.questions.sampling_budget import relative_error
from riskcalc.questions.side_by_side import SideBySide, integration, remarks
from riskcalc.questions.survey_picture import FRESH, PRUNED, RETRAINED, rule_dots
from riskcalc.quoting import quoted
from riskcalc.results.marks import Marks
from riskcalc.results.tables import Column, Part, Table, number

# Of a sampled model's relative error.
FAILURE = 0.05
# How a rule may go on: by the sample of its second fit, if it has one.
_AFTER = {None: "as pruned", "same": "retrained", "fresh": "on a fresh sample"}
_STAGES = {None: PRUNED, "same": RETRAINED, "fresh": FRESH}


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"left_out must be a list of models, got {quoted(value)}")
    return tuple(value)


@dataclass(frozen=True, eq=False)
class Survey(SideBySide):
    """Risks of every pruning rule at one budget, by kinds of rules. Prints as tables; `plot` draws it.

    The best is what a comparison of so many rules would recommend, groups left out: features need not come in them.

    Attributes
    ----------
    problem : Problem
    keep : ndarray
        The budget: the exact fraction kept.
    predictions : dict of str to Prediction
        By model, as in a `Comparison`: "dense", "small", "surgeon+retrain", "surgeon+fresh" and so on.
    digits : int or None
    left_out : tuple of str
        Models that the theory of the problem does not cover; and bounds, where the problem has very many atoms.
    """

    left_out: tuple[str, ...]

    _read: ClassVar[Mapping[str, Any]] = {**SideBySide._read, "left_out": _names}
    _follows: ClassVar[frozenset[str]] = SideBySide._follows | {"relative_errors"}

    @property
    def rules(self) -> dict[str, tuple[Policy, ...]]:
        """The rules that some model is pruned by, by their kind (`Policy.taxon`), in the order of surveys."""
        pruned = [one.prune for one in self.predictions.values() if not one.procedure.is_small]
        found = dict.fromkeys(rule for rule in pruned if rule is not None)
        kinds = dict.fromkeys([*TAXA, *(rule.taxon for rule in found)])
        grouped = {kind: tuple(rule for rule in found if rule.taxon == kind) for kind in kinds}
        return {kind: rules for kind, rules in grouped.items() if rules}

    @property
    def relative_errors(self) -> dict[str, float]:
        """Of sampled models: by how much, of their root mean square, predictions differ from those of the dense fit at
        most, with probability 0.95. It is the error of which this is the `sampling_budget`; where it is known.
        """
        errors = {key: relative_error(one, FAILURE) for key, one in self.predictions.items()}
        return {key: float(error) for key, error in errors.items() if error == error}

    @property
    def _competitors(self) -> list[str]:
        """Models that meet the budget and can be computed from data alone, whatever features there are."""
        return [model for model in super()._competitors if not self.predictions[model].procedure.note]

    def _derived(self) -> dict[str, Any]:
        errors = {model: plain(error) for model, error in self.relative_errors.items()}
        return super()._derived() | {"relative_errors": errors}

    def _written(self, place: Any = None) -> dict[str, Any]:
        facts = [
            {"rule": rule.kind, "taxon": rule.taxon, "needs": [*rule.needs], "computes": rule.computes}
            | {"fits": [plain(size) for size in _fits(rule, self.problem)], "guarantee": rule.guarantee}
            for rules in self.rules.values()
            for rule in rules
        ]
        return super()._written(place) | {"rules": facts}

    @classmethod
    def _made(cls, given: dict[str, Any]) -> Self:
        given.pop("rules", None)  # words, which another version may choose otherwise
        return super()._made(given)

    def _panels(self) -> list[Panel]:
        kinds = {
            kind: [
                (_short(rule), {_STAGES[after]: self.predictions[key] for after, key in self._of(rule).items()})
                for rule in rules
            ]
            for kind, rules in self.rules.items()
        }
        references = {key: self.predictions[key] for key in ("dense", "small") if key in self.predictions}
        rule, *again = str(self.best or "").replace("_", " ").split("+")
        best = ", ".join([rule, *(_STAGES["same"] for _ in again)])
        return [rule_dots(kinds, references, f"best within the budget:\n{best}" if rule else "")]

    def _parts(self) -> list[Part]:
        ratio, keep = (number(value[()]) for value in (self.problem.aspect_ratio, self.keep))
        title = f"predicted test risk, {ratio} features per sample, keeping {keep} of them"
        marks = self._marks("References")
        parts = [self._unpruned(title, marks), self._risks(marks), self._facts(), self._certain()]
        return self._framed([*parts, self._recommended(), *self._remarks()])

    def _unpruned(self, title: str, marks: Marks) -> Table:
        """The dense fit and small models, each of one fit."""
        rows = [
            [one.label, self._risk(model, marks, one.procedure.note)]
            for model, one in self.predictions.items()
            if not _is_pruned(one)
        ]
        return Table(title, [Column("model", words=True), Column("test risk")], rows)

    def _risks(self, marks: Marks) -> Table:
        """A row for every rule, under its kind."""
        rows = []
        for kind, rules in self.rules.items():
            rows.append([kind, *[""] * len(_AFTER)])
            for rule in rules:
                models = self._of(rule)
                note = Procedure(rule).note
                found = [self._risk(models[after], marks) if after in models else "" for after in _AFTER]
                rows.append([f"  {rule.label}{marks.told(note, '', '', '')}", *found])
        columns = [Column("rule", words=True), *map(Column, _AFTER.values())]
        title = "every rule, as pruned, and fitted again on the same sample or on a second one"
        return Table(title, columns, rows, notes=marks.lines)

    def _facts(self) -> Table:
        """What every rule must know, and takes."""
        rows = []
        for kind, rules in self.rules.items():
            rows.append([kind, "", "", ""])
            for rule in rules:
                fits = ", ".join(f"{float(size[()]):.3g}" for size in _fits(rule, self.problem))
                rows.append([f"  {_short(rule)}", ", ".join(rule.needs) or "nothing", rule.computes, fits])
        columns = [*(Column(name, words=True) for name in ("rule", "must know", "computes")), Column("fits of")]
        title = "what each must know and compute, and of which fractions of the features its fits are, if retrained"
        return Table(title, columns, rows)

    def _certain(self) -> Table:
        """What is certain of rules, whatever the sample, or with a probability."""
        certain = {_short(rule): rule.guarantee for rules in self.rules.values() for rule in rules if rule.guarantee}
        certain |= {
            model: f"predictions differ from the dense fit's by {number(error)} times their root mean square at most, "
            f"with probability {1 - FAILURE:g}"
            for model, error in self.relative_errors.items()
        }
        return Table("guarantees", [Column("rule", words=True), Column("certain", words=True)], [*certain.items()])

    def _remarks(self) -> Iterator[str]:
        """What else is to be said."""
        error = max(map(integration, self.predictions.values()))
        if error > 0:
            yield f"Standard errors of integration are {number(error)} of a risk, at most."
        if self.left_out:
            rules = {key for key in self.left_out if "+" not in key}
            models = [key for key in self.left_out if key in rules or key.partition("+")[0] not in rules]
            why = f"not covered by the theory of a {type(self.problem).__name__}"
            why += "" if few_atoms(self.problem) else f", or a bound over more than {MOST_ATOMS:,} atoms"
            yield f"Left out ({why}): {', '.join(models)}."

    def _of(self, rule: Policy) -> dict[str | None, str]:
        """The models that are pruned by a rule, by the sample of their second fit."""
        own = {key: one for key, one in self.predictions.items() if _is_pruned(one) and one.prune == rule}
        return {one.retrain and one.retrain.sample: key for key, one in own.items()}

    def _risk(self, model: str, marks: Marks, note: str = "") -> str:
        one = self.predictions[model]
        best = "*" if model == self.best else ""
        return f"{number(one.risk, self.digits)}{best}{marks.told(note, *remarks(one))}"


def _is_pruned(prediction: Prediction) -> bool:
    return prediction.prune is not None and not prediction.procedure.is_small


def _short(rule: Policy) -> str:
    return rule.kind.replace("_", " ")


def _fits(rule: Policy, problem: Problem) -> tuple[np.ndarray, ...]:
    return Procedure(rule, Retrain()).fits(problem.n_features)


def survey(
    problem: Problem,
    keep: ArrayLike | str | None = None,
    n_keep: int | None = None,
    digits: int | None = None,
    retrain_ridge: ArrayLike | str = 0.0,
    *,
    tolerance: float | None = None,
    seed: int = 0,
) -> Survey:
    """Survey every pruning rule there is at one budget: its risks, what it must know, what it takes, what is certain.

    Each is taken as it is, fitted again on the same sample and, where its choice looks at the sample, on a fresh one.

    Parameters
    ----------
    problem : LinearGaussian, Correlated, RankOne, RandomFeatures, or a problem of a kind of your own
        One problem; a batch is for `sweep` and `compare`.
    keep, n_keep
        The budget, as for a `Policy`: exactly one of them, and one number.
    digits : int, optional
        Significant digits; float64 if not given. Rules that are known in float64 only are then left out.
    retrain_ridge : float
        Of the second fits; least squares, or least norm, if not given. Fits between rounds are least squares.
    tolerance, seed
        As for `predict`.

    Returns
    -------
    Survey
        Prints as tables; its `plot` is a row of dots for every rule.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be, or there is more than one problem or budget.

    Notes
    -----
    Rules are told apart as in T. Hoefler, D. Alistarh, T. Ben-Nun, N. Dryden and A. Peste, "Sparsity in deep learning",
    JMLR 22 (2021): what the choice goes by (nothing but weights, data, a second-order expansion of the loss), weights
    or structures, at once or in rounds; those that sample are as in C. Baykal et al., "SiPPing neural networks" (2019),
    and L. Liebenwein et al., "Provable filter pruning" (2020). What is told of a rule its class says (`Policy.usual`,
    `taxon`, `knows`, `computes`, `guarantee`): a policy of one's own that is registered appears by itself.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.LinearGaussian(aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"])
    >>> survey = rc.survey(problem, keep="1/10")
    >>> survey.best, [rule.kind for rule in survey.rules["second order"]]
    ('variance', ['hessian', 'surgeon'])
    """
    check_problem(problem)
    budget = Oracle(keep=keep, n_keep=n_keep).budget(problem.n_features)
    if problem.shape or budget.shape:
        raise ValueError(
            f"a survey is of one problem at one budget, got a problem of shape {problem.shape} and keep of shape "
            f"{budget.shape}; take each by itself, or compare() for a batch"
        )
    kept: Any = as_fractions(budget).item()
    count = None if problem.n_features is None else int(problem.n_features)
    every = [one for kind in POLICIES.values() for one in kind.usual(kept, count)]
    rules, bounds = ([one for one in every if one.is_bound is is_bound] for is_bound in (False, True))
    asked = procedures(rules, bounds, retrain_ridge)
    wanted = asked if few_atoms(problem) else [one for one in asked if one.prune not in bounds]
    found = evaluate(problem, wanted, digits, covered=True, tolerance=tolerance, seed=seed)
    predictions = {one.key: found[one] for one in asked if one in found}
    left_out = tuple(one.key for one in asked if one not in found)
    return Survey(problem, budget, predictions, digits, left_out)
