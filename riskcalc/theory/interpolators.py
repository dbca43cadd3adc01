"""T12. Two interpolators of one sample, on all features and on some, exactly at every size.

Over the bases that the features may have their mean distance is known, whatever the sample. Without ridges and with
more features kept than samples, retraining in a generic basis is this in the limit: it never beats the dense fit.
"""

from typing import Any

from riskcalc.formulas.chapters import Chapter
from riskcalc.formulas.records import Formula
from riskcalc.theory.generic_symbols import distance, dropped_over_kept, interpolator_risk, square, unseen_variance
from riskcalc.theory.symbols import n_features, n_keep, n_samples, retrained_risk

_SHARED: dict[str, Any] = {
    "source": "see the derivation of two interpolators",
    "assumptions": r"any $X$ of rank $n$ and any $y$; means are over the basis of the features (Haar), which turns "
    r"their covariance, too; the rule that keeps $s$ of $p$ features sees the interpolator on all; $n+1<s\le p$; "
    "exact, no limit is taken",
}

DISTANCE = Formula(
    id="interpolators.distance",
    title="mean square distance of the interpolators of least norm on all features and on those kept",
    defines=distance,
    statement=square * dropped_over_kept * (n_keep - 2) / (n_keep - n_samples - 1),
    **_SHARED,
)

BY_CHANCE = Formula(
    id="interpolators.distance_by_chance",
    title="the same, of features kept by chance",
    defines=distance,
    statement=square * (n_features - n_keep) / (n_keep - n_samples - 1),
    derived_from=("interpolators.distance",),
    **_SHARED,
)

RISK = Formula(
    id="interpolators.risk",
    title="mean test risk of the interpolator on the features kept",
    defines=retrained_risk,
    statement=interpolator_risk + distance * unseen_variance,
    derived_from=("interpolators.distance",),
    **_SHARED,
)

CHAPTER = Chapter("interpolators", "Two interpolators in a generic basis", (DISTANCE, BY_CHANCE, RISK))
