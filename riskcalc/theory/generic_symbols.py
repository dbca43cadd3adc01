"""Symbols of a generic basis: of masks that look at one vector, and of the fits after them."""

from riskcalc.formulas.symbols import NONNEGATIVE, POSITIVE, REAL, UNIT, reserve, scalar

# What a mask does to the vector that it looks at
k = scalar("kept_square", "share of the vector's square that is kept", UNIT, "k")
kbar = scalar("dropped_square", "share of the vector's square that is dropped", UNIT, r"\bar k")
alphabar = scalar("dropped", r"fraction of features dropped, $1-\alpha$", UNIT, r"\bar\alpha")
sight = scalar("sight", r"what the mask knows of its vector, $k-\alpha$", NONNEGATIVE, r"\chi")

# Pruned fits
flat = scalar("flat", "mean square of its predictions, if the fit had no direction", NONNEGATIVE, "F")
factor = scalar("best_factor", "what kept coefficients are multiplied by", REAL, r"\varphi")
found = scalar("truth_found", "product of the fit with the truth, over the truth's square", REAL, "c")
blind = scalar("blind", "mean square of what else the fit has found", NONNEGATIVE, "w")

# The second fit
eta = scalar("refit_slack", r"one minus $\kappa$ times the mean shrinkage of the second fit", NONNEGATIVE, r"\eta")
unused = scalar("unused", r"$\alpha$ minus the mean shrinkage of the second fit", NONNEGATIVE, r"x")
spare = scalar("small_excess", r"$\kappa\alpha-1$", REAL, r"\delta_2")
g = scalar("mean_rest", r"$\omega\,\mathbb{E}[1/(\Lambda+\omega)]$, one minus the mean shrinkage", UNIT, "g")
e12 = scalar("mean_bend", r"mean product of shrinkage and its complement", UNIT, r"e_{12}")
m2 = scalar("mean_square_rest", r"what the echo's square is in proportion to", NONNEGATIVE, "m_2")
loss = scalar("loss", "what the echo of the mask adds to the risk, per unit", NONNEGATIVE, r"\delta")
spreading = scalar("spreading", "what it adds to the mean square of the coefficients, per unit", REAL, r"\delta_I")
echo_norm = scalar("echo_norm", "what the echo's variance is in proportion to", NONNEGATIVE, "v")

# On the same sample: a ridge fit, the dense one, and an echo
blend = scalar("blend", "weight of the dense fit in the retrained one", REAL, "t")
overlap = scalar(
    "ridge_overlap", "product of the ridge fit and the dense one, over the dense one's square", NONNEGATIVE, "o"
)
risk_bb = scalar("risk_bb", "test risk of the ridge fit", NONNEGATIVE, r"\gamma_{bb}")
risk_ab = scalar("risk_ab", "covariance of the errors of the ridge fit and the dense one", NONNEGATIVE, r"\gamma_{ab}")
excess_bb = scalar(
    "excess_bb", "test risk of the ridge fit beyond the noise", NONNEGATIVE, r"\gamma_{bb}^{\mathrm{ex}}"
)
excess_ab = scalar("excess_ab", "covariance of both errors beyond the noise", REAL, r"\gamma_{ab}^{\mathrm{ex}}")
norm_aa = scalar("norm_aa", "mean square of the dense fit's coefficients", NONNEGATIVE, "N_{aa}")
norm_ab = scalar("norm_ab", "mean product of both fits' coefficients", NONNEGATIVE, "N_{ab}")
norm_bb = scalar("norm_bb", "mean square of the ridge fit's coefficients", NONNEGATIVE, "N_{bb}")
product = scalar("vector_product", "mean product of the second fit and the vector that is looked at", REAL, r"\ell")
norm = scalar("refit_norm", "mean square of the second fit's coefficients, but for the echo", NONNEGATIVE, "Q")

# On a fresh sample, or told the truth: what is left of the truth beside the vector, and the vector
u = scalar("vector_weight", "multiple of the vector in the second fit", REAL, "u")
reached = scalar("reached", "product of the vector with the ridge fit to the truth, over its square", REAL, "o_v")
shrunk = scalar("shrunk", "what a ridge fit would leave of the vector's square", UNIT, r"\pi_v")
resistance = scalar("resistance", "what keeps the vector out of the second fit", NONNEGATIVE, r"\rho_v")
refound = scalar("refound", "test risk of the ridge fit to what is left of the truth", NONNEGATIVE, r"\gamma'")
refound_excess = scalar("refound_excess", "the same beyond the noise", REAL, r"\gamma'^{\mathrm{ex}}")

# Two interpolators of one sample, exactly
square = scalar("interpolator_square", "square of the interpolator", POSITIVE, r"\|v\|^2")
dropped_over_kept = scalar(
    "dropped_over_kept", "mean of the share dropped over the share kept", POSITIVE, r"\overline{(1-k)/k}"
)
distance = scalar("distance", "mean square distance of the two interpolators", NONNEGATIVE, r"d^2")
unseen_variance = scalar(
    "unseen_variance", "mean variance in the directions that the sample does not see", NONNEGATIVE, r"\bar\Lambda_0"
)
interpolator_risk = scalar("interpolator_risk", "test risk of the interpolator", NONNEGATIVE, "R_v")

reserve()
