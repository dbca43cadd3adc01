# %% [markdown]
# # Real tables
#
# A prediction for a table is about its own rows: draw n of them, fit, prune its columns, perhaps fit again, and measure
# the squared error on the rows that are left. Here are predictions by the row law, which gives every row a leverage of
# its own, those for Gaussian rows of the same covariance, and what is measured; nothing that is measured uses a formula
# of riskcalc.
#
# Four tables of scikit-learn: the pixels of its digits with the digit's parity (±1) as target, without those lit in
# under 5 % of the images; breast cancer (±1); diabetes with all products of two columns; and wine (one cultivar against
# the others, ±1). Columns are standardised, and the ridge is 5 % of their mean variance. A quarter of the columns is
# kept, by Hessian score (magnitude, which of columns of one variance is the same), and fitted again with that ridge.

# %%
from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from sklearn import datasets
from sklearn.preprocessing import PolynomialFeatures

import riskcalc as rc

RIDGE, DRAWS, SEED = 0.05, 300, 2021
# Fractions and multiples of the number of columns that are drawn as rows: up to two fifths of the table.
TIMES, MOST = (1 / 8, 1 / 4, 1 / 2, 1 / 1.5, 1.5, 2, 4, 8), 0.4


# %%
def tables() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Columns and targets by name."""
    pixels, digit = datasets.load_digits(return_X_y=True)
    cells, benign = datasets.load_breast_cancer(return_X_y=True)
    patients, progression = datasets.load_diabetes(return_X_y=True)
    wines, cultivar = datasets.load_wine(return_X_y=True)
    return {
        "digits": (pixels[:, (pixels > 0).mean(axis=0) >= 0.05], 1.0 - 2 * (digit % 2)),
        "breast cancer": (cells, 2.0 * benign - 1),
        "diabetes": (PolynomialFeatures(2, include_bias=False).fit_transform(patients), progression),
        "wine": (wines, 2.0 * (cultivar == 1) - 1),
    }


def settings(ridge: float = RIDGE) -> Iterator[tuple[str, rc.Table]]:
    """Every table at every size."""
    for name, (X, y) in tables().items():
        whole = rc.from_data(X, y, 10, ridge=ridge)
        p = int(whole.n_features)
        for times in TIMES:
            n = round(times * p)
            if 3 <= n <= MOST * whole.n_rows:
                yield name, rc.Table(**whole.given() | {"n_samples": n})


def models(table: rc.Table, ridge: float = RIDGE) -> dict[str, rc.Procedure]:
    """What is predicted and measured of a table."""
    n_keep = round(int(table.n_features) / 4)
    return {
        "dense": rc.Procedure(),
        "small": rc.Procedure.small(n_keep=n_keep),
        "by chance": rc.Procedure.small(n_keep=n_keep, by=rc.Random),
        "pruned": rc.Procedure(rc.Hessian(n_keep=n_keep)),
        "retrained": rc.Procedure(rc.Hessian(n_keep=n_keep), rc.Retrain(ridge)),
    }


# %%
def report(ridge: float = RIDGE, draws: int = DRAWS) -> Iterator[str]:
    """A line for each setting and model, and what is off by model."""
    off: dict[str, list[tuple[float, float]]] = {}
    yield f"{'table':<14}{'p':>4}{'n':>5} {'model':<10}{'measured':>18}{'row law':>10}{'':>9}{'Gaussian':>10}"
    for name, table in settings(ridge):
        asked = models(table, ridge)
        found = rc.measure(table, prune=list(asked.values()), repeats=draws, seed=SEED, workers=1)
        scale = float(table.null_risk)
        for (model, procedure), mean, error in zip(asked.items(), found.mean, found.stderr, strict=True):
            told = rc.predict(table, procedure)
            gaussian = told.gaussian_risk
            pair = told.risk / mean - 1, gaussian / mean - 1
            off.setdefault(model, []).append(pair)
            yield (
                f"{name:<14}{int(table.n_features):>4}{int(table.n_samples):>5} {model:<10}{mean / scale:>9.4f} ± "
                f"{error / scale:<6.4f}{told.risk / scale:>10.4f}{100 * pair[0]:>+7.1f} %{gaussian / scale:>10.4f}"
                f"{100 * pair[1]:>+7.1f} %"
            )
    yield f"\n{'median / largest difference':<30}{'row law':>18}{'Gaussian rows':>18}"
    for model, pairs in off.items():
        sizes = abs(np.array(pairs))
        texts = (f"{100 * np.median(one):.1f} / {100 * one.max():.1f} %" for one in sizes.T)
        yield f"{model + f', {len(pairs)} settings':<30}" + "".join(f"{text:>18}" for text in texts)


# %%
if __name__ == "__main__":
    for line in report(*map(float, sys.argv[1:2])):
        print(line, flush=True)
