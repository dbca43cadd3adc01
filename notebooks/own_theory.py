# %% [markdown]
# # A theory of your own
#
# `rc.verify` tests any prediction against any simulation. Here: the test error of the lasso at a fixed penalty, as
# predicted by Bayati and Montanari, *The LASSO risk for Gaussian matrices* (IEEE Trans. Inform. Theory 58, 2012).
# Features are independent with variance 1/n, and one coefficient in ten is not zero.

# %%
import numpy as np
from scipy.special import ndtri
from sklearn.linear_model import Lasso

import riskcalc as rc

RATIO, PENALTY, NOISE, SPIKE = 2, 1.0, 0.5, 2.0  # p/n, the lasso's penalty, noise variance, nonzero coefficients
Z = ndtri((np.arange(20_000) + 0.5) / 20_000)  # quantiles of the normal distribution


def predict(n):
    """Fixed point of state evolution: every coefficient is seen in noise of variance tau2, and soft-thresholded."""
    truth, tau2, threshold = np.array([[0.0], [SPIKE]]), NOISE, PENALTY
    for _ in range(50):
        seen = truth + np.sqrt(tau2) * Z
        fitted = np.sign(seen) * np.maximum(abs(seen) - threshold, 0)
        error, nonzero = ([0.9, 0.1] @ np.mean(what, axis=1) for what in ((fitted - truth) ** 2, fitted != 0))
        # To see the verdict "disagree", leave one RATIO out of this line.
        tau2, threshold = NOISE + RATIO * error, PENALTY + RATIO * nonzero * threshold
    return tau2, nonzero  # tau2 is the error on new data, noise included


def trial(n, rng):
    truth = np.where(np.arange(RATIO * n) < RATIO * n // 10, SPIKE, 0)
    X = rng.standard_normal((n, RATIO * n)) / np.sqrt(n)
    y = X @ truth + np.sqrt(NOISE) * rng.standard_normal(n)
    fitted = Lasso(PENALTY / n, fit_intercept=False, tol=1e-5).fit(X, y).coef_
    return NOISE + np.mean((fitted - truth) ** 2) * RATIO, np.mean(fitted != 0)


print(rc.verify(rc.Theory(predict, trial, ["test risk", "fraction not zero"]), tolerance=0.05))
