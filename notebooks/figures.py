# %% [markdown]
# # The paper's figures, and one that no one has
#
# Chang, Li, Oymak and Thrampoulidis ask why it pays to train a large model and prune it, and answer in three steps:
# linear models whose features are their own eigenvectors, random features, features that correlate. Here are their
# pictures, from riskcalc's public functions alone. Lines are predictions in the limit of many samples; dots are
# simulations at the sizes named, with their standard errors; they know no formula.

# %%
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np

import riskcalc as rc

POINTS = 60  # of a line, on either side of where it is infinite
plt.rcParams.update({"font.size": 9, "legend.fontsize": 8, "legend.frameon": False, "axes.titlesize": 10})


def dots(axes, x, problems, prune=None, retrain=None, *, color, marker="o", filled=True, trials=20):
    """Simulated test risks with their standard errors, of one problem for each x."""
    found = [rc.simulate(one, prune, retrain, trials=trials, seed=1, device="cpu", workers=1) for one in problems]
    look = {"color": color, "marker": marker, "markerfacecolor": color if filled else "white", "markersize": 4}
    axes.errorbar(x, [one.mean for one in found], [one.stderr for one in found], linestyle="none", capsize=2, **look)


def broken(x, at, *risks):
    """Curves with a gap where they are infinite."""
    place = np.searchsorted(x, at)
    return [np.insert(np.asarray(one, dtype=float), place, np.nan) for one in (x, *risks)]


def plain(axes, values, **what):
    """A logarithmic scale of plain numbers."""
    axes.set(yscale="log", ylim=(values[0], 1.5 * values[-1]), **what)
    axes.set_yticks(values, [f"{value:g}" for value in values])
    axes.minorticks_off()


# %% [markdown]
# ## Risk against the number of features
#
# There are 1000 features, of which the first 100 matter most, and 300 samples: n/p = .3. A model takes the first p
# features, in order; the others act as noise. The budget is 100 features. Left: all features have variance one, and
# the first hundred have coefficients five times as large. Right: their variances are 25, and all coefficients equal.

# %%
ALL, N_SAMPLES, BUDGET = 1000, 300, 100


def first(p, variance, strength):
    """The problem of the first p features (at least 100), strong ones first; what is left out is noise."""
    strong = Fraction(BUDGET, p)
    return rc.LinearGaussian(
        n_samples=N_SAMPLES,
        n_features=p,
        eigenvalues=[variance, 1],
        coefficients=np.array([strength, 1]) / np.sqrt(ALL),
        weights=[strong, 1 - strong],
        noise_variance=Fraction(ALL - p, ALL),
    )


MODELS = {  # label: policy, colour, marker, line
    "dense, p features": (None, "0.45", "s", ":"),
    "pruned by magnitude": (rc.Magnitude(n_keep=BUDGET), "tab:red", "o", "-"),
    "pruned by Hessian score": (rc.Hessian(n_keep=BUDGET), "tab:blue", "^", "-"),
    "pruned by oracle": (rc.Oracle(n_keep=BUDGET), "tab:green", "v", "-"),
    "small: the best 100": (rc.Procedure.small(n_keep=BUDGET), "tab:orange", "D", "--"),
}
counts = np.unique(np.concatenate([np.geomspace(101, 299, POINTS), np.geomspace(301, 1000, POINTS)]).astype(int))
shown = [150, 220, 270, 340, 420, 550, 700, 850, 1000]


def draw_in_order():
    figure, both = plt.subplots(1, 2, figsize=(7.2, 3.4), sharey=True, layout="constrained")
    for axes, (variance, strength), title in zip(
        both,
        [(1, 5), (25, 1)],
        ["one variance, spiked coefficients", "spiked variances, equal coefficients"],
        strict=True,
    ):
        for label, (prune, color, marker, style) in MODELS.items():
            risks = [rc.predict(first(int(p), variance, strength), prune).risk for p in counts]
            axes.plot(*broken(counts, N_SAMPLES, risks), style, color=color, label=label, linewidth=1.2)
            dots(axes, shown, [first(p, variance, strength) for p in shown], prune, color=color, marker=marker)
        axes.axvline(N_SAMPLES, color="0.85", linewidth=1, zorder=0)
        plain(axes, [0.5, 1, 2, 5, 10, 20], xlabel="features of the large model, p", title=title)
    both[0].set_ylabel("test risk")
    both[0].legend(loc="upper right")
    return figure


figure = draw_in_order()
plt.show()

# %% [markdown]
# Lines: predictions. Dots: simulations, 20 trials. The dense fit has its double descent, and what is pruned inherits
# it. With one variance, magnitude and the Hessian score are one rule, and small wins: it is told which features are
# best. With spiked variances, a large model pruned by the Hessian score wins, without being told.
#
# ## Random features
#
# Inputs of 100 dimensions, 200 samples, noise of standard deviation .3; features max(w'x, 0) with random w. Any of them
# is as good as any other: features stand in general position to what the data tell. Small models are on s features.

# %%
SIZES = {"n_inputs": 100, "n_samples": 200, "noise_variance": "9/100"}
BUDGETS = {50: ("tab:orange", "o"), 100: ("tab:red", "^"), 150: ("tab:purple", "D")}


def network(p):
    return rc.RandomFeatures(activation="relu", n_features=p, **SIZES)


