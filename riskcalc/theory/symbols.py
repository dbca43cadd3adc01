"""The symbols of the theory and what they mean."""

from sympy import Interval, oo

from riskcalc.formulas.symbols import NONNEGATIVE, POSITIVE, REAL, UNIT, law_symbol, reserve, scalar

# The problem
kappa = scalar("kappa", "aspect ratio $p/n$", POSITIVE, r"\kappa")
sigma2 = scalar("sigma2", "noise variance", NONNEGATIVE, r"\sigma^2")
ridge = scalar("ridge", "ridge penalty, per sample", NONNEGATIVE, r"\lambda")
alpha = scalar("alpha", "fraction of features kept, $s/p$", Interval.Lopen(0, 1), r"\alpha")
r2 = scalar("r2", r"signal strength of isotropic features, $\mathbb{E}[B^2]$", POSITIVE, "r^2")
n_samples = scalar("n_samples", "samples", POSITIVE, "n")
n_keep = scalar("n_keep", "features kept", POSITIVE, "s")

# The law of a feature
Lambda = law_symbol("Lambda", "variance of a feature", NONNEGATIVE, r"\Lambda")
B = law_symbol("B", r"its coefficient times $\sqrt p$; the sign is free, so $B \ge 0$", NONNEGATIVE, "B")
D = law_symbol("D", r"its penalty weight (the natural one, $\Lambda$, may be zero)", POSITIVE, "D")
sign = law_symbol("sign_B", "sign of its true coefficient", REAL, r"\epsilon")
omega = law_symbol("omega", "what multiplies a coefficient in its score", NONNEGATIVE, r"\omega")

# The dense fit
nu = scalar("nu", "effective ridge", NONNEGATIVE, r"\nu")
q = scalar("q", r"one minus $\kappa$ times the mean shrinkage", UNIT, "q")
gamma = scalar("gamma", "test risk of the dense fit", NONNEGATIVE, r"\gamma")
nu_edge = scalar("nu_edge", "effective ridge of the lowest ridge", REAL, r"\nu_*")
ridge_edge = scalar("ridge_edge", "the lowest ridge", REAL, r"\lambda_*")
nu_0 = scalar("nu_0", "effective ridge of the interpolator", POSITIVE, r"\nu_0")
gamma_0 = scalar("gamma_0", "test risk of the interpolator", NONNEGATIVE, r"\gamma_0")
excess = scalar("excess", r"$\kappa\,\mathbb{P}(\Lambda > 0) - 1$", Interval.open(-1, oo), r"\delta")
a = law_symbol("a", "shrinkage of a feature", UNIT, "a")
abar = law_symbol("abar", "one minus the shrinkage", UNIT, r"\bar a")
tau = law_symbol("tau", "standard deviation of a fitted coefficient", NONNEGATIVE, r"\tau")
X = law_symbol("X", r"fitted coefficient times $\sqrt p$", REAL, "X")

# Masks
M0 = law_symbol("M0", "probability of being kept, the mean of $S$ over $H$", UNIT, "M_0")
M0bar = law_symbol("M0bar", "probability of being dropped, $1 - M_0$", UNIT, r"\bar M_0")
M1 = law_symbol("M1", "first masked moment, the mean of $H S$ over $H$", REAL, "M_1")
M2c = law_symbol("M2c", "second masked moment, that of $(H^2 - 1) S$ over $H$", Interval(-1, oo), r"M_2^\circ")
N1 = law_symbol("N1", "what is dropped of a coefficient, the mean of $X (1 - S)$", REAL, "N_1")
N2 = law_symbol("N2", "its square, the mean of $X^2 (1 - S)$", NONNEGATIVE, "N_2")
NH = law_symbol("NH", "its overlap with the noise, the mean of $X H (1 - S)$", REAL, "N_H")
t = scalar("t", "threshold on the score", NONNEGATIVE, "t")
m = law_symbol("m", "mean of the score", NONNEGATIVE, "m")
s = law_symbol("s", "standard deviation of the score", POSITIVE, r"\varsigma")
mu = law_symbol("mu", r"mean of the score in units of its spread, $m/\varsigma$", NONNEGATIVE, r"\mu")
u = law_symbol("u", r"half-width of the dropped interval, $t/\varsigma$", NONNEGATIVE, "u")
z = law_symbol("z", r"upper end of the dropped interval, $(t - m)/\varsigma$", REAL, "z")
score = law_symbol("score", "what a ranking without noise sorts by", NONNEGATIVE, "r")
part = scalar("part", "fraction kept of the features tied at the threshold", UNIT, r"\theta")
partbar = scalar("partbar", "fraction dropped of the features tied at the threshold", UNIT, r"\bar\theta")

