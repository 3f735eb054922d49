#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares two files of sweeps, of native_bench --out or of run.py, on the problems and seeds that both have.

    benchmarks/quality/compare.py new.jsonl old.jsonl [--at 25 50 100] [--problems]

Prints the mean of log10 regret of new minus old (negative: new is better), its interval over problems, p, and how many
problems are better, even and worse.
"""

import argparse
import collections
import json
import statistics
import sys

import scoring


def load(path):
    """{(problem, budget): {seed: row}}"""
    rows = collections.defaultdict(dict)
    with open(path) as file:
        for line in file:
            row = json.loads(line)
            rows[row["problem"], row["mode"], row["budget"]][row["seed"]] = row
    return rows


def differences(new, old, case, at):
    both = new[case].keys() & old[case].keys()
    return [logarithm(new[case][s], at) - logarithm(old[case][s], at) for s in sorted(both)]


def logarithm(row, at):
    return scoring.log_regret(scoring.regret_at(row["trace"], at) if row["trace"] else 1e300, row["floor"])


def line(label, at, values, seeds):
    found = scoring.compare(values)
    low, high = found["interval"]
    return (f"{label:<14} {at:>5} {len(values):>4} x {seeds:<3} {found['mean']:+.3f} ({low:+.3f} .. {high:+.3f}) "
            f"p {found['p']:.2g}  {found['better']} / {found['even']} / {found['worse']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("new")
    parser.add_argument("old")
    parser.add_argument("--at", type=int, nargs="+", help="numbers of results; default: each sweep's last")
    parser.add_argument("--problems", action="store_true", help="a line a problem as well")
    options = parser.parse_args()
    new, old = load(options.new), load(options.old)
    cases = sorted(new.keys() & old.keys())
    for budget in sorted({case[2] for case in cases}):
        for at in [n for n in options.at or [budget] if n <= budget]:
            suites = collections.defaultdict(list)
            seeds = 0
            for case in cases:
                if case[2] != budget:
                    continue
                values = differences(new, old, case, at)
                if not values:
                    continue
                seeds = max(seeds, len(values))
                suites[next(iter(new[case].values()))["suite"]].append((case[0], statistics.fmean(values)))
            for suite, values in sorted(suites.items()):
                if options.problems:
                    for problem, value in sorted(values, key=lambda pair: pair[1]):
                        print(f"    {value:+.2f}  {problem}")
                print(line(suite, at, [v for _, v in values], seeds))
            if len(suites) > 1:
                print(line("all", at, [v for values in suites.values() for _, v in values], seeds))


if __name__ == "__main__":
    sys.exit(main())
