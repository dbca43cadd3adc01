"""Sweeps: what models do over a grid of problems and budgets, predicted and simulated."""
