# %% [markdown]
# # Does prunability predict generalisation?
#
# Kuhn, Lyle, Gomez, Rothfuss and Gal (2021) found that networks that can be pruned far before their *training* error
# notices generalise well: "prunability" ranked networks by test risk better than norms or parameter counts. For linear
# problems both sides are exact numbers. Here is a family of problems that crosses the double-descent peak: the number
# of features per sample grows, all else fixed.

# %%
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import kendalltau

import riskcalc as rc

ratios = np.concatenate([np.geomspace(0.2, 0.85, 15), np.geomspace(1.2, 8, 20)])
LAWS = {
    "two levels": {"eigenvalues": [25, 1], "signal": 1, "weights": ["1/10", "9/10"]},
    "power law": {"law": rc.laws.PowerLaw(1.0, 0.25, 400)},
    "flat": {"eigenvalues": 1, "signal": [2, 0.5], "weights": ["1/4", "3/4"]},
}
NOISE = 0.5


def measures(law):
    """What is measured on the training sample alone, and the test risk, along the family."""
    problem = rc.LinearGaussian(aspect_ratio=ratios, noise_variance=NOISE, **law)
    dense = rc.predict(problem)
    eigenvalues, signal = problem.law.eigenvalues.astype(float), problem.law.signal.astype(float)
    weights = np.ones(1) / problem.n_atoms if problem.law.weights is None else problem.law.weights.astype(float)
    nu, risk = dense.effective_ridge[:, None], dense.risk[:, None]
    # The law of a fitted coefficient (dense.coefficient): mean a B, variance kappa risk Lambda / (Lambda + nu)^2.
    fitted = (eigenvalues * signal / (eigenvalues + nu)) ** 2
    fitted = fitted + ratios[:, None] * risk * eigenvalues / (eigenvalues + nu) ** 2
    null = NOISE + np.sum(weights * eigenvalues * signal**2)
    found = {
        f"prunability, tolerance {part:g}": rc.prunability(problem, part * null, [rc.Magnitude]).keep["magnitude"]
        for part in (0.01, 0.05, 0.2)
    }
    found["squared norm of the coefficients"] = np.sum(weights * fitted, axis=-1)
    found["size of the predictions"] = np.sum(weights * eigenvalues * fitted, axis=-1)
    found["parameters per sample"] = ratios
    found["training error"] = dense.training_error
    return found, dense.risk


results = {name: measures(law) for name, law in LAWS.items()}

# %% [markdown]
# Kendall's tau between each measure and the test risk: 1 if they rank all problems alike, 0 if they are unrelated.

# %%
sides = {"whole family": ratios > 0, "p < n": ratios < 1, "p > n": ratios > 1}
for name, (found, risk) in results.items():
    print(f"\n{name:34s}" + "".join(f"{side:>14s}" for side in sides))
    for measure, value in found.items():
        taus = []
        for chosen in sides.values():
            one, other = np.round(value[chosen], 12), risk[chosen]
            taus.append(kendalltau(one, other).statistic if np.ptp(one) > 0 else np.nan)
        print(f"{measure:34s}" + "".join(f"{tau:14.2f}" for tau in taus))

# %%
figure, panels = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
for axes, (name, (found, risk)) in zip(panels, results.items(), strict=True):
    axes.plot(ratios, risk / risk.max(), "k.-", label="test risk, over its largest")
    axes.plot(ratios, found["prunability, tolerance 0.05"], ".-", color="tab:red", label="prunability")
    norm = found["squared norm of the coefficients"]
    axes.plot(ratios, norm / norm.max(), ".-", color="tab:blue", label="squared norm, over its largest")
    axes.axvline(1, color="0.8", zorder=0)
    axes.set(xscale="log", title=name, xlabel="features per sample, p/n", ylim=(0, 1.05))
    axes.set_xticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
    axes.minorticks_off()
figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
plt.show()

# %% [markdown]
# What is found:
#
# - Below the peak (p < n) prunability does rank problems by test risk where the tolerance is large enough (flat and
#   power law), and so do the norms, perfectly; with two levels of variance it fails.
# - Beyond the peak (p > n) prunability falls as features are added, whether the test risk falls or rises: it ranks
#   these problems exactly as the norm does (the same tau, to two digits), so it says nothing that the norm does not.
#   Where the risk rises with p (two levels, power law) both are wrong in sign.
# - Over the whole family neither beats the parameter count, which is itself only as good as the family is monotone.
#
# So the claim made for networks does not hold in linear problems at fixed signal: there, how far a fit can be pruned
# before its training error notices measures how small its coefficients are, not how well it predicts.

# %%
problem = rc.LinearGaussian(aspect_ratio=3, noise_variance=NOISE, **LAWS["two levels"])
policies = [rc.Magnitude("1/2"), rc.Hessian("1/2")]
print(rc.verify(problem, policies, training_error=True, tolerance=0.06, workers=1))