# The threshold as a distance from an origin: zero, or the mean score of one atom, the pivot
step = scalar("step", "distance of the threshold from its origin", REAL, r"\Delta t")
lag = law_symbol("lag", "origin of the threshold minus the mean of the score", REAL, r"\ell")
omega_pivot = scalar("omega_pivot", "score weight of the pivot atom", NONNEGATIVE, r"\omega_*")
B_pivot = scalar("B_pivot", "coefficient of the pivot atom", NONNEGATIVE, "B_*")
abar_pivot = scalar("abar_pivot", "one minus the shrinkage of the pivot atom", UNIT, r"\bar a_*")

# Other masks: sampling, the optimal interval, groups
draw_rate = law_symbol("draw_rate", r"rate at which draws find a feature, per unit of $|\mu + H|$", POSITIVE, r"\theta")
mean_score = scalar("mean_score", r"mean of $\omega\,|X|$", POSITIVE, r"\bar r")
power = scalar("power", "mean square of a prediction", NONNEGATIVE, r"P_X")
growth = scalar("growth", "what sampling adds to the test risk, and to the training error", NONNEGATIVE, r"\Delta")
distortion = scalar("distortion", "what sampling adds, over the mean square of a prediction", NONNEGATIVE, r"\delta_X")
crest = scalar("crest", r"a gain $\Lambda B^2$, the largest or one above the threshold", NONNEGATIVE, r"t_0")
depth = scalar("depth", "distance of the threshold from the largest gain", POSITIVE, r"\ell_0")
has_room = law_symbol("has_room", "1 if its largest gain is beyond the threshold, 0 otherwise", UNIT, "I")
room = law_symbol("room", "gain at the true coefficient beyond the threshold", NONNEGATIVE, r"\ell_+")
reach = law_symbol("reach", r"$\ell_0$ over it", NONNEGATIVE, "L")
put = law_symbol("put", r"posterior mean of its coefficient if it is kept, $\hat B S$, or zero", REAL, r"\hat B_S")
lost = scalar("lost", r"$\mathbb{E}[\Lambda (B - \hat B S)^2]$ for a posterior mean $\hat B$", NONNEGATIVE, r"P")
cross = scalar("cross", r"$\mathbb{E}[\Lambda (B - X) \hat B S]$", REAL, "C")
echo = scalar("echo", r"$\mathbb{E}[\sqrt\Lambda H \hat B S]$", REAL, "N")
b = law_symbol("b", "a coefficient that a feature may have, times sqrt(p)", REAL, "b")
estimate = scalar("estimate", "a fitted coefficient, as a rule sees it", REAL, "x")
peak = scalar("peak", "any number: it keeps likelihoods from vanishing", REAL, "k")
likelihood = law_symbol("likelihood", "likelihood of a coefficient, given the fitted one", POSITIVE, "p_x")
posterior = scalar("posterior", "posterior mean of a coefficient, given the fitted one", REAL, r"\hat B(x)")
gain = law_symbol("gain", "what keeping a feature lowers the risk by", REAL, "g")
lost_rate = scalar("lost_rate", "what a fitted coefficient adds to $P$, if it is kept", NONNEGATIVE, r"P'(x)")
cross_rate = scalar("cross_rate", "what it adds to $C$", REAL, r"C'(x)")
echo_rate = scalar("echo_rate", "what it adds to $N$", REAL, r"N'(x)")
size = scalar("size", "features of a group", POSITIVE, "g")

