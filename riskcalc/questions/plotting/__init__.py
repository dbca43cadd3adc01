"""Datasets of sweeps, looked at."""
