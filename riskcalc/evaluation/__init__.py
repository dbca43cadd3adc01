"""Formulas evaluated at inputs, with all that they need: the plan, the inputs, the roots."""
