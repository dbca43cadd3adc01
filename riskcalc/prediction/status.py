"""What stands behind a risk."""

from enum import IntEnum

import numpy as np

# A number is imprecise if rounding may have changed more of it than this: digits that tables show are then in doubt.
MOST_ROUNDING = 1e-6


class Status(IntEnum):
    """One per regime; the public status is the name in lower case."""

    OK = 0
    INFINITE = 1
    EXACT_RECOVERY = 2
    NOT_CONVERGED = 3
    NEAR_THRESHOLD = 4
    IMPRECISE = 5

    @property
    def cure(self) -> str:
        """What a reader can do about it, in words; empty where there is nothing to do."""
        return _CURES.get(self, "")


_CURES = {
    Status.NEAR_THRESHOLD: "give the budget or the ratio exactly: n_keep=, a Fraction, or a string such as '2/5'",
    Status.IMPRECISE: "ask for digits=",
}
NAMES = np.array([status.name.lower() for status in Status])


def in_words(name: str) -> str:
    """A public status in words, with what a reader can do about it."""
    cure = Status[name.upper()].cure
    return name.replace("_", " ") + (f" ({cure})" if cure else "")
