"""What `to_dict` writes, and --json prints: schema 1.

    import json, riskcalc as rc
    text = json.dumps(result.to_dict())
    rc.Comparison.from_dict(json.loads(text)) == result

Every record is an object. Nothing is lost: what is read equals what was
written.

    riskcalc         version that wrote it
    schema           1; another one is refused
    kind             class of what follows
    warnings         * of --json: what the command line warned of, if of anything

These stand at the top. Within a record the version is left out, and the kind
where its place says it.

Numbers. What was given is a number where a double is exactly that, and else a
string: "10/3". What was found is a number; "inf", "-inf" and "nan" are words;
with digits it is a string of that many significant digits, trailing zeros
included. A batch is nested lists. null is what does not exist.

Problem: LinearGaussian
    aspect_ratio     features per sample, p/n; or
    n_samples, n_features
    eigenvalues      variances, by atom
    signal           sqrt(p) * coefficient, by atom; or
    coefficients     themselves
    weights          probabilities, by atom; left out: equal
    law              in place of these four, a law
    noise_variance
    ridge
    penalty          "natural", or weights by atom; left out: 1

A law, a policy and a problem are told apart by their kind; a policy's is its
name. A law whose signal is a Python function cannot be written.

Procedure
    prune            policy, or null for the dense fit
    retrain          the fit after pruning, or null:

Retrain
    ridge            null: the problem's own
    sample           "same" or "fresh"

Prediction
    problem
    prune, retrain   as in a procedure
    digits           null: double precision
    model            *
    keep             * the fraction kept; not of the dense fit
    options          * of the policy, if it has any
    and the quantities below

Comparison
    problem
    keep             the budget
    digits
    risks            * by model
    best             * by regime
    margin           *
    prune_beats_small  *
    models           predictions by model, without problem and digits, which
                     they share

Survey
    problem
    keep             the budget
    digits
    left_out         models that are not predicted
    risks, best, margin  * as in a comparison
    relative_errors  * of predictions, by sampled model, with probability 0.95
    rules            * each with rule, taxon, needs, computes, fits (of which
                     fractions of the features, if retrained), guarantee
    models           as in a comparison

Schedule
    problem
    policy           iterative
    rounds           a prediction after each round, of the problem
    one_shot         pruned once to the same budgets
    gain, error, rounds_pay  *

Prunability
    problem
    tolerance
    training_error   of the dense fit
    keep             smallest fractions, by policy

SamplingBudget
    problem
    relative_error, failure
    sure_top, replacement, chernoff, chebyshev

Crossover
    problem
    between          the two models, procedures
    over, fix        what is varied, and what is held when that is a size
    scanned          values at which risks were compared
    crossings        each with place, risks, bracket, error, status, digits
    stretches        each with low, high, better, digits

Optimum
    problem
    procedure
    over, fix, scanned
    place, risk, bracket, status, digits

Peaks
    problem
    procedure
    over, fix, scanned
    peaks            each with place, risk, bracket, status, digits

Advice
    n_rows, n_features, n_samples, n_keep, ridge
    null_risk        of predicting the mean
    repeats, seed    draws of rows that were measured
    models           each with model, label, n_keep, feasible, note, status,
                     predicted, predicted_error, gaussian, measured, stderr,
                     median, behind, behind_error, wins , as far as known
    along            the same at other budgets
    kept             how often the recommended model keeps each column, by name
    cautions, notes
    best, predicted_best, measured_best  *

Estimate
    mean, stderr, trials, seed
    training_error   an estimate
    problem, procedure, n_samples  what was simulated
    note             what theory and simulation share, if anything

Verification
    checks           each with name, verdict, predicted, simulated, stderr,
                     expected, deviation, uncertainty
    tolerance, confidence
    sizes, trials    of the samples simulated
    seed
    problem          left out for a theory of one's own
    note             what theory and simulation share, if anything
    verdict          *

sweep --json prints an xarray.Dataset: coords, data_vars, dims and attrs as its
to_dict has them, with "nan" and "inf".

* follows from the other keys: it is written for readers, and not read.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from riskcalc.inert import parameters
from riskcalc.laws import Law
from riskcalc.policies import Policy
from riskcalc.problems import Problem
from riskcalc.results.quantities import QUANTITIES


def schema() -> str:
    """The schema; the kinds that are known and the quantities as they are declared."""
    parts = [f"{__doc__}".rstrip()]
    for title, root in (("Problems", Problem), ("Laws", Law), ("Policies", Policy)):
        kinds: Mapping[str, type] = root._kinds()
        parts.append(_section(f"{title}, by kind", {name: ", ".join(parameters(kind)) for name, kind in kinds.items()}))
    parts.append(_section("Quantities of a prediction", {one.name: one.meaning for one in QUANTITIES.values()}))
    return "\n\n".join(parts)


def _section(title: str, rows: Mapping[str, str]) -> str:
    wide = max(map(len, rows)) + 2
    wrapped = (textwrap.wrap(f"{name:<{wide}}{text}", 76, subsequent_indent=" " * wide) for name, text in rows.items())
    return "\n".join([title, *(textwrap.indent(line, " " * 4) for lines in wrapped for line in lines)])
