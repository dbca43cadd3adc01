"""What all pruning policies share: a budget, words for what they do, and what they look at."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_fractions, count, exact_array
from riskcalc.inert import Inert, again, parameters
from riskcalc.policies.taxonomy import OWN


@dataclass(frozen=True)
class Option:
    """What a policy is told besides its budget: an argument of its constructor, and a flag of the command line.

    Attributes
    ----------
    name : str
        Of the argument.
    kind : type
        ``bool``, ``int`` or ``str``; ``list`` for fractions between commas, ``tuple`` for places; `Ranking` for the
        name of a ranking policy; `Expression` for a score.
    help : str
    flag : str
        On the command line, without dashes; the name if not given.
    default : object
        On the command line.
    """

    name: str
    kind: type
    help: str
    flag: str = ""
    default: Any = None


class Policy(Inert):
    """Keep a fraction of all features: those that the subclass prefers.

    A policy is inert. What its mask is in theory, and how it chooses on a sample, are registered for its class:
    `riskcalc.prediction.policies.mask` and `riskcalc.simulation.choices.choose`.

    Parameters
    ----------
    keep : array_like in (0, 1], optional
        The budget: the fraction of all features kept, s/p. An array asks for a grid; it broadcasts with the problem's
        batch.
    n_keep : int, optional
        The same as a number of features, for problems that have a number of them.

    Attributes
    ----------
    name : str
        In tables and JSON, and on the command line.
    label : str
        A model pruned by it, in words.
    sees_fit, sees_truth : bool
        Whether it looks at fitted coefficients, and at what no sample shows: true coefficients, or their law.
    by_chance : bool
        Whether nothing but chance decides, so that features without variance may take the place of others.
    repeats : bool
        Whether the budget counts draws, several of which may fall on one feature.
    shares_score : bool
        Whether the simulator scores by the very expression that the theory has, so that the two are no independent
        witnesses of it.
    choices : tuple of Option
        What it is told besides the budget.
    note : str
        What a comparison says of a model pruned by it.
    small_name, small_label : str
        Of a small model on the features it keeps: a word, and in words; if empty, made of its name and label.
    taxon : str
        What kind of rule it is, one of `riskcalc.policies.taxonomy.TAXA` or a word of one's own.
    knows : tuple of str
        What it must be told of the problem, besides the fitted coefficients.
    computes : str
        What choosing takes, besides fits.
    guarantee : str
        What is certain of what it keeps, whatever the sample; empty where nothing is.
    is_bound : bool
        Whether it tells what no rule of a class can better, and is none itself: it is not retrained.

    Raises
    ------
    ValueError
        If `keep` is outside (0, 1], or not exactly one of `keep` and `n_keep` is given.
    """

    name: str
    label: Any  # a text of the class, or a property that tells options
    sees_fit: ClassVar[bool] = True
    sees_truth: ClassVar[bool] = False
    by_chance: ClassVar[bool] = False
    repeats: Any = False
    shares_score: Any = False
    choices: ClassVar[tuple[Option, ...]] = ()
    note: Any = ""
    small_name: ClassVar[str] = ""
    small_label: ClassVar[str] = ""
    taxon: ClassVar[str] = OWN
    knows: Any = ()
    computes: ClassVar[str] = "a sort"
    guarantee: Any = ""
    is_bound: ClassVar[bool] = False

    def __init__(self, keep: ArrayLike | str | None = None, n_keep: int | None = None):
        if (keep is None) == (n_keep is None):
            raise ValueError(f"give exactly one of keep and n_keep, got keep={keep} and n_keep={n_keep}")
        self.n_keep = None if n_keep is None else count(n_keep, "n_keep")
        self.keep = None if keep is None else exact_fractions(keep)

    @property
    def kind(self) -> str:
        """What tells it from policies of another name or other options, in a word."""
        return self.name

    def budget(self, n_features: np.ndarray | None) -> np.ndarray:
        """The budget: the exact fraction kept, given the problem's number of features (None if it has none)."""
        if self.keep is not None:
            return self.keep
        if n_features is None:
            raise ValueError("n_keep needs a problem given by n_samples and n_features; use keep with aspect_ratio")
        n_keep = self.n_keep or 0
        if np.any(n_features < n_keep):
            raise ValueError(f"n_keep is {n_keep}, but the problem has only {n_features.min()} features")
        kept = np.frompyfunc(lambda p: Fraction(n_keep, int(p)), 1, 1)(n_features)
        return np.asarray(kept, dtype=object)

    def at(self, *, keep: ArrayLike | None = None, n_keep: int | None = None) -> Self:
        """The same policy at another budget."""
        return type(self)(**self._arguments, keep=keep, n_keep=n_keep)

    def whole(self, n_features: int, given: np.ndarray | None) -> Self:
        """The same with a whole number of `n_features` features, the nearest to the budget of a problem with `given`.

        Raises ValueError where that is none.
        """
        return self.at(n_keep=whole_number(self.budget(given), n_features))

    @property
    def options(self) -> dict[str, Any]:
        """What was chosen besides the budget, as plain values."""
        return {option.name: getattr(self, option.name) for option in self.choices}

    @property
    def _arguments(self) -> dict[str, Any]:
        """What the constructor was told besides the budget."""
        return self.options

    @classmethod
    def usual(cls, keep: Fraction, n_features: int | None) -> tuple[Policy, ...]:
        """What stands for it in a survey, at a budget of that many features if the problem has a number of them.

        Itself, where a budget alone makes it; one that needs more says with what options, if it is to be surveyed.
        """
        return () if required(cls) else (cls(keep=np.asarray(keep, dtype=object)),)

    @property
    def needs(self) -> tuple[str, ...]:
        """All that it must be told."""
        return (*(("the fit",) if self.sees_fit else ()), *self.knows)

    @property
    def rounds(self) -> tuple[tuple[Policy, Retrain | None], ...]:
        """What it comes to: one policy after the other that prunes once, each but the last with the fit after it."""
        return ((self, None),)

    def given(self) -> dict[str, Any]:
        """What was chosen, and the budget."""
        names, chosen = parameters(type(self)), self.options
        rest = self._attributes([name for name in names if name not in chosen])
        return {name: (chosen | rest)[name] for name in names}

    def __reduce__(self) -> tuple[Any, ...]:
        return again, (type(self), self.given() | self._arguments)

    @classmethod
    def _called(cls) -> str:
        return cls.name

    @classmethod
    def _kinds(cls) -> Mapping[str, type[Self]]:
        return {name: kind for name, kind in POLICIES.items() if issubclass(kind, cls)}


