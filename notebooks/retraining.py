# %% [markdown]
# # Retraining on the same data
#
# A model is fitted, pruned, and fitted again on the features kept. Mostly the second fit is to the *same* sample, the
# one by which the features were chosen. Theory often pretends that it is a *fresh* one: then the features kept are just
# a smaller problem, and known formulas apply. How much is lost by that pretence?
#
# riskcalc predicts both. Below, lines are predictions in the limit of many samples, dots are simulations at n = 1000
# with their standard errors.

# %%
import matplotlib.pyplot as plt
import numpy as np

import riskcalc as rc
from riskcalc.simulation.simulate import make_plan, run_trials

SAME, FRESH = rc.Retrain(sample="same"), rc.Retrain(sample="fresh")
POLICIES = {"magnitude": (rc.Magnitude, "tab:red"), "Hessian score": (rc.Hessian, "tab:blue")}

# %% [markdown]
# ## The problem
#
# A tenth of the features has variance 25, the others 1; all true coefficients are equal. There are 3.2 features per
# sample, so that the dense fit has no training error, and a good deal of noise. What matters below is the number of
# features kept *per sample*, s/n.


# %%
def two_level(aspect_ratio):
    return rc.LinearGaussian(
        aspect_ratio=aspect_ratio,  # p/n
        eigenvalues=[25, 1],
        signal=1,
        weights=["1/10", "9/10"],
        noise_variance=1,
    )


problem, ratio = two_level("16/5"), 3.2
dense = rc.predict(problem)
print(f"dense fit: test risk {dense.risk:.3f}, training error {dense.training_error:.3f}")


def simulated(problem, ratio, models, n_samples, trials, seed):
    """Mean and standard error of test risk and training error, shape (models, 2). Models share their samples."""
    plan = make_plan(
        problem, [rc.Procedure(policy(keep=x / ratio), retrain) for policy, x, retrain in models], n_samples
    )
    values = run_trials(plan, seed, trials, device="cpu")
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(trials)


shown = [0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.05, 1.1, 1.25, 1.6, 2.2, 3]  # features kept per sample; never one
shown_fresh = [0.3, 0.7, 0.9, 1.1, 1.4]
dots = {}
for name, (policy, _) in POLICIES.items():
    models = [(policy, x, SAME) for x in shown] + [(policy, x, FRESH) for x in shown_fresh]
    mean, error = simulated(problem, ratio, models, n_samples=1000, trials=8, seed=1)
    dots[name] = {"same": (shown, mean[: len(shown)], error[: len(shown)])}
    dots[name] |= {"fresh": (shown_fresh, mean[len(shown) :], error[len(shown) :])}

# A number kept that is exactly n would be an infinity in the middle of a line.
below, above = 1 - np.geomspace(0.8, 0.005, 120), 1 + np.geomspace(0.005, 2.2, 120)
kept = np.concatenate([below, [np.nan], above])


def line(policy, retrain, what="risk", problem=problem, ratio=ratio, kept=kept):
    values = np.full(kept.shape, np.nan)
    inside = kept <= ratio
    values[inside] = getattr(rc.predict(problem, policy(keep=kept[inside] / ratio), retrain), what)
    return values


# %%
def marks(axes, values, linear=False):
    """Plain numbers on both axes."""
    axes.set_xscale("log")
    axes.set_xticks([0.2, 0.5, 1, 2, 3], ["0.2", "0.5", "1", "2", "3"])
    if not linear:
        axes.set_yscale("log")
    axes.set_yticks(values, [f"{value:g}" for value in values])
    axes.minorticks_off()
    axes.axvline(1, color="0.85", linewidth=1, zorder=0)
    axes.set_xlabel("features kept per sample, s/n")


