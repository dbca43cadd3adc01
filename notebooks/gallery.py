# %% [markdown]
# # A gallery
#
# The pictures of the README, made by one command: `python notebooks/gallery.py` writes them beside this file, in about
# a minute on one core. Lines and regions are predictions in the limit of many samples; markers are simulations, which
# know no formula.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import riskcalc as rc

FOLDER = Path(__file__).parent if "__file__" in globals() else Path()
POINTS = 200  # of a curve
GRID = 400  # along each axis of a map


def two_level(**changes):
    """A tenth of the features has a variance of 25, the others of 1; all coefficients are equal."""
    given = {"eigenvalues": [25, 1], "signal": 1, "weights": ["1/10", "9/10"], "noise_variance": 1}
    return rc.LinearGaussian(**{"aspect_ratio": "10/3"} | given | changes)


def show(draw, name):
    """Write a picture, and show it."""
    draw(path=FOLDER / f"{name}.png")
    draw()
    plt.show()


# %% [markdown]
# ## Double descent of pruned models
#
# A tenth of the features is kept. What is pruned inherits the peak of the dense fit, at p = n; what is fitted again has
# its own, where the features kept are as many as the samples.

# %%
problem, models = two_level(), ["dense", "magnitude", "hessian", "hessian+retrain", "small"]
curves = rc.sweep(problem, {"aspect_ratio": np.geomspace(0.25, 25, POINTS)}, models, keep="1/10")
few = {"aspect_ratio": ["1/3", "1/2", "3/4", "3/2", 3, 6, 14]}
dots = rc.sweep(problem, few, models, keep="1/10", trials=20, n_samples=400, seed=1, workers=1)
show(lambda **to: rc.plot(curves, simulated=dots, **to), "double_descent")

# %% [markdown]
# ## Retraining on the same sample
#
# Near s = n the formula for a fresh sample predicts a catastrophe that does not happen on the sample by which the
# features were chosen.

# %%
problem, models = two_level(aspect_ratio="16/5"), ["hessian", "hessian+retrain", "hessian+fresh"]
curves = rc.sweep(problem, {"keep": np.linspace(0.02, 1, POINTS)}, models)
few = {"keep": ["1/20", "1/10", "1/5", "1/4", "2/5", "3/5", "4/5"]}
dots = rc.sweep(problem, few, models, trials=20, n_samples=400, seed=1, workers=1)
show(lambda **to: rc.plot(curves, simulated=dots, **to), "retraining")

# %% [markdown]
# ## Prune, retrain, or train small?
#
# All features have a variance of one, and a tenth of them has coefficients five times as large. Which features are best
# nobody tells the small model.

# %%
problem, models = two_level(eigenvalues=1, signal=[5, 1]), ["magnitude", "magnitude+retrain", "small_by_chance"]
over = {"aspect_ratio": np.geomspace(0.25, 25, GRID), "keep": np.geomspace(0.01, 0.99, GRID)}
regions = rc.sweep(problem, over, models)
few = {"aspect_ratio": ["1/2", "6/5", "11/4", 10], "keep": ["1/40", "1/16", "1/6", "2/5", "4/5"]}
dots = rc.sweep(problem, few, models, trials=20, n_samples=400, seed=1, workers=1)
show(lambda **to: rc.plot(regions, simulated=dots, **to), "phases")

# %% [markdown]
# ## What pruning does to the coefficients
#
# The law of what the Hessian score ranks by, and what of it is kept.

# %%
show(rc.predict(two_level(noise_variance=0), rc.Hessian(keep="1/10")).plot, "coefficients")

# %% [markdown]
# ## Do the two agree?

# %%
print(rc.verify(two_level(), [rc.Hessian("1/10"), rc.Magnitude("1/10")], tolerance=0.05, workers=1))