class Ranking(Policy):
    """Keep the features whose fitted coefficients have the largest scores, each its own: often |X| times a weight.

    Groups and rounds rank by such scores, too. The score is registered in theory and for the simulator.

    Attributes
    ----------
    again : bool
        Whether it ranks the fits of later rounds, too: its score then depends on nothing but the feature.
    """

    again: Any = True

    @classmethod
    def named(cls, score: Any, argument: str) -> Ranking:
        """The ranking that is meant by a name, a class, a policy (whose options count, not its budget) or what `told`
        says of one; it keeps all. ValueError that says which there are."""
        known = rankings()
        if isinstance(score, Mapping):
            options = dict(score)
            kind = POLICIES.get(options.pop("policy", ""))
            if kind is not None and issubclass(kind, Ranking) and options.keys() == {one.name for one in kind.choices}:
                return kind(**options, keep=1)
        elif isinstance(score, Ranking):
            check_policy(score)
            return score.at(keep=1)
        for kind in known.values():
            if score is kind or (isinstance(score, str) and score == kind.name):
                return kind(keep=1)
        raise ValueError(
            f"{argument} must be a policy that ranks by a score, or its name ({', '.join(known)}), got {score!r}"
        )

    @property
    def told(self) -> str | dict[str, Any]:
        """What it is besides its budget, as a plain value: its name, with its options if it has any."""
        return {"policy": type(self).name} | self.options if self.choices else self.name


class Retrain(Inert):
    """Fit again on the features kept, after pruning.

    Parameters
    ----------
    ridge : float or None
        Of the second fit, negative ones as for a problem; 0 for least squares, or the interpolator of least norm; None
        for the problem's own. The penalty's weights stay.
    sample : "same" or "fresh"
        Whether the second fit sees the sample that the features were chosen on, or another of the same size.

    Examples
    --------
    >>> Retrain(sample="fresh")
    Retrain(sample='fresh')
    """

    def __init__(self, ridge: ArrayLike | str | None = 0.0, sample: str = "same"):
        self.ridge = None if ridge is None else exact_ridge(ridge)
        if sample not in ("same", "fresh"):
            raise ValueError(f'sample must be "same" or "fresh", got {sample!r}')
        self.sample = sample

    @classmethod
    def of(cls, retrain: bool | Retrain | None) -> Retrain | None:
        """What an argument `retrain` means: True is the default retraining, False and None are none."""
        if retrain is None or isinstance(retrain, bool):
            return cls() if retrain else None
        if not isinstance(retrain, cls):
            raise TypeError(f"retrain must be True, False or a riskcalc.Retrain, got {retrain!r}")
        return retrain

    @property
    def label(self) -> str:
        """What it does, in words."""
        return "retrained" if self.sample == "same" else "retrained on a fresh sample"

    def ridge_of(self, problem: Any) -> np.ndarray:
        """The exact ridge of the fit, for a problem."""
        return problem.ridge if self.ridge is None else self.ridge


