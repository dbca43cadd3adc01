"""The symbols of the row law; means of those of a row are over the rows of the table."""

from riskcalc.formulas.symbols import NONNEGATIVE, POSITIVE, REAL, UNIT, law_symbol, reserve, scalar

drawn = scalar("drawn", "fraction of the rows of the table that a sample has", UNIT, "f")

# A row of features x and target y, and the mean of the fit, by its deterministic equivalent Q
row_odds = law_symbol(
    "row_odds", r"$x^\top(S+\lambda)^{-1}x/n$ with a sample covariance $S$ without the row", NONNEGATIVE, "o"
)
row_weight = law_symbol("row_weight", "weight of a row in $Q$", POSITIVE, "w")
lever = law_symbol("lever", r"$x^\top Qx/n$", NONNEGATIVE, r"\ell")
pull = law_symbol("pull", "part of its own residual that a row takes by being drawn", UNIT, r"\pi")
pullbar = law_symbol("pullbar", "one minus that", UNIT, r"\bar\pi")
mean_residual = law_symbol("mean_residual", r"$y-x^\top\bar\beta$, a mean over all samples", REAL, r"\bar e")
miss = law_symbol("miss", "mean residual over samples without the row", REAL, "e")
miss_square = law_symbol("miss_square", "mean square of the residual over samples without the row", NONNEGATIVE, "s")
fit_variance = law_symbol("fit_variance", r"$x^\top Vx$, variance of a fitted value over all samples", NONNEGATIVE, "u")
shock = law_symbol("shock", r"weight of $xx^\top$ in the covariance of the coefficients", NONNEGATIVE, r"\omega")

# Of a row and a pruned fit
all_square = law_symbol("all_square", "mean square of the pruned residual over all samples", NONNEGATIVE, "A")
all_product = law_symbol("all_product", "mean product of the pruned residual and the dense one", REAL, "P")
recall = law_symbol("recall", "part of its own dense residual that the pruned fit takes", REAL, r"\theta")
miss_product = law_symbol("miss_product", "that product over samples without the row", REAL, "p")
pruned_square = law_symbol("pruned_square", "mean square of the pruned residual without the row", NONNEGATIVE, "t")

# Fitted again
gaussian_retrained = scalar("gaussian_retrained", "its test risk with Gaussian rows", NONNEGATIVE, r"R_{\mathcal N}")
small_rows = scalar("small_rows", "test risk of small models on its features", NONNEGATIVE, r"r")
small_gaussian = scalar("small_gaussian", "theirs with Gaussian rows", POSITIVE, r"r_{\mathcal N}")

reserve()
