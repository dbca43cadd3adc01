# %% [markdown]
# # Pruned networks: does the intuition hold where people work?
#
# Linear models and random features teach that a large model, pruned, may beat a small one of as many weights, that the
# pruned model has a descent of its own, and that which rule prunes best depends on how features correlate. Here are
# networks: of more and more hidden units, trained on few images, a fifth of them with a wrong label, and pruned to the
# weights of one small network. A second part takes trained networks apart: their last layers are tables, on which
# riskcalc predicts.
#
# This needs JAX and optax (`pip install 'riskcalc[networks]'`), and half an hour on two cores. What was trained is
# kept in `networks.cells`, width by width: run it again, and it goes on where it was ended. Images are scikit-learn's
# digits; set IMAGES to "fashion" (Fashion-MNIST) or "cifar" (CIFAR-10) once you have fetched them: `network_data.py`
# says how, and so does the error if they are not there. LARGE trains wider networks on more images: for a GPU, which
# JAX takes where it finds one.

# %%
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import network_training as nt
import numpy as np
from network_data import load
from scipy.stats import kendalltau

import riskcalc as rc

IMAGES, LARGE, SEEDS = "digits", False, 5
WIDTHS = (2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
CHANNELS = (1, 2, 4, 6, 9, 12, 16, 24, 32, 48, 64)
SMALL, SMALL_CHANNELS, STEPS = 16, 4, 1500

images = load(IMAGES)
if LARGE:
    WIDTHS, CHANNELS, STEPS = (*WIDTHS, 1024, 2048, 4096), (*CHANNELS, 128, 256), 4000


def trained(network, widths, small, n_samples):
    """A family of networks, pruned to the weights of a small one of them."""
    n_keep = network.size(images.X.shape[1:], small, images.classes)
    training = nt.Training(n_samples=(10 if LARGE else 1) * n_samples, n_keep=n_keep, steps=STEPS)
    found = nt.train_widths(network, images, training, widths, SEEDS, Path("networks.cells"))
    print(f"{network.name}: {n_keep:,} weights kept, {training.n_samples:,} images, {found.seconds:.0f} s")
    return training, found


# %% [markdown]
# ## Width
#
# One hidden layer of rectified units, and one convolution of 3 x 3 pixels, mean pooling and a linear layer. The loss
# is squared distance to one-hot labels, descended by Adam on the whole sample. All weights, biases among them, are
# pruned together:
#
# - by *magnitude*;
# - by *second order*, w² h / 2 with the diagonal h of the Gauss-Newton matrix: what the loss rises by, to second order;
# - at *random*.
#
# Afterwards the network is as it is, or *tuned*: trained again from the pruned weights; or *rewound*: from the weights
# that they had before training; or pruned and tuned in four *rounds*, with as many steps in all. At the width where the
# network has no more weights than are kept, nothing is pruned: tuned is the small dense network trained twice as long.

# %%
LOOKS = {"magnitude": ("#BB5566", "o"), "second order": ("#004488", "^"), "random": ("#56B4E9", "v")}
STYLES = {"pruned": ":", "tuned": "-", "rewound": "--", "rounds": "-."}
plt.rcParams.update({"font.size": 8, "legend.fontsize": 7, "legend.frameon": False, "axes.titlesize": 8})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "lines.markersize": 3.5})


def threshold(found, model, least=0.01):
    """The smallest width from which on nearly all training labels, wrong ones too, are learned; nan if none."""
    fine = np.cumprod((found.of(model, "training error")[0] <= least)[::-1])[::-1]
    return found.widths[np.argmax(fine)] if fine.any() else np.nan


def draw_errors(training, found, measured):
    """Errors against the number of weights: after each treatment in a panel of its own, dense networks in all."""
    figure, panels = plt.subplots(1, 4, figsize=(7.4, 2.7), sharey=True, layout="constrained")
    for axes, (what, style) in zip(panels, STYLES.items(), strict=True):
        for model in ("dense", *(f"{rule}, {what}" for rule in LOOKS)):
            if model not in nt.MODELS:
                continue
            color, marker = LOOKS.get(model.split(",")[0], ("black", "s"))
            seen = found.n_weights >= (0 if model == "dense" else training.n_keep)
            mean, error = (one[seen] for one in found.of(model, measured))
            label = model.split(",")[0]
            line = style if model != "dense" else "-"
            axes.errorbar(
                found.n_weights[seen], mean, error, fmt=line, marker=marker, color=color, label=label, lw=1, capsize=1.5
            )
        axes.axvline(training.n_keep, color="0.6", lw=0.8, ls=":")
        axes.axvline(training.n_samples * images.classes, color="0.6", lw=0.8)
        axes.set(xscale="log", title=what, xlabel="weights before pruning", ylim=(0, None))
    panels[0].set_ylabel(measured)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    plt.show()


def table_of(training, found):
    """Test errors in percent with standard errors, of every model, and the thresholds."""
    shown = [i for i, size in enumerate(found.n_weights) if size >= training.n_keep]
    print(f"{'test error, %; width':24s}" + "".join(f"{found.widths[i]:>11d}" for i in shown) + "   learns all from")
    for model in nt.MODELS:
        mean, error = (100 * one for one in found.of(model, "test error"))
        cells = "".join(f"{mean[i]:7.1f}±{error[i]:3.1f}" for i in shown)
        print(f"{model:24s}{cells}   {threshold(found, model):g}")


training, found = trained(nt.DENSE, WIDTHS, SMALL, 300)
table_of(training, found)
draw_errors(training, found, "test error")

# %%
draw_errors(training, found, "training error")

# %%
channels, convolution = trained(nt.CONVOLUTION, CHANNELS, SMALL_CHANNELS, 150)
table_of(channels, convolution)
draw_errors(channels, convolution, "test error")

# %% [markdown]
# ## What ranks networks?
#
# Kuhn, Lyle, Gomez, Rothfuss and Gal (2021) rank networks by prunability: the smallest fraction of the weights, by
# magnitude, with which the training loss rises by no more than a little (here: by 5 % of the loss of a constant).
# Kendall's tau between each measure of the dense networks and their test error, over widths and seeds together, and on
# either side of the width with the largest mean test error from the first minimum on.

# %%


def peak(found):
    """Where the mean test error is largest after its first minimum."""
    mean = found.of("dense", "test error")[0]
    first = int(np.argmax(np.diff(mean) > 0))
    return first + int(np.argmax(mean[first:]))


def ranks(found):
    """Print Kendall's tau of every measure and the test error."""
    at, widths = peak(found), np.arange(len(found.widths))
    sides = {"all widths": widths >= 0, "up to the peak": widths <= at, "from the peak on": widths >= at}
    print(f"{'peak at width ' + str(found.widths[at]):28s}" + "".join(f"{side:>18s}" for side in sides))
    errors = found.errors[:, :, 0, nt.MEASURED.index("test error")]
    for i, measure in enumerate(nt.MEASURES):
        taus = [
            kendalltau(found.measures[side, :, i].ravel(), errors[side].ravel()).statistic for side in sides.values()
        ]
        print(f"{measure:28s}" + "".join(f"{tau:18.2f}" for tau in taus))


ranks(found)
ranks(convolution)
