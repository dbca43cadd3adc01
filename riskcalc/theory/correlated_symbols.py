"""The symbols of correlated features. A mean over the law times kappa is a sum over coordinates, per sample."""

from riskcalc.formulas.symbols import NONNEGATIVE, POSITIVE, REAL, UNIT, law_symbol, reserve, scalar

# The dense fit, A = F'(Sigma + nu)^-1 F with Sigma = F F'
trace_A = scalar("trace_A", r"$\mathrm{tr}A/n$", NONNEGATIVE, "t_A")
trace_A_rest = scalar("trace_A_rest", r"$\mathrm{tr}A(1-A)/n$", NONNEGATIVE, r"\bar t_A")
dense_bias = scalar("dense_bias", "$|(1-A)W|^2/n$, the squared bias of the dense fit", NONNEGATIVE, "m_A")
dense_excess_risk = scalar(
    "dense_excess_risk", "test risk of the dense fit minus noise variance", NONNEGATIVE, r"\gamma^{\mathrm{ex}}_1"
)

# Coordinates of vectors and of what a mask drops
dropped = law_symbol("dropped_entry", "entry of what pruning takes out of $V_1$", REAL, "d")
MW = law_symbol("MW", "entry of $MW$, what a second fit makes of the truth", REAL, "[MW]")
MG = law_symbol("MG", "entry of $MG_1$, what it makes of the noise of the first", REAL, "[MG_1]")
MZ = law_symbol("MZ", "entry of $M(W+G_1-V_1)$, what it makes of what the first leaves", REAL, "[MZ]")
M_entry = law_symbol("M_entry", "diagonal entry of $M$", UNIT, "[M]")
M2_entry = law_symbol("M2_entry", "diagonal entry of $M^2$", UNIT, "[M^2]")

# The pruned fit
D1 = scalar("D1", r"$(W-V_1)\cdot d/n$: what is dropped, along the error of the dense fit", REAL, "D_1")
D2 = scalar("D2", r"$|d|^2/n$: what is dropped", NONNEGATIVE, "D_2")
h_dropped = scalar("h_dropped", r"$G_1\cdot d/(n\gamma)$: what is dropped, along the noise", REAL, "h")
q_pruned = scalar("q_pruned", "weight of the dense fit's noise in the residuals after pruning", REAL, "q_S")

# The second fit, M = F_S'(Sigma_SS + nu2)^-1 F_S
trace_M = scalar("trace_M", r"$\mathrm{tr}M/n$", NONNEGATIVE, "t_M")
trace_M_rest = scalar("trace_M_rest", r"$\mathrm{tr}M(1-M)/n$", NONNEGATIVE, r"\bar t_M")
response_W = scalar("response_W", r"$G_1\cdot MW/(n\gamma)$", REAL, "b_W")
response_G = scalar("response_G", r"$(G_1\cdot MG_1/\gamma-\mathrm{tr}M)/n$", REAL, "b_G")
response_Z = scalar("response_Z", r"$G_1\cdot M(W+G_1-V_1)/(n\gamma)$", REAL, "b_Z")
shared_W = scalar("shared_W", r"$(W-V_1)\cdot(W-MW)/n$", REAL, "e_W")
shared_G = scalar("shared_G", r"$(W-V_1)\cdot MG_1/n$", REAL, "e_G")
shared_Z = scalar("shared_Z", r"$(W-V_1)\cdot M(W+G_1-V_1)/n$", REAL, "e_Z")
miss_WW = scalar("miss_WW", r"$|W-MW|^2/n$", NONNEGATIVE, "m_{WW}")
miss_WG = scalar("miss_WG", r"$(W-MW)\cdot MG_1/n$", REAL, "m_{WG}")
miss_WZ = scalar("miss_WZ", r"$(W-MW)\cdot M(W+G_1-V_1)/n$", REAL, "m_{WZ}")
miss_GG = scalar("miss_GG", r"$(|MG_1|^2-\gamma\,\mathrm{tr}M^2)/n$", REAL, "m_{GG}")
miss_GZ = scalar("miss_GZ", r"$MG_1\cdot M(W+G_1-V_1)/n$", REAL, "m_{GZ}")
miss_ZZ = scalar("miss_ZZ", r"$|M(W+G_1-V_1)|^2/n$", NONNEGATIVE, "m_{ZZ}")

# The small model
schur = scalar("schur", "variance of the target's signal given the features kept", NONNEGATIVE, r"\Sigma_{y|\Delta}")

# Masks that see no fit
drop_one = scalar("drop_one", "probability that a feature is dropped", UNIT, r"\pi_1")
drop_pair = scalar("drop_pair", "probability that two features are both dropped", UNIT, r"\pi_2")
square_all = scalar("square_all", r"mean of $\hat\beta^\top\Sigma\hat\beta$", NONNEGATIVE, "Q")
square_own = scalar(
    "square_own", r"the part of it of each feature alone, $\sum_i\Sigma_{ii}\hat\beta_i^2$", NONNEGATIVE, "Q_0"
)

# The expansion in correlations
hermite_order = scalar("hermite_order", "order of a Hermite polynomial", POSITIVE, "k")
psi_upper = law_symbol("psi_upper", r"$\mathrm{He}_{k-1}/\sqrt{(k-1)!}$ at $z$", REAL, "p_+")
psi_lower = law_symbol("psi_lower", r"that at $z-2u$", REAL, "p_-")
psi_upper_before = law_symbol("psi_upper_before", r"$\mathrm{He}_{k-2}/\sqrt{(k-2)!}$ at $z$", REAL, "p'_+")
psi_lower_before = law_symbol("psi_lower_before", r"that at $z-2u$", REAL, "p'_-")
hermite = law_symbol(
    "hermite", r"mean of $(1-S)X\,\mathrm{He}_k(H)/\sqrt{k!}$, in units of the score", REAL, r"\hat d_k"
)
hermite_of_count = law_symbol("hermite_of_count", r"mean of $(1-S)\,\mathrm{He}_k(H)/\sqrt{k!}$", REAL, r"\hat c_k")

reserve()
