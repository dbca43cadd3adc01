"""Hypothesis profiles: deterministic under CI=true (Hypothesis's own rule), and a randomised one for longer runs.

Randomised:  python -m pytest tests --hypothesis-profile=randomised
"""

import os

# Before NumPy is loaded: the suite runs in a process per core, and threads of BLAS on top would fight over the cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, max_examples=60, derandomize="CI" in os.environ)
settings.register_profile(
    "randomised", deadline=None, max_examples=600, derandomize=False, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("default")
