"""Kinds of pruning rules, as surveys of pruning tell them apart, in the order in which they are told of.

T. Hoefler, D. Alistarh, T. Ben-Nun, N. Dryden and A. Peste, "Sparsity in deep learning", JMLR 22 (2021): what a choice
goes by, whether single weights are removed or whole structures, and whether at once or in rounds.
"""

DATA_FREE, DATA_DRIVEN, SECOND_ORDER, BY_SAMPLING, STRUCTURED, IN_ROUNDS, OWN, BOUND = TAXA = (
    "data-free",
    "data-driven",
    "second order",
    "by sampling",
    "structured",
    "iterative",
    "of one's own",
    "oracle and bounds",
)
