"""Finite samples: drawing them, fitting, pruning and measuring, in any array namespace. No formula of the theory."""
