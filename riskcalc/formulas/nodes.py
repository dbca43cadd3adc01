"""Named nodes: functions that formulas use whole, because their numerically stable form is not their definition.

Each node has one SymPy definition (`node.doit()`), one derivative, and one routine per number system
(`riskcalc.lowering`), which is tested against the definition. SymPy is kept from rewriting what is inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy
from sympy.core.function import ArgumentIndexError

from riskcalc.formulas.symbols import Expression


class Node(sympy.Function):
    """A function that SymPy leaves alone; `doit` unfolds it into its `definition`, which every node has."""

    if TYPE_CHECKING:
        args: Any

        def __new__(cls, *args: Any) -> Any:
            """SymPy builds the node."""

    def definition(self) -> Expression:
        """The node in terms of SymPy's own functions."""
        raise TypeError(f"{type(self).__name__} is a piece of another node and has no definition of its own")

    def pieces(self) -> Expression:
        """The node in terms of smaller nodes that several nodes of the same arguments share, for lowering."""
        return self

    def doit(self, **hints: Any) -> Expression:
        """The definition, with the nodes inside it unfolded too."""
        unfolded = self.definition()
        return unfolded.doit(**hints) if hints.get("deep", True) else unfolded

    def fdiff(self, argindex: int = 1) -> Expression:
        """The derivative in one argument, as SymPy asks for it."""
        derivatives = self._derivatives()
        if derivatives is None:
            raise ArgumentIndexError(self, argindex)
        return derivatives[argindex - 1]

    def _derivatives(self) -> tuple[Expression, ...] | None:
        return None


class ratio(Node):
    """x / y for y >= 0, with 0/0 = 0."""

    nargs = 2

    def definition(self):
        x, y = self.args
        return x / y if y.is_positive else sympy.Piecewise((0, sympy.Eq(x, 0)), (x / y, True))

    def _derivatives(self):
        x, y = self.args
        return 1 / y, -x / y**2


class spread(Node):
    """x, a standard deviation; zero counts as 1e-100, so that dividing by it forms no infinity."""

    nargs = 1

    def definition(self):
        return self.args[0]

    def _derivatives(self):
        return (sympy.S.One,)


class share(Node):
    """x / (x + y), the part of a whole; share(0, 0) = 0."""

    nargs = 2

    def definition(self):
        x, y = self.args
        return sympy.Piecewise((0, sympy.Eq(x, 0)), (x / (x + y), True))

    def _derivatives(self):
        x, y = self.args
        return rest(x, y) / (x + y), -share(x, y) / (x + y)


class rest(Node):
    """y / (x + y), the complement of share(x, y); rest(0, 0) = 1."""

    nargs = 2

    def definition(self):
        x, y = self.args
        return sympy.Piecewise((1, sympy.Eq(x, 0)), (y / (x + y), True))

    def _derivatives(self):
        x, y = self.args
        return -rest(x, y) / (x + y), share(x, y) / (x + y)


class positive(Node):
    """The indicator of x > 0."""

    nargs = 1

    def definition(self):
        return sympy.Piecewise((1, self.args[0] > 0), (0, True))


class positive_root(Node):
    """The nonnegative root of x**2 = b*x + c, for c >= 0."""

    nargs = 2

    def definition(self):
        b, c = self.args
        return (b + sympy.sqrt(b**2 + 4 * c)) / 2


class top(Node):
    """Membership in the top of a ranking: 1 above the threshold, `part` on it, 0 below; arguments (score, t, part)."""

    nargs = 3

    def definition(self):
        score, t, part = self.args
        return sympy.Piecewise((1, score > t), (part, sympy.Eq(score, t)), (0, True))


class phi(Node):
    """The standard normal density."""

    nargs = 1

    def definition(self):
        return sympy.exp(-(self.args[0] ** 2) / 2) / sympy.sqrt(2 * sympy.pi)

    def _derivatives(self):
        return (-self.args[0] * self,)


class tail(Node):
    """P(H > x) for x >= 0."""

    nargs = 1

    def definition(self):
        return 1 - _Phi(self.args[0])


class two_sided_quantile(Node):
    """The x >= 0 with P(|H| > x) = p."""

    nargs = 1

    def definition(self):
        return sympy.sqrt(2) * sympy.erfinv(1 - self.args[0])


def _Phi(x: Expression) -> Expression:
    return (1 + sympy.erf(x / sympy.sqrt(2))) / 2


class fall(Node):
    """1 - phi(z - 2u) / phi(z)."""

    nargs = 2

    def definition(self):
        z, u = self.args
        return 1 - sympy.exp(2 * u * (z - u))


