"""Until tests/test_retraining.py imports from helpers; then this file goes."""

from helpers import Regime, regimes

__all__ = ["Regime", "regimes"]
