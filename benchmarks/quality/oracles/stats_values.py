"""Values for tests/fixtures/quality/statistics.json, from SciPy, statsmodels, evalsig, truescore and
errorbars: pip install scipy statsmodels evalsig truescore errorbars; python stats_values.py > statistics.json"""

import itertools
import json
import sys

import numpy as np
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

rng = np.random.default_rng(20261127)
out = {"made_with": f"scipy {scipy.__version__}, statsmodels {statsmodels.__version__}"}

out["wilson"] = [
    {"passed": k, "n": n, "interval": [max(0.0, float(x)) for x in proportion_confint(k, n, 0.05, "wilson")]}
    for k, n in [(18, 20), (45, 50), (20, 20), (0, 7), (1, 3), (500, 1000), (7, 16), (119, 120)]
]
out["mcnemar"] = [
    {"b": b, "c": c, "p": float(stats.binomtest(b, b + c, 0.5).pvalue)}
    for b, c in [(0, 6), (0, 5), (3, 9), (1, 10), (4, 4), (17, 31), (100, 140), (1, 0)]
]


def log_likelihood(only_b, delta, n, b, c):
    only_a = only_b + delta
    rest = 1 - only_a - only_b
    if min(only_a, only_b) < -1e-12 or rest < -1e-12:
        return -np.inf
    term = lambda k, p: 0.0 if k == 0 else (k * np.log(p) if p > 0 else -np.inf)
    return term(b, only_a) + term(c, only_b) + term(n - b - c, rest)


def tango(n, b, c, delta):
    low, high = max(0.0, -delta), (1 - delta) / 2
    grid = np.linspace(low, high, 2001)
    best = grid[int(np.argmax([log_likelihood(q, delta, n, b, c) for q in grid]))]
    step = (high - low) / 2000
    found = optimize.minimize_scalar(
        lambda q: -log_likelihood(q, delta, n, b, c), method="bounded",
        bounds=(max(low, best - step), min(high, best + step)), options={"xatol": 1e-14})
    q = found.x if -found.fun >= log_likelihood(best, delta, n, b, c) else best
    for edge in (low, high):
        if log_likelihood(edge, delta, n, b, c) > log_likelihood(q, delta, n, b, c):
            q = edge
    variance = n * (2 * q + delta * (1 - delta))
    return (b - c - n * delta) / np.sqrt(variance)


out["tango"] = []
for n, b, c in [(50, 12, 2), (100, 0, 0), (40, 3, 5), (200, 20, 20), (25, 0, 4), (120, 30, 1), (500, 40, 55), (20, 1, 0)]:
    z = stats.norm.ppf(0.975)
    d = (b - c) / n
    low = optimize.brentq(lambda x: tango(n, b, c, x) - z, -0.9999, d - 1e-9)
    high = optimize.brentq(lambda x: tango(n, b, c, x) + z, d + 1e-9, 0.9999)
    out["tango"].append({"n": n, "b": b, "c": c, "interval": [low, high],
                         "p_margin_10": float(stats.norm.sf(tango(n, b, c, -0.1)))})


def exact_pratt(d):
    r = stats.rankdata(np.abs(d))
    r, s = r[d != 0], d[d != 0]
    seen = r[s > 0].sum()
    sums = np.zeros(1)
    for x in r:
        sums = np.concatenate([sums, sums + x])
    return min(1.0, 2 * min(np.mean(sums <= seen + 1e-9), np.mean(sums >= seen - 1e-9)))


out["wilcoxon"] = []
for n, zeros, levels in [(8, 0, None), (12, 3, None), (10, 2, 4), (20, 5, 5), (18, 0, 3), (6, 0, None), (60, 10, 5), (200, 50, None), (40, 0, 3)]:
    d = rng.normal(0.3, 1, n)
    if levels:
        d = np.round(d * levels / 2) / levels
    d[:zeros] = 0.0
    if not np.any(d):
        continue
    exact = np.count_nonzero(d) <= 25
    p = exact_pratt(d) if exact else float(
        stats.wilcoxon(d, zero_method="pratt", correction=False, method="asymptotic").pvalue)
    out["wilcoxon"].append({"differences": [float(x) for x in d], "p": float(p), "exact": bool(exact)})

out["holm"] = [
    {"p": p, "adjusted": [float(x) for x in multipletests(p, method="holm")[1]]}
    for p in [[0.01, 0.04, 0.03, 0.005], [0.5], [0.2, 0.2, 0.2], [0.001, 0.9, 0.02, 0.02, 0.6, 0.0125]]
]

out["bootstrap"] = []
for n in (20, 60, 300):
    d = rng.choice([-1, -0.5, 0, 0, 0, 0.5, 1], n) + rng.normal(0, 0.05, n)
    own = d.std(ddof=1) / np.sqrt(n)
    ends = []
    for seed in range(5):
        picks = np.random.default_rng(seed).choice(d, (20_000, n))
        t = (picks.mean(axis=1) - d.mean()) / (picks.std(axis=1, ddof=1) / np.sqrt(n))
        ends.append([d.mean() - np.quantile(t, 0.975) * own, d.mean() - np.quantile(t, 0.025) * own])
    out["bootstrap"].append({"differences": [float(x) for x in d], "mean": float(np.mean(d)),
                             "interval": [float(x) for x in np.mean(ends, axis=0)]})

# Packages for evaluations: the judge's part.
import errorbars
import truescore

out["packages"] = {"truescore": "0.7.4", "errorbars": errorbars.__version__}
out["errorbars_wilson"] = [
    {"passed": k, "n": n, "interval": [float(e.ci_low), float(e.ci_high)]}
    for k, n in [(18, 20), (7, 16)] for e in [errorbars.wilson_ci(k, n)]
]
out["rogan_gladen"] = []
out["corrected_difference"] = []
for size, gold_size, sens, spec in [(400, 100, 0.9, 0.7), (200, 60, 0.8, 0.8), (1000, 150, 0.97, 0.5)]:
    truth = rng.random(size) < 0.6
    other = np.where(rng.random(size) < 0.8, truth, rng.random(size) < 0.5)
    grade = lambda t: np.where(t, rng.random(size) < sens, rng.random(size) < 1 - spec).astype(int)
    judge_a, judge_b = grade(truth), grade(other)
    index = np.sort(rng.choice(size, gold_size, replace=False))
    a = truescore.rogan_gladen_estimate(judge_a, truth[index].astype(int), index)
    cells = lambda j, g: int(np.sum((judge_a[index] == j) & (truth[index].astype(int) == g)))
    out["rogan_gladen"].append({
        "judged": size, "judge_passed": int(judge_a.sum()), "true_pass": cells(1, 1), "false_pass": cells(1, 0),
        "true_fail": cells(0, 0), "false_fail": cells(0, 1), "point": a.point, "interval": [a.low, a.high]})
    c = truescore.ppi_compare(judge_a, judge_b, truth[index].astype(int), other[index].astype(int), index)
    gold = (truth.astype(int) - other.astype(int)).tolist()
    out["corrected_difference"].append({
        "judge": (judge_a - judge_b).tolist(), "gold": [gold[i] if i in set(index.tolist()) else None for i in range(size)],
        "difference": c.difference, "interval": [c.low, c.high]})
first = (rng.random(80) < 0.65).astype(int)
second = (rng.random(80) < 0.65).astype(int)
b = truescore.position_bias(first, second)
out["position"] = {"first_original": first.tolist(), "first_swapped": second.tolist(), "rate": b.first_position_rate,
                   "p": b.p_value, "consistency": b.consistency}
json.dump(out, sys.stdout)
print()