Kind = TypeVar("Kind", bound=type[Policy])

# Every policy by its name, in the order of registration.
POLICIES: dict[str, type[Policy]] = {}


def register(kind: Kind) -> Kind:
    """Make a policy known by its name: a class decorator.

    Raises
    ------
    TypeError, ValueError
        If it is no `Policy`, lacks its name or label, says what it chooses wrongly, or its name is taken.
    """
    if not (isinstance(kind, type) and issubclass(kind, Policy)):
        raise TypeError(f"a policy is a subclass of riskcalc.policies.Policy, got {kind!r}")
    for part in ("name", "label"):
        if not isinstance(getattr(kind, part, None), (str, property)):
            raise TypeError(f"the policy {kind.__name__} lacks its {part}, a text")
    if kind.name in POLICIES:
        raise ValueError(f"a policy is called {kind.name!r} already: {POLICIES[kind.name].__name__}")
    for option in kind.choices:
        if option.name not in inspect.signature(kind).parameters:
            raise TypeError(f"the policy {kind.__name__} has a choice {option.name!r} unknown to its constructor")
    POLICIES[kind.name] = kind
    return kind


def rankings() -> dict[str, type[Ranking]]:
    """The rankings that a name alone tells."""
    return {name: kind for name, kind in by_budget().items() if issubclass(kind, Ranking)}


def by_budget() -> dict[str, type[Policy]]:
    """The policies that a budget alone makes."""
    return {name: kind for name, kind in POLICIES.items() if not required(kind)}


def required(kind: type[Policy]) -> list[str]:
    """The arguments that a policy must be given besides its budget."""
    return [name for name, one in inspect.signature(kind).parameters.items() if one.default is one.empty]


def at_budget(rule: Any, keep: ArrayLike | None = None, n_keep: int | None = None) -> Policy:
    """A policy (whose options count) or a type that a budget alone makes, at a budget; TypeError for anything else."""
    if isinstance(rule, Policy):
        return rule.at(keep=keep, n_keep=n_keep)
    if not (isinstance(rule, type) and issubclass(rule, Policy)):
        raise TypeError(f"policies must be policies, or types such as rc.Magnitude, got {rule!r}")
    if missing := required(rule):
        raise TypeError(f"{rule.__name__} needs its {missing[0]}; give a policy such as rc.Group(4, keep=0.1)")
    return rule(keep=keep, n_keep=n_keep)


def check_policy(prune: Any) -> None:
    """Refuse anything but a policy."""
    if not isinstance(prune, Policy) or getattr(type(prune), "name", None) not in POLICIES:
        raise TypeError(f"prune must be a policy such as rc.Magnitude(keep=0.1), got {prune!r}")


def whole_number(keep: np.ndarray, n_features: int) -> int:
    """How many features of so many a fraction is, to the nearest integer."""
    if keep.shape:
        raise ValueError(f"simulation is of one budget, got keep of shape {keep.shape}")
    exact: Any = as_fractions(keep).item()
    kept = round(exact * n_features)
    if kept < 1:
        raise ValueError(
            f"keep = {float(exact):g} of {n_features} features leaves none; take more samples, or keep more"
        )
    return kept


def exact_fractions(keep: ArrayLike | str, name: str = "keep") -> np.ndarray:
    """Fractions kept as exact numbers; ValueError if one is not in (0, 1]."""
    array = exact_array(keep, name)
    wrong = (array <= 0) | (array > 1)
    if wrong.any():
        raise ValueError(f"{name} must be in (0, 1], got {array[wrong].flat[0]}")
    return array


def exact_ridge(ridge: ArrayLike | str) -> np.ndarray:
    """A ridge as one exact number."""
    array = exact_array(ridge, "ridge")
    if array.ndim != 0:
        raise ValueError(f"ridge must be one number, got {ridge!r}")
    return array
