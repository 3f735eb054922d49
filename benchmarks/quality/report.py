# SPDX-License-Identifier: Apache-2.0
"""The table, in Markdown, of the rows that run.py has stored."""

import collections
import statistics

import scoring

YARDSTICK = "uniform"


class Results:
    """The rows, by (mode, budget), arm, problem and seed; and the yardstick of each problem."""

    def __init__(self, rows):
        self.sweeps = collections.defaultdict(lambda: collections.defaultdict(lambda: collections.defaultdict(dict)))
        self.suites = {}
        uniform = collections.defaultdict(list)
        for row in rows:
            self.suites[row["problem"]] = row["suite"]
            if row["arm"] == YARDSTICK:
                uniform[row["problem"]].append(row["trace"])
            else:
                self.sweeps[row["mode"], row["budget"]][row["arm"]][row["problem"]][row["seed"]] = row
        self.uniform = uniform

    def of_random(self, problem, n):
        return statistics.fmean(scoring.regret_at(trace, n) for trace in self.uniform[problem])

    def scores(self, case, arm):
        """One a problem: the mean over the seeds."""
        budget = case[1]
        return {problem: statistics.fmean(
                    scoring.score(scoring.regret_at(row["trace"], budget), self.of_random(problem, budget))
                    for row in seeds.values())
                for problem, seeds in self.sweeps[case][arm].items() if self.uniform[problem]}

    def differences(self, case, ours, peer):
        """log10 regret of ours minus the peer's, one a problem: the mean over the seeds that both have."""
        result = {}
        for problem, mine in self.sweeps[case][ours].items():
            theirs = self.sweeps[case][peer].get(problem, {})
            both = mine.keys() & theirs.keys()
            if both:
                result[problem] = statistics.fmean(self.logarithm(mine[s]) - self.logarithm(theirs[s]) for s in both)
        return result

    @staticmethod
    def logarithm(row):
        return scoring.log_regret(scoring.regret_at(row["trace"], row["budget"]), row["floor"])

    def suites_of(self, problems):
        """(name, problems) of each suite, and of all of them where there are several."""
        grouped = collections.defaultdict(list)
        for problem in sorted(problems):
            grouped[self.suites[problem]].append(problem)
        together = [("all", sorted(problems))] if len(grouped) > 1 else []
        return sorted(grouped.items()) + together


def rule(*cells):
    return "| " + " | ".join(str(c) for c in cells) + " |"


def head(*cells):
    return [rule(*cells), rule(*["---"] * len(cells))]


def scores_table(results, case):
    """A row an arm, a column a suite: the mean over the problems that the arm has, and their number."""
    arms = sorted(results.sweeps[case])
    suites = sorted({results.suites[p] for arm in arms for p in results.sweeps[case][arm]})
    lines = head("arm", *suites, "proposal ms p50", "p99")
    for arm in arms:
        scores = results.scores(case, arm)
        cells = []
        for suite in suites:
            values = [v for p, v in scores.items() if results.suites[p] == suite]
            cells.append(f"{statistics.fmean(values):.1f} ({len(values)})" if values else "")
        rows = [row for seeds in results.sweeps[case][arm].values() for row in seeds.values()]
        lines.append(rule(arm, *cells, f"{statistics.median(r['p50_ms'] for r in rows):.2f}",
                          f"{statistics.median(r['p99_ms'] for r in rows):.2f}"))
    return lines


def comparison_table(results, case, ours):
    lines = head(f"{ours} against", "suite", "problems", "mean", "95 % interval", "Wilcoxon p", "better / even / worse",
                 "seeds")
    for peer in sorted(results.sweeps[case]):
        if peer == ours:
            continue
        differences = results.differences(case, ours, peer)
        for suite, problems in results.suites_of(differences):
            found = scoring.compare([differences[p] for p in problems])
            seeds = [len(results.sweeps[case][ours][p].keys() & results.sweeps[case][peer][p].keys()) for p in problems]
            lines.append(rule(
                peer, suite, len(problems), f"{found['mean']:+.3f}", "{:+.3f} .. {:+.3f}".format(*found["interval"]),
                f"{found['p']:.2g}", f"{found['better']} / {found['even']} / {found['worse']}",
                f"{min(seeds)}..{max(seeds)}" if min(seeds) < max(seeds) else max(seeds)))
    return lines


def problems_table(results, case, ours, peer):
    differences = results.differences(case, ours, peer)
    return head("problem", f"{ours} - {peer}") + [
        rule(p, f"{d:+.2f}") for p, d in sorted(differences.items(), key=lambda item: -item[1])]


def table(rows, reasons=(), ours="hdrive-bayesian", worst="optuna-gp"):
    """Scores of all arms; ours against each of the others; each problem against one of them, the worst first."""
    results = Results(rows)
    lines = ["# Quality of the samplers", ""]
    for (arm, reason), count in dict(reasons).items():
        lines.append(f"Left out: {count} sweeps of {arm}: {reason}\n")
    for case in sorted(results.sweeps):
        mode, budget = case
        lines += [f"## {mode}, {budget} results", "",
                  "Score: 100 is the optimum, 0 random search; in brackets the number of problems.", "",
                  *scores_table(results, case), ""]
        arms = results.sweeps[case]
        if ours in arms and len(arms) > 1:
            lines += [f"Difference of log10 simple regret, {ours} minus the other; negative is better.", "",
                      *comparison_table(results, case, ours), ""]
        if ours in arms and worst in arms:
            lines += ["Each problem, the worst first:", "", *problems_table(results, case, ours, worst), ""]
    return "\n".join(lines)
