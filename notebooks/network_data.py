"""Images for `networks`: in scikit-learn's wheel, or fetched by the reader; nothing here downloads."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np


@dataclass(frozen=True)
class Images:
    """Labelled images, of which some are drawn for training.

    Attributes
    ----------
    name : str
    X : ndarray of float32, shape (images, side, side, channels)
        Centred; of mean square one over all images.
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


def standardised(name: str, pixels: np.ndarray, labels: np.ndarray) -> Images:
    """Images of pixels of any scale, centred pixel by pixel."""
    X = pixels.astype(np.float64)
    X -= X.mean(axis=0)
    return Images(name, (X / np.sqrt(np.mean(X**2))).astype(np.float32), labels.astype(np.int32))


def digits() -> Images:
    """1,797 handwritten digits of 8 x 8 pixels."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return standardised("digits", pixels.reshape(-1, 8, 8, 1), labels)
