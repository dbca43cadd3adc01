"""Numbers as strategies draw them.

Hypothesis shrinks one choice after the other, the last ones first, towards the first or the smallest. So the simplest
comes first; atoms are drawn last, and one is left out by its own mass, on which nothing else that is drawn depends.
"""

from __future__ import annotations

import math

from hypothesis import strategies as st

# Coefficients, noise variances and ridges over several decades.
COEFFICIENTS, NOISE, RIDGES = (0.1, 10.0), (1e-4, 10.0), (1e-6, 10.0)


def numbers(low: float, high: float, simplest: float = 1.0) -> st.SearchStrategy[float]:
    """Numbers between two bounds, evenly in their logarithm; they shrink towards the simplest, times powers of two."""
    start = min(max(simplest, low), high)
    exponents = floats(math.log2(low / start), math.log2(high / start))
    return exponents.map(lambda x: min(max(start * 2.0**x, low), high))


@st.composite
def signed(draw: st.DrawFn) -> float:
    """Coefficients of either sign, or zero."""
    return draw(st.sampled_from([1.0, -1.0, 0.0])) * draw(numbers(*COEFFICIENTS))


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers between two bounds, evenly; none that some processes flush to zero."""
    return st.floats(low, high, allow_subnormal=False)


def either(wanted: bool | None) -> st.SearchStrategy[bool]:
    """What is wanted, or either."""
    return st.booleans() if wanted is None else st.just(wanted)


def zero_or(wanted: bool | None, numbers: st.SearchStrategy[float]) -> st.SearchStrategy[float]:
    """Numbers if they are wanted, zero if not, or either."""
    return st.just(0.0) | numbers if wanted is None else numbers if wanted else st.just(0.0)


def once_in(times: int) -> st.SearchStrategy[bool]:
    """True about once in so many times."""
    return st.integers(1, times).map(lambda drawn: drawn == times)
