"""The symbols of the theory and what they mean."""

from riskcalc.formulas.symbols import law_symbol, scalar

# The problem
kappa = scalar("kappa", "aspect ratio p/n", "(0, inf)", r"\kappa", positive=True)
sigma2 = scalar("sigma2", "noise variance", "[0, inf)", r"\sigma^2")
ridge = scalar("ridge", "ridge penalty, per sample", "[0, inf)", r"\lambda")
alpha = scalar("alpha", "fraction of features kept, s/p", "(0, 1]", r"\alpha", positive=True)

# The law of a feature
Lambda = law_symbol("Lambda", "variance of a feature", "[0, inf)", r"\Lambda")
B = law_symbol("B", "its coefficient times sqrt(p); the sign is free, so B >= 0", "[0, inf)", "B")
D = law_symbol("D", "its penalty weight", "(0, inf), or equal to Lambda", "D")

# The dense fit
nu = scalar("nu", "effective ridge", "[0, inf)", r"\nu")
q = scalar("q", "one minus kappa times the mean shrinkage", "[0, 1]", "q")
gamma = scalar("gamma", "test risk of the dense fit", "[0, inf)", r"\gamma")
excess = scalar("excess", "kappa P(Lambda > 0) - 1", "(-1, inf)", r"\delta", real=True)
a = law_symbol("a", "shrinkage of a feature", "[0, 1]", "a")
abar = law_symbol("abar", "one minus the shrinkage", "[0, 1]", r"\bar a")
tau = law_symbol("tau", "standard deviation of a fitted coefficient", "[0, inf)", r"\tau")
X = law_symbol("X", "fitted coefficient times sqrt(p)", "real line", "X", real=True)

# Masks
M0 = law_symbol("M0", "probability that a feature is kept, E[S]", "[0, 1]", "M_0")
M0bar = law_symbol("M0bar", "probability that it is dropped, 1 - E[S]", "[0, 1]", r"\bar M_0")
M1 = law_symbol("M1", "first masked moment, E[H S]", "real line", "M_1", real=True)
M2c = law_symbol("M2c", "second masked moment, E[(H^2 - 1) S]", "[-1, inf)", r"M_2^\circ", real=True)
omega = law_symbol("omega", "what multiplies a coefficient in its score", "[0, inf)", r"\omega")
t = scalar("t", "threshold on the score", "[0, inf)", "t")
m = law_symbol("m", "mean of the score", "[0, inf)", "m")
s = law_symbol("s", "standard deviation of the score", "[0, inf)", "s")
mu = law_symbol("mu", "mean of the score in units of its spread, m/s", "[0, inf)", r"\mu")
u = law_symbol("u", "half-width of the dropped interval, t/s", "[0, inf]", "u")
z = law_symbol("z", "upper end of the dropped interval, (t - m)/s", "real line", "z", real=True)
score = law_symbol("score", "what a ranking without noise sorts by", "[0, inf)", "r")
part = scalar("part", "fraction kept of the features tied at the threshold", "[0, 1]", r"\theta")
partbar = scalar("partbar", "fraction dropped of the features tied at the threshold", "[0, 1]", r"\bar\theta")

# The threshold as a distance from an origin: zero, or the mean score of one atom, the pivot
step = scalar("step", "distance of the threshold from its origin", "real line", r"\Delta t", real=True)
lag = law_symbol("lag", "origin of the threshold minus the mean of the score", "real line", r"\ell", real=True)
B_pivot = scalar("B_pivot", "coefficient of the pivot atom", "[0, inf)", "B_*")
abar_pivot = scalar("abar_pivot", "one minus the shrinkage of the pivot atom", "[0, 1]", r"\bar a_*")
omega_pivot = scalar("omega_pivot", "score weight of the pivot atom", "[0, inf)", r"\omega_*")

# Risks
live_excess = scalar("live_excess", "P(Lambda > 0) - alpha", "(0, 1)", r"\delta_\alpha")
training_error = scalar("training_error", "mean squared residual on the training sample", "[0, inf)", "T")
excess_risk = scalar("excess_risk", "test risk minus noise variance", "[0, inf)", r"\gamma - \sigma^2")
risk = scalar("risk", "test risk after pruning", "[0, inf)", "R")

# The small model
fit_excess_risk = scalar(
    "fit_excess_risk", "risk of the small fit beyond sigma2_small", "[0, inf)", r"\gamma - \sigma_\Delta^2"
)
sigma2_small = scalar("sigma2_small", "noise seen by the small model", "[0, inf)", r"\sigma_\Delta^2")