def draw():
    figure, (risks, ratios) = plt.subplots(1, 2, figsize=(9, 4.3), width_ratios=[1.35, 1], layout="constrained")
    for name, (policy, colour) in POLICIES.items():
        lines = {"same": line(policy, SAME), "fresh": line(policy, FRESH)}
        for sample, style in (("same", "-"), ("fresh", "--")):
            risks.plot(kept, lines[sample], style, color=colour, label=f"{name}, {sample} sample")
            x, mean, error = dots[name][sample]
            filling = colour if sample == "same" else "white"
            bars = {"color": colour, "markerfacecolor": filling, "markersize": 4.5, "capsize": 2}
            risks.errorbar(x, mean[:, 0], error[:, 0], fmt="o", **bars)
        ratios.plot(kept, lines["same"] / lines["fresh"], color=colour, label=name)
        x, mean, error = dots[name]["same"]
        fresh = rc.predict(problem, policy(keep=np.array(x) / ratio), FRESH).risk
        ratios.errorbar(x, mean[:, 0] / fresh, error[:, 0] / fresh, fmt="o", color=colour, markersize=4.5, capsize=2)
    marks(risks, [2, 5, 10, 20, 50, 100])
    risks.axhline(dense.risk, color="grey", linestyle=":", label="dense model: all features")
    risks.set(ylim=(2, 150), ylabel="test risk")
    risks.set_title("Test risk after pruning and retraining", fontsize=11)
    risks.legend(loc="upper left", fontsize=8, frameon=False)
    marks(ratios, [0, 0.25, 0.5, 0.75, 1, 1.25], linear=True)
    ratios.axhline(1, color="grey", linestyle=":")
    ratios.set(ylim=(0, 1.25))
    ratios.set_title("Same sample over fresh sample", fontsize=11)
    ratios.legend(loc="lower left", fontsize=8, frameon=False)
    return figure


figure = draw()
plt.show()

# %% [markdown]
# Lines: predictions (full: same sample, broken: fresh sample). Dots: simulations, n = 1000, p = 3200, 8 trials.

# %%
at = [0.2, 0.4, 0.6, 0.9, 1.1, 1.6, 3]
for name, (policy, _) in POLICIES.items():
    risks = [line(policy, retrain, kept=np.array(at)) for retrain in (SAME, FRESH)]
    found, errors = (np.array([what[shown.index(x), 0] for x in at]) for what in dots[name]["same"][1:])
    print(f"{name}\n  s/n    same   simulated       fresh  same/fresh")
    for x, same, fresh, mean, error in zip(at, *risks, found, errors, strict=True):
        print(f"  {x:3.1f} {same:7.2f} {mean:7.2f} ± {error:4.2f} {fresh:8.2f} {same / fresh:8.2f}")

# %% [markdown]
# Away from s = n the two samples differ little. Near it the fresh formula predicts a catastrophe that does not happen:
# at 1.1 features kept per sample it is four times too high. The features were kept *because* their coefficients came
# out large in this sample. The noise that a second fit would otherwise chase is, in part, already in the choice of
# features: the noises of the two fits are correlated, and the second fit keeps a memory of the first. With few features
# kept, magnitude pruning shows the opposite: features kept for their luck stay lucky, and the same sample is slightly
# worse.
#
# ## One shot, or several rounds?
#
# Prune a little, fit again, prune a little more: does it pay, if every fit sees the same sample? `rc.rounds` compares
# the two at every budget on the way.

# %%
print(rc.rounds(problem, "magnitude", keeps=["1/2", "1/4", "1/10"]))
gains = [
    rc.rounds(
        rc.LinearGaussian(
            aspect_ratio=aspect_ratio, eigenvalues=[25, 1], signal=1, weights=[0.1, 0.9], noise_variance=1, ridge=ridge
        ),
        rule,
        keeps=[0.5, 0.25, 0.1],
        ridge=ridge,
    )
    for aspect_ratio in (0.5, 2, 6)
    for ridge in (0, 0.5)
    for rule in ("magnitude", "hessian")
]
print(f"rounds pay in {sum(bool(schedule.rounds_pay) for schedule in gains)} of {len(gains)} problems; gains:")
print(" ".join(f"{float(schedule.gain):+.2f}" for schedule in gains))

# %% [markdown]
# In these problems they mostly do not: coefficients that were fitted again on fewer features are noisier than those of
# the dense fit, and rank features worse. That is a statement about one sample seen many times, in linear problems.
#
# ## Are the dots on the lines?

# %%
policies = [rc.Magnitude("1/8"), rc.Hessian("1/8")]
print(rc.verify(problem, policies, retrain=True, training_error=True, tolerance=0.08, workers=1))
