"""What stands behind a risk."""

from enum import IntEnum

import numpy as np


class Status(IntEnum):
    """One per regime; the public status is the name in lower case."""

    OK = 0
    INFINITE = 1
    EXACT_RECOVERY = 2
    NOT_CONVERGED = 3


NAMES = np.array([status.name.lower() for status in Status])
