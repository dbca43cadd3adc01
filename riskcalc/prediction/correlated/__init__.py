"""Correlated features."""
