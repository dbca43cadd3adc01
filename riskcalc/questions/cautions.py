"""Why predictions for a table must not be trusted, where that is so."""

from __future__ import annotations

import numpy as np

from riskcalc.exact import as_float
from riskcalc.problems import Table
from riskcalc.quoting import names

# How near to the rank the size of a sample is near, of it.
NEAR = 0.2
# A column whose fourth moment is so many squared variances stands on few rows, in a sample on fewer than these.
HEAVY, FEW = 20.0, 5.0


def cautions(table: Table, n_keep: int) -> list[str]:
    """Sentences; none where there is no reason."""
    n, found = int(table.n_samples), []
    if as_float(table.ridge) == 0:
        rank = int(np.linalg.matrix_rank(table.features))
        for size, what in ((rank, "the rank of the table"), (n_keep, "the number of columns kept")):
            if abs(n - size) <= NEAR * size:
                found.append(
                    f"Caution: n_samples = {n} is within {NEAR:.0%} of {what}, {size}, and there is no ridge: risks "
                    "are large there, vary much from sample to sample, and are predicted badly; give a ridge."
                )
    carried = np.mean(table.features**4, axis=0) / np.mean(table.features**2, axis=0) ** 2
    few = np.flatnonzero((carried > HEAVY) & (n / carried < FEW))
    if len(few):
        columns = names([table.names[i] if table.names else str(i) for i in few.tolist()])
        found.append(
            f"Caution: few rows carry {'the column' if len(few) == 1 else f'{len(few)} columns'}, {columns}: most "
            "samples hold hardly any of them, and predictions are the worse, above all without a ridge; leave such "
            "columns out, or give a ridge."
        )
    return found
