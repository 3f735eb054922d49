# SPDX-License-Identifier: Apache-2.0
"""What is made of the regrets: scores, differences of logarithms, intervals and tests. Nothing but Python.

A trace is the history of the incumbent, the point with the best observed value: [[n, regret], ...] says that from
the n-th result on its noise-free value was that far above the optimum.
"""

import math
import random
import statistics


def regret_at(trace, n):
    """The regret after n results; that of the first where n is 0."""
    regret = trace[0][1]
    for since, value in trace:
        if since > n:
            break
        regret = value
    return regret


def score(regret, of_random):
    """100 (1 - clip((S - best) / (random at t - best))): 100 is the optimum, 0 no better than random search."""
    if of_random <= 0:
        return 100.0 if regret <= 0 else 0.0
    return 100.0 * (1 - min(max(regret / of_random, 0.0), 1.0))


def log_regret(regret, floor):
    return math.log10(max(regret, floor))


def bootstrap_interval(values, level=0.95, rounds=10000, seed=1):
    """The percentile interval of the mean when the values (one a problem) are drawn anew with replacement."""
    stream = random.Random(seed)
    means = sorted(statistics.fmean(stream.choices(values, k=len(values))) for _ in range(rounds))
    tail = (1 - level) / 2
    return means[round(tail * (rounds - 1))], means[round((1 - tail) * (rounds - 1))]


def ranks(values):
    """Ranks from 1, equal values sharing the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    result = [0.0] * len(values)
    begin = 0
    while begin < len(order):
        end = begin
        while end < len(order) and values[order[end]] == values[order[begin]]:
            end += 1
        for index in order[begin:end]:
            result[index] = (begin + end + 1) / 2
        begin = end
    return result


def wilcoxon(differences):
    """Two-sided p of Wilcoxon's signed-rank test (1945), exact with ties too; zeros are dropped, as he did.

    Of 2^n equally likely signs, those with a sum of positive ranks at least as far from its mean are counted.
    Ranks are doubled, so that shared ones are whole.
    """
    kept = [d for d in differences if d != 0]
    if not kept:
        return 1.0
    doubled = [round(2 * r) for r in ranks([abs(d) for d in kept])]
    total = sum(doubled)
    ways = [1] + [0] * total
    for rank in doubled:
        for s in range(total, rank - 1, -1):
            ways[s] += ways[s - rank]
    positive = sum(rank for rank, d in zip(doubled, kept) if d > 0)
    low = min(positive, total - positive)
    return min(1.0, 2 * sum(ways[:low + 1]) / 2 ** len(kept))


def compare(differences):
    """Of one difference a problem: mean, interval, p, and how many problems were better, even and worse."""
    better = sum(d < 0 for d in differences)
    worse = sum(d > 0 for d in differences)
    return {"mean": statistics.fmean(differences), "interval": bootstrap_interval(differences),
            "p": wilcoxon(differences), "better": better, "even": len(differences) - better - worse, "worse": worse}


def quantile(values, q):
    """The smallest value that at least the fraction q of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]
