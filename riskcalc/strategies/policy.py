"""Policies and procedures."""

from __future__ import annotations

from hypothesis import strategies as st

from riskcalc.policies import Policy, Procedure, Ranking, Retrain, Score, by_budget
from riskcalc.policies.base import rankings
from riskcalc.strategies.numbers import RIDGES, numbers, zero_or

KEPT = (1e-3, 1.0)
GROUPS, ROUNDS, FEATURES = 4, 3, 8  # of a group, rounds of pruning, features that may be named: the most
# Scores of one's own: |X| times a weight, which groups and sampling need, and others.
WEIGHTED, OTHERS = ("abs(X)*Lambda**(1/4)", "abs(X)*Lambda"), ("X**2*Lambda", "abs(X)/(1 + abs(X))")


def policies(*, keep: tuple[float, float] = KEPT) -> st.SearchStrategy[Policy]:
    """Policies that a budget makes, with any of their choices.

    Groups, which need a size, rounds, which need budgets, and scores of one's own are `st.from_type(riskcalc.Group)`,
    `st.from_type(riskcalc.Iterative)` and `st.from_type(riskcalc.Score)`.

    Parameters
    ----------
    keep : (low, high)
        Bounds of the fraction of features kept, in (0, 1].

    Examples
    --------
    >>> from hypothesis import find
    >>> find(policies(), lambda policy: policy.name != "magnitude")
    Hessian(keep=0.5)
    """
    budgets = kept(keep)
    return st.one_of([policy_of(kind, budgets) for kind in by_budget().values()])


def procedures(*, keep: tuple[float, float] = KEPT) -> st.SearchStrategy[Procedure]:
    """What is made of a first fit: nothing, pruned, pruned and fitted again, or the small model.

    Parameters
    ----------
    keep : (low, high)
        As for `policies`.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(procedures(), lambda procedure: procedure.key.endswith("+retrain"))
    Procedure(prune=Magnitude(keep=0.5), retrain=Retrain())
    """
    pruned = policies(keep=keep)
    again = st.builds(Procedure, pruned, retrains())
    return st.just(Procedure()) | st.builds(Procedure, pruned) | again | st.builds(Procedure.small, kept(keep))


def retrains() -> st.SearchStrategy[Retrain]:
    """Second fits."""
    ridges = st.just(0.0) | st.none() | numbers(*RIDGES)
    return st.builds(Retrain, ridges, st.sampled_from(["same", "fresh"]))


def policy_of(kind: type[Policy], budgets: st.SearchStrategy[float]) -> st.SearchStrategy[Policy]:
    """A policy with any of its choices."""
    if issubclass(kind, Score):
        return _scores(kind, WEIGHTED + OTHERS, budgets)
    told = {option.kind for option in kind.choices}
    rounds = list in told
    named = [one for one in rankings().values() if one.again or not rounds]
    drawn = {
        bool: st.booleans(),
        int: st.integers(1, GROUPS),
        str: zero_or(None, numbers(*RIDGES)),
        list: st.lists(budgets, min_size=1, max_size=ROUNDS, unique=True).map(
            lambda keeps: sorted(keeps, reverse=True)
        ),
        tuple: st.lists(st.integers(0, FEATURES - 1), min_size=1, unique=True),
        Ranking: st.sampled_from(named) | _scores(Score, WEIGHTED, st.just(1.0)),
    }
    budget = {} if told & {list, tuple} else {"keep": budgets}
    return st.builds(kind, **{option.name: drawn[option.kind] for option in kind.choices}, **budget)


def _scores(kind: type[Score], texts: tuple[str, ...], budgets: st.SearchStrategy[float]) -> st.SearchStrategy[Policy]:
    return st.builds(kind, st.just("score"), st.sampled_from(texts), keep=budgets)


def kept(keep: tuple[float, float]) -> st.SearchStrategy[float]:
    """Fractions kept; ValueError for bounds outside (0, 1]."""
    low, high = keep
    if not 0 < low <= high <= 1:
        raise ValueError(f"keep must be bounds 0 < low <= high <= 1, got {keep}")
    return numbers(low, high, simplest=0.5)