class Inside(Node):
    """P(z - 2u < H < z): the normal mass of an interval given by its upper end z and its half-width u >= 0.

    A coefficient m + sH lies in (-t, t) exactly if H lies in the interval with z = (t - m)/s and u = t/s. The pair
    (z, u) keeps the digits that (m/s, t/s) would lose when s is small beside m. With m >= 0 the lower end is at least
    as far from zero as the upper one.
    """

    nargs = 2

    def definition(self):
        z, u = self.args
        return _Phi(z) - _Phi(z - 2 * u)

    def pieces(self):
        z, u = self.args
        return between(z, u, *_tails(z, u))

    def _derivatives(self):
        z, u = self.args
        return phi(z) - phi(z - 2 * u), 2 * phi(z - 2 * u)


class Outside(Node):
    """1 - Inside(z, u): the normal mass outside the interval."""

    nargs = 2

    def definition(self):
        z, u = self.args
        return 1 - _Phi(z) + _Phi(z - 2 * u)

    def pieces(self):
        z, u = self.args
        return beyond(z, *_tails(z, u))

    def _derivatives(self):
        z, u = self.args
        return phi(z - 2 * u) - phi(z), -2 * phi(z - 2 * u)


def _tails(z: Expression, u: Expression) -> tuple[Expression, Expression]:
    """The tails beyond both ends of the interval, the near one by its distance from zero."""
    return tail(sympy.Abs(z)), tail(2 * u - z)


class between(Node):
    """Inside(z, u) from (z, u, P(H > |z|), P(H > 2u - z))."""

    nargs = 4


class beyond(Node):
    """Outside(z, u) from (z, P(H > |z|), P(H > 2u - z))."""

    nargs = 3


class boundary(Node):
    """u (phi(z) + phi(z - 2u)): minus the derivative of Outside in the logarithm of the threshold t = s*u."""

    nargs = 2

    def definition(self):
        z, u = self.args
        return (u * (phi(z) + phi(z - 2 * u))).doit()

    def pieces(self):
        z, u = self.args
        return u * (phi(z) + phi(z - 2 * u))


class outside_rate(Node):
    """boundary / Outside: minus the derivative of log Outside in the logarithm of the threshold."""

    nargs = 2

    def definition(self):
        return boundary(*self.args).doit() / Outside(*self.args).doit()


class inside_rate(Node):
    """boundary / Inside: the derivative of log Inside in the logarithm of the threshold."""

    nargs = 2

    def definition(self):
        return boundary(*self.args).doit() / Inside(*self.args).doit()


class edge_drop(Node):
    """phi(z) - phi(z - 2u) = E[H; H outside the interval]."""

    nargs = 2

    def definition(self):
        z, u = self.args
        return (phi(z) - phi(z - 2 * u)).doit()

    def pieces(self):
        z, u = self.args
        return phi(z) * fall(z, u)


class edge_moment(Node):
    """z phi(z) - (z - 2u) phi(z - 2u) = E[H**2 - 1; H outside the interval]."""

    nargs = 2

    def definition(self):
        z, u = self.args
        return (z * phi(z) - (z - 2 * u) * phi(z - 2 * u)).doit()

    def pieces(self):
        z, u = self.args
        return z * phi(z) - (z - 2 * u) * phi(z - 2 * u)


# Moments of mu + H, mu = u - z >= 0, over the interval, where that is in (-u, u): what is dropped of a coefficient. For
# a narrow interval they are small beside what they are made of; a piece of each knows them there.


class inner_first(Node):
    """E[mu + H; H inside the interval]."""

    nargs = 2

    def definition(self):
        z, u = self.args
        return ((u - z) * Inside(z, u) - edge_drop(z, u)).doit()

    def pieces(self):
        z, u = self.args
        return thin_first(z, u, (u - z) * Inside(z, u).pieces() - edge_drop(z, u).pieces())


class inner_second(Node):
    """E[(mu + H)**2; H inside the interval]."""

    nargs = 2

    def definition(self):
        z, u = self.args
        return (inner_slope(z, u) + (u - z) * inner_first(z, u)).doit()

    def pieces(self):
        z, u = self.args
        return thin_second(z, u, _slope(z, u) + (u - z) * inner_first(z, u).pieces())


class inner_slope(Node):
    """E[(mu + H) H; H inside the interval]."""

    nargs = 2

    def definition(self):
        z, u = self.args
        return (Inside(z, u) - boundary(z, u)).doit()

    def pieces(self):
        z, u = self.args
        return thin_slope(z, u, _slope(z, u))


def _slope(z: Expression, u: Expression) -> Expression:
    return Inside(z, u).pieces() - boundary(z, u).pieces()


