"""From formulas to callables in one number system: the compiler, and each system's routines."""