# Risks
live_excess = scalar("live_excess", r"$\mathbb{P}(\Lambda > 0) - \alpha$", Interval.open(0, 1), r"\delta_\alpha")
training_error = scalar("training_error", "mean squared residual on the training sample", NONNEGATIVE, "T")
excess_risk = scalar("excess_risk", "test risk minus noise variance", NONNEGATIVE, r"\gamma^{\mathrm{ex}}")
misfit = scalar("misfit", "part of the test risk that is the signal of dropped features", NONNEGATIVE, r"M")
risk = scalar("risk", "test risk after pruning", NONNEGATIVE, "R")

# Coefficients in the units of the iteration: sqrt(Lambda/kappa) times a coefficient
W = law_symbol("W", r"its true coefficient, $\sqrt{\Lambda/\kappa}\,B$", NONNEGATIVE, "W")
G1 = law_symbol("G1", r"noise that the dense fit sees it through, $\sqrt\gamma\,H$", REAL, "G_1")
V1 = law_symbol("V1", r"its fitted coefficient, $\sqrt{\Lambda/\kappa}\,X$", REAL, "V_1")
V2 = law_symbol("V2", "its retrained coefficient, averaged over the noise that is new in the second fit", REAL, "V_2")
response = scalar("response", "response of the pruned coefficients to the noise of the dense fit", REAL, "b_S")

# Retraining on the features kept
ridge2 = scalar("ridge2", "ridge penalty of the second fit, per sample", NONNEGATIVE, r"\lambda_2")
nu2 = scalar("nu2", "effective ridge of the second fit", NONNEGATIVE, r"\nu_2")
a2 = law_symbol("a2", "shrinkage of a kept feature in the second fit", UNIT, "a_2")
a2bar = law_symbol("a2bar", "one minus the shrinkage in the second fit", UNIT, r"\bar a_2")
q2 = scalar("q2", r"one minus $\kappa$ times the mean shrinkage of the second fit", UNIT, "q_2")
rho = scalar("rho", "regression of the noise of the second fit on that of the first", REAL, r"\rho")
c = scalar("c", "weight of the residual of the first fit in the second", REAL, "c")
onsager = scalar("onsager", "response of the retrained coefficients to the noise of the dense fit", REAL, "b")
retrained_risk = scalar("retrained_risk", "test risk after retraining on the same sample", NONNEGATIVE, r"\Gamma")

# The small model
fit_excess_risk = scalar(
    "fit_excess_risk", r"risk of the small fit beyond $\sigma_\Delta^2$", NONNEGATIVE, r"\gamma_\Delta^{\mathrm{ex}}"
)
finite_size = scalar("finite_size", "what a finite sample adds to the test risk, relatively", NONNEGATIVE, r"\eta_n")
sigma2_small = scalar("sigma2_small", "noise estimate by the small model", NONNEGATIVE, r"\sigma_\Delta^2")

# One factor: covariance of rank one
n_features = scalar("n_features", "features", POSITIVE, "p")
loading = law_symbol("loading", "loading of a feature: its slope in the factor", REAL, "v")
coefficient = law_symbol("coefficient", "true coefficient of a feature", REAL, r"\beta")
target_slope = scalar("target_slope", "slope of the target in the factor", REAL, "b")
zeta = scalar("zeta", "share of the variance that the kept features have", UNIT, r"\zeta")
zetabar = scalar("zetabar", "share that the dropped features have", UNIT, r"\bar\zeta")

