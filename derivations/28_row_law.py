"""The row law: rows of a finite table, drawn without replacement, each with its own leverage.

One row is left out, and what it does when it is drawn follows exactly. That what the other rows make of it is about the
same in all samples is the one limit that is taken; so the law is exact where all rows are drawn, and that of Gaussian
rows where these are Gaussian and few are drawn. Read from top to bottom.
"""

from functools import cache

import numpy as np
from sympy import Limit, S, sqrt

import riskcalc as rc
from riskcalc.derivation.checks import Simulated
from riskcalc.derivation.claims import Equal, Less, Roots
from riskcalc.derivation.record import Derivation
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import NONNEGATIVE, POSITIVE, REAL, law_symbol, scalar
from riskcalc.theory.correlated_symbols import dense_bias, trace_A, trace_A_rest
from riskcalc.theory.row_law_symbols import (
    all_product,
    all_square,
    drawn,
    fit_variance,
    gaussian_retrained,
    lever,
    mean_residual,
    miss,
    miss_product,
    miss_square,
    pull,
    pullbar,
    recall,
    row_odds,
    row_weight,
    small_gaussian,
    small_rows,
)
from riskcalc.theory.symbols import gamma, n_samples, ridge, sigma2
from riskcalc.verification.subjects import Theory

outside = law_symbol("outside", "residual of a row beside a sample without it", REAL, "r")
inside = law_symbol("inside", "its residual when it is added to the sample", REAL, r"r_+")
scaled = law_symbol("scaled_odds", "leverage beside a sample, times the ridge", POSITIVE, r"\tilde o")
level = law_symbol("scaled_lever", r"$x^\top Qx/n$, times the ridge", POSITIVE, r"\tilde\ell")
small = scalar("vanishing_ridge", "a ridge that vanishes", POSITIVE, r"\epsilon")
common = scalar("common_odds", "odds of a row, if all rows have the same", NONNEGATIVE, "o")
squares = scalar("trace_A_square", r"$\mathrm{tr}A^2/n$", NONNEGATIVE, "q")

WEIGHT = {row_weight: 1 / (1 + (1 - drawn) * row_odds)}
PULL = {pull: row_odds / (1 + row_odds), pullbar: 1 / (1 + row_odds)}
SOME, FEW = (Less(drawn, 1),), {drawn: S.Zero}

# The simulation: tables of heavy-tailed rows, of which a sample has a third.
RIDGE, KEEP = 0.2, 0.25


