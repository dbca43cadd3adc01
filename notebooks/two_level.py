# %% [markdown]
# # Prune a large model, or train a small one?
#
# A tutorial on the smallest problem in which pruning is interesting. You have n samples of p features, and in the end
# may use only some of the features. You can
#
# - train a *small model* on the features that you believe to be the best,
# - or train on all of them and *prune*: keep the features that came out as the most important,
# - and then perhaps *retrain* what was kept.
#
# riskcalc computes the test risk of each (the mean squared error on new data) in the limit of large n and p. Here its
# predictions are lines, and simulations at a few hundred samples are the dots, with their standard errors.

# %%
import matplotlib.pyplot as plt
import numpy as np

import riskcalc as rc

# %% [markdown]
# ## The problem
#
# A tenth of the features is strong: their variance is 25, that of the others is 1. All true coefficients are equal, so
# the strong features carry 25/34 of the signal. There are ten features for every three samples: the model that uses all
# of them fits its training data exactly.


# %%
def two_level(aspect_ratio):
    return rc.LinearGaussian(
        aspect_ratio=aspect_ratio,  # p/n
        eigenvalues=[25, 1],  # variances of the features
        signal=1,  # sqrt(p) * coefficients
        weights=["1/10", "9/10"],  # how many of the features are of each kind
        noise_variance="1/10",
    )


problem = two_level("10/3")
print(rc.compare(problem, keep="1/10"))

# %% [markdown]
# *Magnitude* pruning keeps the largest fitted coefficients. *Hessian* pruning (optimal brain damage) weighs each with
# the standard deviation of its feature, and so asks how much the loss would grow without it. The small model is told
# which features are best, and still loses to Hessian pruning: it has to treat the features that it leaves out as noise,
# while the large model explains a part of them before it drops them.
#
# ## Which budget?
#
# `keep` may be an array: one call gives a whole line. In a simulation, the small model is what an oracle leaves, fitted
# again: the oracle looks at the true coefficients only, so it makes no use of the sample. All dots of a line come from
# the same samples (the same seed), so that they stray together.

# %%
FRESH = rc.Retrain(sample="fresh")  # a second sample, of which the choice of features is independent
MODELS = {  # colour, how to predict, and the arguments to simulate
    "small model": ("black", rc.small_model, lambda keep: (rc.Oracle(keep), True)),
    "pruned by magnitude": (
        "tab:red",
        lambda problem, keep: rc.predict(problem, rc.Magnitude(keep)),
        lambda keep: (rc.Magnitude(keep),),
    ),
    "pruned by Hessian score": (
        "tab:blue",
        lambda problem, keep: rc.predict(problem, rc.Hessian(keep)),
        lambda keep: (rc.Hessian(keep),),
    ),
    "Hessian, retrained on a fresh sample": (
        "tab:green",
        lambda problem, keep: rc.predict(problem, rc.Hessian(keep), FRESH),
        lambda keep: (rc.Hessian(keep), FRESH),
    ),
}
NULL_RISK = 0.1 + 0.1 * 25 + 0.9 * 1  # of predicting zero


def new_axes(xlabel, ticks, lowest):
    _, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    axes.set(xscale="log", yscale="log", ylim=(lowest, 15), xlabel=xlabel, ylabel="test risk")
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    levels = [level for level in (0.1, 0.2, 0.5, 1, 2, 5, 10) if level >= lowest]
    axes.set_yticks(levels, [f"{level:g}" for level in levels])
    axes.axhline(NULL_RISK, color="grey", linestyle=":", label="predicting zero")
    return axes


def draw(axes, label, colour, x, predicted, shown, estimates):
    axes.plot(x, predicted, color=colour, label=label)
    means, errors = [one.mean for one in estimates], [one.stderr for one in estimates]
    axes.errorbar(shown, means, errors, fmt="o", color=colour, markersize=4, capsize=2)


keep, shown = np.geomspace(0.01, 1, 400), [0.02, 0.05, 0.1, 0.15, 0.2, 0.4, 0.6, 0.9]
axes = new_axes("fraction of the features kept", [0.01, 0.03, 0.1, 0.3, 1], lowest=0.9)
for label, (colour, predict, arguments) in MODELS.items():
    estimates = [rc.simulate(problem, *arguments(at), n_samples=180, trials=50) for at in shown]
    draw(axes, label, colour, keep, predict(problem, keep).risk, shown, estimates)
axes.axhline(rc.predict(problem).risk, color="grey", linestyle="--", label="dense model: all features")
axes.legend(loc="upper left")
plt.show()

# %% [markdown]
# - Hessian pruning costs little down to a tenth of the features, where only the strong ones are left: 1.36 instead of
#   1.15. Below that it drops strong features too.
# - Magnitude pruning drops them much earlier. The coefficients of the weak features are noisier, and there are nine
#   times as many of them, so that some come out large.
# - Models that are fitted to the kept features alone (black, green) explode where these are as many as the samples, at
#   keep = 0.3. Retraining, often taken to be harmless, makes Hessian pruning worse at every budget here.
#
# ## Double descent
#
# Now keep a tenth, and change the number of features per sample. The dense model has a peak where p = n: there it can
# only just fit all of its training data, noise included. Beyond it the risk falls again, and then rises as samples
# become few. Pruned models inherit the peak from the dense model that they are made of. The small model has none there,
# but one of its own where its features are as many as the samples, at p/n = 10.
#
# On the left, with many samples, every coefficient is found well, and as all are equal, magnitude has nothing to choose
# by: it keeps the noisiest, and is little better than predicting zero.

# %%
ratios = np.geomspace(0.15, 9, 400)
shown = [0.2, 0.4, 0.7, 1.5, 2.5, 4, 7]
axes = new_axes("features per sample, p/n", [0.2, 0.5, 1, 2, 5], lowest=0.08)
everything = {"dense model: all features": ("grey", lambda problem, keep: rc.predict(problem), lambda keep: ())}
for label, (colour, predict, arguments) in (everything | MODELS).items():
    estimates = [rc.simulate(two_level(at), *arguments("1/10"), n_samples=round(300 / at), trials=50) for at in shown]
    draw(axes, label, colour, ratios, predict(two_level(ratios), "1/10").risk, shown, estimates)
axes.legend(loc="lower right")
plt.show()

# %% [markdown]
# ## Are the dots on the lines?
#
# The eye is a poor judge. `rc.verify` simulates at three sizes, extrapolates to infinite size, and says "agree" only
# where the interval of what is left lies within the tolerance.

# %%
budget = "1/10"
print(rc.verify(problem, [None, rc.Magnitude(budget), rc.Hessian(budget), rc.Oracle(budget)], tolerance=0.02))
