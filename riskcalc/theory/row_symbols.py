"""The symbols of rows of unequal length."""

from riskcalc.formulas.symbols import NONNEGATIVE, REAL, UNIT, law_symbol, reserve, scalar

# The law of a row; means of these are over the rows.
T = law_symbol("row_variance", "what the variances of the features are multiplied by in a row", NONNEGATIVE, "T")
upsilon = law_symbol("upsilon", "leverage of a row: its own part in its fitted value", UNIT, r"h")
upsilonbar = law_symbol("upsilonbar", "one minus the leverage", UNIT, r"\bar h")
upsilon2 = law_symbol("upsilon2", "leverage of a row in the second fit", UNIT, r"h_2")
upsilon2bar = law_symbol("upsilon2bar", "one minus the leverage in the second fit", UNIT, r"\bar h_2")
row_ridge = scalar("row_ridge", r"effective ridge of rows, as $\nu$ is of features", NONNEGATIVE, r"\eta")
row_ridge2 = scalar("row_ridge2", "effective ridge of rows in the second fit", NONNEGATIVE, r"\eta_2")

# Means over the rows
leverage = scalar("mean_leverage", "mean leverage of the rows", UNIT, r"\pi")
leverage2 = scalar("leverage2", "mean leverage in the second fit", UNIT, r"\pi_2")
r00 = scalar("r00", r"mean of $\bar h^2$", UNIT, "r_{00}")
r01 = scalar("r01", r"mean of $h\bar h$", UNIT, "r_{01}")
r11 = scalar("r11", r"mean of $h^2$", UNIT, "r_{11}")
t00 = scalar("t00", r"mean of $T\bar h^2$", NONNEGATIVE, "t_{00}")
t01 = scalar("t01", r"mean of $Th\bar h$", NONNEGATIVE, "t_{01}")
t11 = scalar("t11", r"mean of $Th^2$", NONNEGATIVE, "t_{11}")
i11 = scalar("i11", r"mean of $h^2/T$", NONNEGATIVE, "i_{11}")
s01 = scalar("s01", r"mean of $h_2\bar h_2$", UNIT, "s_{01}")
s11 = scalar("s11", r"mean of $h_2^2$", UNIT, "s_{11}")
c11 = scalar("c11", r"mean of $hh_2$", UNIT, "c_{11}")
c21 = scalar("c21", r"mean of $h^2h_2$", UNIT, "c_{21}")
j11 = scalar("j11", r"mean of $hh_2/T$", NONNEGATIVE, "j_{11}")
j21 = scalar("j21", r"mean of $h^2h_2/T$", NONNEGATIVE, "j_{21}")

# Errors on a row of variance one, beyond the noise
unit_error = scalar("unit_error", r"excess risk of the fit", NONNEGATIVE, "Q")
unit_overlap = scalar("unit_overlap", "overlap of the errors of both fits", REAL, "Q_{12}")
unit_error2 = scalar("unit_error2", "excess risk of the second fit", NONNEGATIVE, "Q_2")

# The second fit
carry = scalar("carry", "weight of the residuals of the first fit in those of the second", REAL, r"k")
noise_before = scalar("noise_before", "variance of the second fit's noise, but for its own error", REAL, r"\Gamma_0")

reserve()
