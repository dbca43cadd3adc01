"""What stands behind a risk."""

import numpy as np

# A number is imprecise if rounding may have changed more of it than this: digits that tables show are then in doubt.
MOST_ROUNDING = 1e-6


class Status:
    """One per regime, plain integers, which arrays compare fast; the public status is the name in lower case."""

    OK, INFINITE, EXACT_RECOVERY, NOT_CONVERGED, NEAR_THRESHOLD, IMPRECISE = range(6)


NAMES = np.array([name.lower() for name in vars(Status) if name.isupper()])
# What a reader can do about a public status, in words, where there is something to do.
CURES = {
    "near_threshold": "give the budget or the ratio exactly: n_keep=, a Fraction, or a string such as '2/5'",
    "imprecise": "ask for digits=",
}


def in_words(name: str) -> str:
    """A public status in words, with what a reader can do about it."""
    return name.replace("_", " ") + (f" ({CURES[name]})" if name in CURES else "")