@cache
def table(size):
    """Of three times as many rows, and half as many columns of unequal lengths."""
    rng = np.random.default_rng(size)
    X = rng.standard_normal((3 * size, size // 2)) * np.sqrt(5 / rng.chisquare(5, (3 * size, 1)))
    y = X @ np.linspace(2, 0, size // 2) / np.sqrt(size) + rng.standard_t(5, 3 * size)
    return rc.Table(X, y, size, ridge=RIDGE)


def expected(size):
    """Test risk and training error of the dense fit, and the test risk behind masks."""
    dense, pruned = rc.predict(table(size)), rc.predict(table(size), rc.Magnitude(keep=KEEP), tolerance=0.005)
    return [dense.risk, dense.training_error, pruned.risk]


def trial(size, rng):
    """The same of some rows, and the others."""
    own = table(size)
    order = rng.permutation(own.n_rows)
    X, y, n = own.features[order], own.target[order], size
    fit = np.linalg.solve(X[:n].T @ X[:n] + n * RIDGE * np.eye(X.shape[1]), X[:n].T @ y[:n])
    kept = abs(fit) >= np.sort(abs(fit))[-round(KEEP * len(fit))]
    dense, pruned = y - X @ fit, y - X @ (kept * fit)
    return [np.mean(dense[n:] ** 2), np.mean(dense[:n] ** 2), np.mean(pruned[n:] ** 2)]


def derivation(records):
    """What rows that are drawn, and rows that are not, see of a fit."""
    d = Derivation(
        title="The row law: rows of a finite table",
        statement=r"""Of the $N$ rows of a table $n=fN$ are drawn without replacement and fitted with a ridge. With
        $w=1/(1+(1-f)o)$ for each row, $Q=(\langle wxx^\top\rangle+\lambda)^{-1}$ and $x^\top Qx/n=o(1-fo/(1+o))$ the
        coefficients have the mean $\bar\beta=Q\langle wxy\rangle$ and the covariance
        $V=Q\langle\omega xx^\top\rangle Q$, and the risk on rows that are not drawn is the mean over all rows of
        $s$, where $(1-f+f\bar\pi^2)s=x^\top Vx+(y-x^\top\bar\beta)^2$ and $\omega=(1-f)w^2s/n$. With $f\to1$ this is
        leaving one out, exactly; with $f=0$ and Gaussian rows it is the law of these.""",
        assumptions=r"""What a row has beside a sample without it, $x^\top(S+\lambda)^{-1}x/n$, is about the same in
        all samples: many rows are drawn, and no few of them carry a direction that the ridge does not bound. For a
        pruned fit, that coefficients are normal, and that so is what a row's own residual adds to its fitted value:
        about the same in all samples.""",
        cited=r"""Linear algebra: the inverse of a sum with a matrix of rank one (Sherman and Morrison). Concentration
        of $x^\top(S+\lambda)^{-1}x/n$ over samples without the row, and deterministic equivalents of resolvents; that
        a sum of what many rows add is about normal, with their variances added up (Hoeffding's first projection);
        Stein's identity for normal variables.""",
    )
    _rows(d, records)
    _interpolators(d, records)
    _residuals(d, records)
    _limits(d, records)
    _pruned(d, records)
    d.registered(
        records["row_law.retrained_risk"],
        gaussian_retrained * small_rows / small_gaussian,
        r"""No theorem: what the rows cost a second fit is taken to be what they cost a fit of its features alone, which
        is known. It holds for Gaussian rows, where both factors of the quotient are the same.""",
        uses=["row_law.risk"],
        relation="~",
    )
    d.simulated(
        "the row law on tables",
        r"""On tables of heavy-tailed rows, a third of them drawn, the test risk and training error of the dense fit and
        the test risk of the fit pruned by magnitude are those of the row law.""",
        r"""Tables of 150, 300 and 600 rows.""",
        Simulated(Theory(predict=expected, trial=trial, names=["dense", "training error", "pruned"]), tolerance=0.05),
        uses=["row_law.risk", "row_law.training_error", "row_law.pruned_risk"],
    )
    return d


def _rows(d, records):
    d.step(
        "a row that is added",
        Roots(Equal(inside, outside - row_odds * inside), inside, (outside / (1 + row_odds),)),
        r"""With the row the coefficients are those without it and $(S+\lambda)^{-1}xr_+/n$, $S$ without the row: the
        normal equations. Its residual is then $r_+=r-or_+$.""",
    )
    d.registered(
        records["row_law.rest"],
        inside / outside,
        r"""What is left of the residual.""",
        uses=["a row that is added"],
        given={inside: outside / (1 + row_odds)},
    )
    d.registered(records["row_law.pull"], 1 - 1 / (1 + row_odds), r"""And what is not.""", uses=["row_law.rest"])
    d.step(
        "what stands for the inverse",
        Roots(
            Equal(1 - drawn + drawn / (1 + row_odds), 1 / (1 + row_weight * drawn * row_odds)),
            row_weight,
            (1 / (1 + (1 - drawn) * row_odds),),
        ),
        r"""Let $R=(S+\lambda)^{-1}$ for the sample as it is drawn. With the row $Rx$ is $1/(1+o)$ times what it is
        without (Sherman and Morrison), so that its mean over samples is the left side times that. In
        $Q=(\langle wxx^\top\rangle+\lambda)^{-1}$ the row is one of $N$, and $Qx$ is $1/(1+wx^\top Q_-x/N)$ times what
        it is without, where $x^\top Q_-x/N=fo$.""",
        uses=["a row that is added"],
        assuming=[Less(0, drawn), Less(0, row_odds)],
    )
    d.registered(
        records["row_law.weight"],
        1 / (1 + (1 - drawn) * row_odds),
        r"""For every row.""",
        uses=["what stands for the inverse"],
    )
    d.step(
        "the leverage",
        Equal(row_odds * (1 - drawn + drawn / (1 + row_odds)), row_odds * (1 - drawn * pull)),
        r"""$x^\top Qx/n$ is $o$ times the mean factor.""",
        uses=["what stands for the inverse"],
        given=PULL,
    )
    d.step(
        "a quadratic equation",
        Equal(
            (row_odds * (1 - drawn * row_odds / (1 + row_odds)) - lever) * (1 + row_odds),
            (1 - drawn) * row_odds**2 + (1 - lever) * row_odds - lever,
        ),
        r"""Times $1+o$.""",
        uses=["the leverage"],
    )
    d.registered(
        records["row_law.odds"],
        (sqrt((1 - lever) ** 2 + 4 * (1 - drawn) * lever) - (1 - lever)) / (2 * (1 - drawn)),
        r"""Its one root that is not negative: the product of both is $-\ell/(1-f)$.""",
        uses=["a quadratic equation"],
    )
    d.registered(
        records["row_law.effective_ridge"],
        ridge / E(row_weight),
        r"""With one weight $\bar w$ for all rows $Q$ is $(\Sigma+\lambda/\bar w)^{-1}/\bar w$.""",
        uses=["row_law.weight"],
    )


def _interpolators(d, records):
    d.step(
        "weights where a ridge vanishes",
        Equal(Limit(1 / (small * (1 + (1 - drawn) * scaled / small)), small, 0), 1 / ((1 - drawn) * scaled)),
        r"""With more dimensions than rows $o=\tilde o/\lambda$ grows without bound as $\lambda\to0$, and the weights
        vanish like $\lambda$, $Q$ like $1/\lambda$.""",
        uses=["row_law.weight"],
        assuming=SOME,
    )
    d.registered(
        records["row_law.interpolating_weight"],
        1 / ((1 - drawn) * row_odds),
        r"""In these units.""",
        uses=["weights where a ridge vanishes"],
    )
    d.step(
        "leverages where a ridge vanishes",
        Roots(
            Equal(Limit(scaled * (1 - drawn * (scaled / small) / (1 + scaled / small)), small, 0), level),
            scaled,
            (level / (1 - drawn),),
        ),
        r"""The same limit of $x^\top Qx/n$.""",
        uses=["the leverage"],
        assuming=SOME,
    )
    d.registered(
        records["row_law.interpolating_odds"],
        lever / (1 - drawn),
        r"""In these units.""",
        uses=["leverages where a ridge vanishes"],
    )


def _residuals(d, records):
    d.step(
        "the mean residual",
        Roots(
            Equal((1 - drawn) * miss + drawn * (1 - pull) * miss, mean_residual),
            miss,
            (mean_residual / (1 - drawn * pull),),
        ),
        r"""Over samples with the row and without.""",
        uses=["a row that is added"],
    )
    d.registered(records["row_law.miss"], mean_residual / (1 - drawn * pull), r"""So.""", uses=["the mean residual"])
    d.step(
        "the mean square",
        Roots(
            Equal((1 - drawn) * miss_square + drawn * pullbar**2 * miss_square, fit_variance + mean_residual**2),
            miss_square,
            ((fit_variance + mean_residual**2) / (1 - drawn + drawn * pullbar**2),),
        ),
        r"""Over samples with the row and without; the right side is variance and squared mean over all of them.""",
        uses=["a row that is added"],
    )
    d.registered(
        records["row_law.miss_square"],
        (fit_variance + mean_residual**2) / (1 - drawn + drawn * pullbar**2),
        r"""With the mean residual by that of samples without the row.""",
        uses=["the mean square", "the mean residual"],
        given={mean_residual: (1 - drawn * pull) * miss},
    )
    d.step(
        "what a row moves",
        Equal((1 + row_weight * drawn * row_odds) / (1 + row_odds), row_weight),
        r"""By being drawn a row moves the coefficients by $(S+\lambda)^{-1}xr_+/n$, on average $Q_-x/n$ times
        $r/(1+o)$; and $Q_-x$ is $(1+wfo)Qx$. So it moves them by $wrQx/n$.""",
        uses=["what stands for the inverse"],
        given=WEIGHT,
    )
    d.registered(
        records["row_law.shock"],
        drawn * (1 - drawn) * (row_weight / n_samples) ** 2 * miss_square * (n_samples / drawn),
        r"""Whether a row is drawn has the variance $f(1-f)$, and $r$ the mean square $s$; the variances of $N=n/f$ rows
        add up, and $V$ is $N$ times their mean.""",
        uses=["what a row moves", "row_law.weight", "row_law.miss_square"],
    )
    d.registered(
        records["row_law.risk"],
        E(miss_square),
        r"""Every row is as likely to be the one tested on.""",
        uses=["row_law.miss_square", "row_law.shock"],
    )
    d.registered(
        records["row_law.training_error"],
        E((1 / (1 + row_odds)) ** 2 * miss_square),
        r"""And drawn, with what is left of its residual.""",
        uses=["row_law.rest", "row_law.risk"],
        given={pullbar: 1 / (1 + row_odds)},
    )


def _limits(d, records):
    known = records["row_law.miss_square"].statement
    odds = records["row_law.odds"].statement
    d.step(
        "all rows drawn: the leverage",
        Equal(odds / (1 + odds), lever),
        r"""With $f\to1$ weights are one and $Q$ is the inverse of the one sample; what a row takes of its own residual
        is its leverage there, if that is below one.""",
        uses=["row_law.odds", "row_law.weight"],
        given={drawn: S.One, lever: 1 - pullbar},
    )
    d.step(
        "all rows drawn: leaving one out",
        Equal(known, (mean_residual / (1 - lever)) ** 2),
        r"""The covariance of the coefficients has the factor $1-f$, and vanishes. What is left is the square of the
        residual over one minus the leverage: leaving one out, exactly, for every table.""",
        uses=["all rows drawn: the leverage", "row_law.miss_square", "row_law.shock", "row_law.miss"],
        given={drawn: S.One, fit_variance: S.Zero, miss: mean_residual / (1 - pull), pullbar: 1 - pull, pull: lever},
        assuming=[Less(lever, 1)],
    )
    d.step(
        "few rows drawn",
        Equal(known, fit_variance + miss**2),
        r"""With $f\to0$ a row that is tested on is like none of the sample: $o$ is $x^\top Qx/n$, the weight
        $1/(1+o)$, and the mean residual that of the mean coefficients.""",
        uses=["row_law.miss_square"],
        given=FEW,
    )
    d.step(
        "Gaussian rows: the effective ridge",
        Roots(Equal(common, trace_A * (1 + common)), common, (trace_A / (1 - trace_A),)),
        r"""With $f=0$ and many Gaussian rows of the covariance $\Sigma$ all have the same weight $1/(1+o)$, so that $Q$
        is $(1+o)(\Sigma+\nu)^{-1}$ with $\nu=(1+o)\lambda$, and $x^\top Qx/n$ is $(1+o)\mathrm{tr}A/n$.""",
        uses=["few rows drawn", "row_law.effective_ridge"],
        assuming=[Less(trace_A, 1)],
    )
    d.step(
        "Gaussian rows: the same ridge",
        Equal(ridge * (1 + common), ridge / (1 - trace_A)),
        r"""This is the equation of the effective ridge of Gaussian rows, $\nu=\lambda+\nu\,\mathrm{tr}A/n$.""",
        uses=["Gaussian rows: the effective ridge"],
        given={common: trace_A / (1 - trace_A)},
        assuming=[Less(trace_A, 1)],
    )
    d.step(
        "Gaussian rows: the risk",
        Roots(
            Equal(gamma, squares * gamma + dense_bias + sigma2),
            gamma,
            (records["correlated.risk"].statement,),
        ),
        r"""$x^\top Vx$ is $\mathrm{tr}(\Sigma V)$, which is $\gamma\,\mathrm{tr}A^2/n$ as $w$ and $Q$ cancel, and the
        mean squared residual of the mean coefficients is their bias and the noise. It is the risk of Gaussian rows.""",
        uses=["few rows drawn", "row_law.shock", "Gaussian rows: the effective ridge"],
        given={squares: trace_A - trace_A_rest},
        assuming=[Less(trace_A - trace_A_rest, 1)],
    )
    d.step(
        "Gaussian rows: the training error",
        Equal(gamma / (1 + common) ** 2, records["correlated.training_error"].statement),
        r"""And theirs.""",
        uses=["row_law.training_error", "Gaussian rows: the effective ridge"],
        given={common: trace_A / (1 - trace_A)},
        assuming=[Less(trace_A, 1)],
    )


def _pruned(d, records):
    known = {miss_product: (all_product + drawn * recall * pullbar * miss_square) / (1 - drawn * pull)}
    d.step(
        "products over all samples",
        Roots(
            Equal((1 - drawn) * miss_product + drawn * (miss_product - recall * miss_square) * pullbar, all_product),
            miss_product,
            ((all_product + drawn * recall * pullbar * miss_square) / (1 - drawn * pull),),
        ),
        r"""A fit behind a mask is a function $g$ of the dense one. A row that is drawn moves the coefficients by
        $wrQx/n$, and so its fitted value behind the mask by $\theta r$, where $\theta$ is the mean of
        $x^\top\partial g\,wQx/n$: with draws $\bar\beta+Ru$, $V=RR^\top$, of the fit, by Stein's identity that of
        $x^\top g\,u^\top R^{-1}wQx/n$. Its pruned residual $a-\theta r$ and its dense one $\bar\pi r$ then have the
        product on the left, and beside samples without it $a$ and $r$ that of $ar$.""",
        uses=["what a row moves", "a row that is added"],
        given={pullbar: 1 - pull},
    )
    d.registered(
        records["row_law.miss_product"],
        (all_product + drawn * recall * pullbar * miss_square) / (1 - drawn * pull),
        r"""So.""",
        uses=["products over all samples"],
    )
    d.registered(
        records["row_law.pruned_square"],
        all_square - drawn * (recall**2 * miss_square - 2 * recall * miss_product),
        r"""The mean of $(a-\theta r)^2$ over samples with the row, and of $a^2$ without, is that over all draws.""",
        uses=["products over all samples"],
    )
    d.step(
        "without a mask",
        Equal(
            records["row_law.pruned_square"].statement.subs(known),
            miss_square,
        ),
        r"""If nothing is dropped it is the risk of the dense fit.""",
        uses=["row_law.pruned_square"],
        given={
            all_square: all_product,
            all_product: (1 - drawn + drawn * pullbar**2) * miss_square,
            recall: pull,
            pullbar: 1 - pull,
        },
    )
    d.registered(
        records["row_law.pruned_risk"],
        E(records["row_law.pruned_square"].defines),
        r"""Over the rows.""",
        uses=["row_law.pruned_square"],
    )
    d.registered(
        records["row_law.pruned_training_error"],
        E(records["row_law.pruned_square"].defines - 2 * recall * miss_product + recall**2 * miss_square),
        r"""The mean of $(a-\theta r)^2$.""",
        uses=["row_law.pruned_square"],
    )