# Rounds of pruning and fitting again on the same sample: fit k, and earlier fits j and l
V_k = law_symbol("V_k", "coefficient of fit $k$, in the units of $W$: $U_k$, or zero where it is dropped", REAL, "V_k")
V_j = law_symbol("V_j", "that of an earlier fit", REAL, "V_j")
V_l = law_symbol("V_l", "that of an earlier fit", REAL, "V_l")
U_k = law_symbol("U_k", "coefficient of fit $k$ where it is kept", REAL, "U_k")
U_known = law_symbol("U_known", "its mean given the earlier noises", REAL, r"\hat U_k")
G_k = law_symbol("G_k", "Gaussian noise that fit $k$ sees in a coefficient", REAL, "G_k")
G_j = law_symbol("G_j", "that of an earlier fit", REAL, "G_j")
G_l = law_symbol("G_l", "that of an earlier fit", REAL, "G_l")
G_known = law_symbol("G_known", r"mean of $G_k$ given the earlier noises, $\sum_j\rho_{kj}G_j$", REAL, r"\hat G_k")
memory = law_symbol("memory", r"memory of the earlier fits, $\sum_jc_{kj}(W+G_j-V_j)$", REAL, "m_k")
memory_noise = law_symbol("memory_noise", r"noise in that memory, $\sum_jc_{kj}G_j$", REAL, "g_k")
rho_kj = scalar("rho_kj", "regression coefficient of $G_k$ on an earlier noise", REAL, r"\rho_{kj}")
c_kj = scalar("c_kj", "weight of an earlier fit in the memory of fit $k$", REAL, "c_{kj}")
epsilon2 = scalar("epsilon2", "variance of $G_k$ given the earlier noises", NONNEGATIVE, r"\varepsilon_k^2")
covariance = scalar("covariance", "covariance of the noises of two fits", REAL, r"\Gamma_{kl}")
noise_gap = scalar("noise_gap", "zero where the noises have the covariance they should", REAL, r"\Delta_{kl}")
memory_gap = scalar("memory_gap", "zero where fit $k$ is stationary", REAL, r"\nabla_{kl}")
slope = scalar("slope", "mean derivative of what is dropped, in an earlier noise", REAL, "b_j")
slope_noise = law_symbol("slope_noise", r"$\sum_jb_jG_j$", REAL, r"\hat b")
slope_gap = scalar("slope_gap", "zero where these slopes are right", REAL, r"\partial_l")
weight = scalar("weight", "weight of an earlier noise in the residuals after pruning", REAL, "v_j")
residual = law_symbol("residual_noise", r"$\sum_jv_jG_j$", REAL, r"\hat v")
missed = law_symbol("missed", r"$\sum_jv_j(W-V_j)$", REAL, r"\hat w")

# Random features
mu_0 = scalar("mu_0", r"mean of the activation, $\mathbb{E}[\phi(H)]$", NONNEGATIVE, r"\mu_0")
mu_1 = scalar(
    "mu_1", r"its linear part, $\mathbb{E}[H\,\phi(H)]$; the sign is free, so $\mu_1 \ge 0$", NONNEGATIVE, r"\mu_1"
)
mu_rest = scalar("mu_rest", r"variance of the rest of the activation", NONNEGATIVE, r"\mu_*^2")
psi = scalar("per_input", "features per input, $p/d$", POSITIVE, r"\psi")
spanned = scalar("spanned", r"share of the inputs' dimensions that the weights span, $\min(\psi, 1)$", UNIT, "m")
unspanned = scalar("unspanned", "share of those that they do not span", UNIT, r"\bar m")
gram = law_symbol("gram", r"a positive eigenvalue of $WW^\top$", POSITIVE, "x")
target_slope2 = scalar("target_slope2", "squared slope of the target in its index", NONNEGATIVE, "r_1^2")
target_rest = scalar("target_rest", "variance of the rest of the target", NONNEGATIVE, r"r_*^2")
hidden = scalar("hidden", "variance of what the features do not see of the target", NONNEGATIVE, r"\sigma_\perp^2")
noise = scalar("feature_noise", "noise variance of the equivalent linear problem", NONNEGATIVE, r"\sigma_\phi^2")

reserve()