class thin_first(Node):
    """inner_first(z, u) from (z, u, its value where the interval is not narrow)."""

    nargs = 3


class thin_second(Node):
    """inner_second(z, u) from (z, u, its value where the interval is not narrow)."""

    nargs = 3


class thin_slope(Node):
    """inner_slope(z, u) from (z, u, its value where the interval is not narrow)."""

    nargs = 3


class discounted(Node):
    """E[exp(-theta (mu + H)); mu + H > 0], with arguments (mu, theta), theta >= 0."""

    nargs = 2

    def definition(self):
        mu, theta = self.args
        return sympy.exp(theta**2 / 2 - theta * mu) * _Phi(mu - theta)

    def _derivatives(self):
        mu, theta = self.args
        return phi(mu) - theta * self, (theta - mu) * self - phi(mu)


# A tent of half-width u over zero, under a normal variable of mean mu >= 0: what sampling with a sure top drops. In
# (mu, u), because u is far above mu where little is kept.


def _excess(x: Expression) -> Expression:
    """E[max(x + H, 0)]."""
    return x * _Phi(x) + sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)


class tent(Node):
    """E[max(1 - |mu + H|/u, 0)]."""

    nargs = 2

    def definition(self):
        mu, u = self.args
        return (_excess(mu + u) - 2 * _excess(mu) + _excess(mu - u)) / u


class off_tent(Node):
    """1 - tent(mu, u) = E[min(|mu + H|/u, 1)]."""

    nargs = 2

    def definition(self):
        return 1 - tent(*self.args).definition()


class tent_drop(Node):
    """E[H min(|mu + H|/u, 1)]: minus the derivative of the tent's mean in mu."""

    nargs = 2

    def definition(self):
        mu, u = self.args
        return -(_Phi(mu + u) - 2 * _Phi(mu) + _Phi(mu - u)) / u


class tent_moment(Node):
    """E[(H**2 - 1) min(|mu + H|/u, 1)]: minus the second derivative of the tent's mean in mu."""

    nargs = 2

    def definition(self):
        mu, u = self.args
        return ((2 * phi(mu) - phi(mu + u) - phi(mu - u)) / u).doit()


class tent_loss(Node):
    """E[|mu + H| max(u - |mu + H|, 0)]."""

    nargs = 2

    def definition(self):
        mu, u = self.args
        return sum(self._half(mean, u) for mean in (mu, -mu))

    @staticmethod
    def _half(mu: Expression, u: Expression) -> Expression:
        """The part where mu + H > 0."""
        mass = _Phi(u - mu) - _Phi(-mu)
        first = mu * mass + (phi(mu) - phi(u - mu)).doit()
        second = mu * first + mass - (u * phi(u - mu)).doit()
        return u * first - second


# The squared norm of a group of `size` normal variables of mean mu >= 0, of which u**2 is a value.


class chi_density(Node):
    """Density at u**2 of the noncentral chi-squared law of k degrees of freedom and noncentrality size*mu**2.

    Arguments (mu, u, k, size).
    """

    nargs = 4

    def definition(self):
        mu, u, k, size = self.args
        shift = size * mu**2
        central = (u / (sympy.sqrt(size) * mu)) ** (k / 2 - 1) * sympy.besseli(k / 2 - 1, sympy.sqrt(size) * mu * u)
        return sympy.exp(-(u**2 + shift) / 2) * central / 2

    def _derivatives(self):
        mu, u, k, size = self.args
        more = chi_density(mu, u, k + 2, size)
        return size * mu * (more - self), ((k - 2) / u - u) * self + size * mu**2 / u * more, None, None


class chi_outside(Node):
    """P(that squared norm > u**2), with arguments (mu, u, size)."""

    nargs = 3

    def definition(self):
        return 1 - chi_inside(*self.args).definition()

    def _derivatives(self):
        mu, u, size = self.args
        return (
            2 * size * mu * chi_density(mu, u, size + 2, size),
            -2 * u * chi_density(mu, u, size, size),
            None,
        )


class chi_inside(Node):
    """1 - chi_outside: a Poisson mixture of central laws."""

    nargs = 3

    def definition(self):
        mu, u, size = self.args
        j = sympy.Symbol("j", integer=True, nonnegative=True)
        mean = size * mu**2 / 2
        central = sympy.lowergamma(size / 2 + j, u**2 / 2) / sympy.gamma(size / 2 + j)
        return sympy.Sum(sympy.exp(-mean) * mean**j / sympy.factorial(j) * central, (j, 0, sympy.oo))

    def _derivatives(self):
        mu, u, size = self.args
        return (
            -2 * size * mu * chi_density(mu, u, size + 2, size),
            2 * u * chi_density(mu, u, size, size),
            None,
        )