def draw_random_features():
    figure, both = plt.subplots(1, 2, figsize=(7.2, 3.4), sharey=True, layout="constrained")
    widths = np.unique(np.concatenate([np.geomspace(50, 198, POINTS), np.geomspace(202, 1500, POINTS)]).astype(int))
    dense = [rc.predict(network(int(p))).risk for p in widths]
    for axes, retrain, title in zip(both, [None, True], ["pruned by magnitude", "pruned and retrained"], strict=True):
        axes.plot(*broken(widths, 200, dense), ":", color="0.45", label="dense, p features")
        dots(axes, shown, [network(p) for p in shown], color="0.45", marker="s")
        for budget, (color, marker) in BUDGETS.items():
            own, prune = widths[widths > budget], rc.Magnitude(n_keep=budget)
            risks = [rc.predict(network(int(p)), prune, retrain).risk for p in own]
            axes.plot(*broken(own, 200, risks), color=color, label=f"s = {budget}")
            some = [p for p in shown if p > budget]
            dots(axes, some, [network(p) for p in some], prune, retrain, color=color, marker=marker)
            axes.axhline(rc.predict(network(budget)).risk, color=color, linestyle="--", linewidth=0.8)
        axes.axvline(200, color="0.85", linewidth=1, zorder=0)
        plain(axes, [0.2, 0.5, 1, 2, 5, 10], xlabel="random features of the large model, p", title=title)
    both[0].set_ylabel("test risk")
    both[0].legend(loc="upper right")
    return figure


shown = [80, 120, 160, 250, 350, 500, 800, 1200]
figure = draw_random_features()
plt.show()

# %% [markdown]
# Dots: 20 networks of one hidden layer each, with true ReLU features. Thin broken lines: small models of s random
# features. With 200 features the dense fit interpolates its noise, and every pruned model inherits the peak; with many,
# pruned models beat small ones of their own size by far. Retraining helps the smallest budget, and hurts where s comes
# near the number of samples. Just at p = 200 it helps most: there the mask is decided by noise alone.
#
# ## Correlated features
#
# 100 features with one common factor, and parts of their own: variances stay, and the factor's share of them grows from
# nothing (independent features) to nearly all (a covariance of rank one). 60 samples, a budget of 20 features.

# %%
FACTOR = np.arange(1, 101) ** -0.25


def common(share):
    """Features of which a factor has this share; the target is the factor and what goes with it."""
    return rc.Correlated(
        covariance=rc.FactorCovariance(np.sqrt(share) * FACTOR[:, None], (1 - share) * FACTOR**2),
        coefficients=FACTOR / (FACTOR @ FACTOR),
        n_samples=60,
        noise_variance=0.2,
        ridge=0.1,
    )


LINES = {
    "dense": (None, None, "0.45", "s", ":"),
    "pruned by magnitude": (rc.Magnitude(n_keep=20), None, "tab:red", "o", "-"),
    "  retrained": (rc.Magnitude(n_keep=20), rc.Retrain(ridge=0.1), "tab:purple", "^", "-"),
    "small: the best 20": (rc.Procedure.small(n_keep=20), None, "tab:orange", "D", "--"),
}


def draw_correlated():
    figure, axes = plt.subplots(figsize=(4.6, 3.4), layout="constrained")
    shares = np.concatenate([np.linspace(0, 0.9, 10), [0.95, 0.98, 0.99, 1]])
    some = [0, 0.25, 0.5, 0.75, 0.9, 1]
    for label, (prune, retrain, color, marker, style) in LINES.items():
        risks = [rc.predict(common(share), prune, retrain).risk for share in shares]
        axes.plot(shares, risks, style, color=color, label=label)
        dots(axes, some, [common(share) for share in some], prune, retrain, color=color, marker=marker)
    axes.set(xlabel="share of the common factor", ylabel="test risk", ylim=(0.15, None))
    axes.legend()
    return figure


figure = draw_correlated()
plt.show()

# %% [markdown]
# Independent features are best left as they are pruned; the more they correlate, the more of a dropped feature's work
# its neighbours could do if they were fitted again, and retraining rescues what pruning breaks.
#
# ## The same sample, or a fresh one?
#
# The usual formula for retraining takes the second sample for a fresh one. Left: the problem with spiked variances of
# the first picture; right: random features, 1000 of them. Full lines and dots are the same sample, broken lines and
# open dots a fresh one.

# %%
PROBLEMS = {"spiked variances": first(1000, 25, 1), "random features": network(1000)}


def draw_samples():
    figure, both = plt.subplots(1, 2, figsize=(7.2, 3.4), layout="constrained")
    for axes, (title, problem) in zip(both, PROBLEMS.items(), strict=True):
        n = int(problem.n_samples)
        kept = np.concatenate([1 - np.geomspace(0.9, 0.004, POINTS), 1 + np.geomspace(0.004, 2, POINTS)])  # per sample
        prune = rc.Magnitude(keep=kept * n / int(problem.n_features))
        some = [round(share * n) for share in (0.15, 0.3, 0.5, 0.7, 0.85, 1.2, 1.5, 2.2)]
        for sample, color, style in (("same", "tab:purple", "-"), ("fresh", "tab:cyan", "--")):
            again = rc.Retrain(sample=sample)
            line = rc.predict(problem, prune, again).risk
            axes.plot(*broken(kept, 1, line), style, color=color, label=f"{sample} sample")
            for s in some:
                filled = sample == "same"
                dots(axes, [s / n], [problem], rc.Magnitude(n_keep=s), again, color=color, filled=filled, trials=10)
        axes.axhline(rc.predict(problem).risk, color="0.45", linestyle=":", label="dense")
        axes.axvline(1, color="0.85", linewidth=1, zorder=0)
        plain(axes, [0.2, 0.5, 1, 2, 5, 10, 20, 50], xlabel="features kept per sample, s/n", title=title)
    both[0].set_ylabel("test risk after retraining")
    both[0].legend(loc="upper right")
    return figure


figure = draw_samples()
plt.show()

# %% [markdown]
# ## Are the dots on the lines?

# %%
print(rc.verify(first(1000, 25, 1), rc.Hessian(n_keep=BUDGET), retrain=True, tolerance=0.08, workers=1))
