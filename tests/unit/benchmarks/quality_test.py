#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""benchmarks/quality: scores and statistics with answers known from elsewhere, sweeps in simulated time."""

import pathlib
import random
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "benchmarks" / "quality"))
import arms
import problems
import report
import run
import scoring
import sweeps


class Scores(unittest.TestCase):
    def test_are_100_at_the_optimum_and_0_where_random_search_is_or_worse(self):
        self.assertEqual([100, 75, 0, 0], [scoring.score(regret, 4.0) for regret in (0.0, 1.0, 4.0, 9.0)])

    def test_are_defined_where_random_search_finds_the_optimum(self):
        self.assertEqual([100, 0], [scoring.score(regret, 0.0) for regret in (0.0, 0.1)])

    def test_take_the_regret_that_held_after_so_many_results(self):
        trace = [[1, 8.0], [3, 2.0], [7, 5.0]]
        self.assertEqual([8, 8, 2, 2, 5, 5], [scoring.regret_at(trace, n) for n in (1, 2, 3, 6, 7, 100)])

    def test_take_no_logarithm_of_less_than_the_floor(self):
        self.assertEqual([-2, -3, -3], [scoring.log_regret(r, 1e-3) for r in (0.01, 1e-3, 0.0)])


class Statistics(unittest.TestCase):
    def test_wilcoxon_agrees_with_published_and_with_scipys_exact_values(self):
        darwin = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]
        self.assertEqual(0.041259765625, scoring.wilcoxon(darwin))
        self.assertEqual(0.0625, scoring.wilcoxon([1, 2, 3, 4, 5]))
        self.assertEqual(0.84375, scoring.wilcoxon([-1, 2, -3, 4, -5, 6, -7, 8]))

    def test_wilcoxon_is_exact_with_ties_too(self):
        # Ten differences with shared ranks; scipy's permutation test over all 2^10 signs gives the same.
        self.assertEqual(0.060546875, scoring.wilcoxon([1, 1, 1, 2, 2, -1, 3, -2, 5, 5]))

    def test_wilcoxon_drops_zeros_and_says_nothing_of_nothing(self):
        self.assertEqual(scoring.wilcoxon([1, -2, 3]), scoring.wilcoxon([0, 1, 0, -2, 3]))
        self.assertEqual(1.0, scoring.wilcoxon([0, 0]))

    def test_equal_values_share_their_ranks(self):
        self.assertEqual([1, 3.5, 3.5, 3.5, 3.5, 6], scoring.ranks([-1, 2, 2, 2, 2, 7]))

    def test_the_bootstrap_interval_is_that_of_the_normal_theory_for_many_normal_values(self):
        stream = random.Random(5)
        values = [stream.gauss(3, 2) for _ in range(400)]
        low, high = scoring.bootstrap_interval(values, rounds=2000)
        mean = sum(values) / len(values)
        self.assertAlmostEqual(mean - 0.196, low, delta=0.03)  # 1.96 x 2 / sqrt(400)
        self.assertAlmostEqual(mean + 0.196, high, delta=0.03)

    def test_the_bootstrap_interval_of_equal_values_is_a_point(self):
        self.assertEqual((7, 7), scoring.bootstrap_interval([7] * 5, rounds=100))

    def test_quantiles_are_values_that_occurred(self):
        self.assertEqual([1, 2, 4], [scoring.quantile([3, 1, 2, 4], q) for q in (0.0, 0.5, 0.99)])


class Table(unittest.TestCase):
    def row(self, arm, problem, regret, seed=0):
        return {"problem": problem, "arm": arm, "mode": "sequential", "budget": 100, "seed": seed, "suite": "bbob",
                "floor": 1e-8, "trace": [[1, 100.0], [50, regret]], "p50_ms": 1.0, "p99_ms": 2.0}

    def rows(self):
        for problem, ours, theirs in (("a", 1.0, 10.0), ("b", 0.1, 10.0), ("c", 10.0, 1.0)):
            yield from (self.row("hdrive-bayesian", problem, ours), self.row("optuna-gp", problem, theirs))
            yield from ({**self.row("uniform", problem, value, seed), "budget": 200}
                        for seed, value in enumerate((10.0, 30.0)))

    def test_compares_by_problem_with_the_worst_first(self):
        text = report.table(list(self.rows()))
        self.assertIn("| optuna-gp | bbob | 3 | -0.667 | -2.000 .. +1.000 | 0.75 | 2 / 0 / 1 | 1 |", text)
        self.assertLess(text.index("| c | +1.00 |"), text.index("| a | -1.00 |"))
        self.assertLess(text.index("| a | -1.00 |"), text.index("| b | -2.00 |"))

    def test_scores_against_the_mean_of_random_search(self):
        self.assertIn("| hdrive-bayesian | 81.5 (3) | 1.00 | 2.00 |", report.table(list(self.rows())))

    def test_compares_only_seeds_that_both_have(self):
        rows = [*self.rows(), self.row("hdrive-bayesian", "a", 1e-5, seed=1)]
        self.assertIn("| optuna-gp | bbob | 3 | -0.667 |", report.table(rows))

    def test_says_who_was_left_out(self):
        self.assertIn("Left out: 3 sweeps of hebo: No module named torch",
                      report.table(list(self.rows()), {("hebo", "No module named torch"): 3}))


class Recorder(arms.Uniform):
    """Notes how many runs are open at each proposal, and the order in which results come."""

    def start(self, *arguments):
        super().start(*arguments)
        self.open, self.at_proposals, self.told = 0, [], []

    def ask(self, count):
        asked = super().ask(count)
        self.at_proposals.append(self.open)
        self.open += len(asked)
        return asked

    def tell(self, key, value):
        self.open -= 1
        self.told.append((key, value))


class Sweeps(unittest.TestCase):
    def sweep(self, mode, budget=20, problem="analytic/hartmann6_noisy", seed=3):
        arm = Recorder()
        return arm, sweeps.Sweep(problems.get(problem), arm, seed, budget, mode).run()

    def test_have_as_many_runs_open_as_their_mode_says(self):
        sequential, _ = self.sweep("sequential")
        self.assertEqual({0}, set(sequential.at_proposals))
        batches, _ = self.sweep("batches")
        self.assertEqual([0] * 3, batches.at_proposals[:3])
        asynchronous, _ = self.sweep("asynchronous")
        self.assertEqual([0, 1, 2, 3, 4, 5, 6, 7, 7, 7], asynchronous.at_proposals[:10])
        for arm in (sequential, batches, asynchronous):
            self.assertEqual(20, len(arm.told))

    def test_of_asynchronous_workers_end_out_of_order_and_the_same_each_time(self):
        orders = [[key for key, _ in self.sweep("asynchronous")[0].told] for _ in range(2)]
        self.assertEqual(orders[0], orders[1])
        self.assertNotEqual(sorted(orders[0]), orders[0])

    def test_give_an_evaluation_the_same_noise_in_any_mode_and_another_with_another_seed(self):
        def told(mode, seed):
            return dict(self.sweep(mode, seed=seed)[0].told)
        problem = problems.get("analytic/hartmann6_noisy")
        self.assertEqual(told("sequential", 3), told("asynchronous", 3))
        middle = {f"x{i}": 0.5 for i in range(6)}
        observed, true = zip(*(problem.evaluate(middle, seed, number) for seed, number in ((1, 1), (1, 2), (2, 1))))
        self.assertEqual(3, len(set(observed)))
        self.assertEqual(1, len(set(true)))

    def test_keep_the_noise_free_regret_of_the_point_observed_best(self):
        arm, sweep = self.sweep("sequential", budget=40)
        told = [value for _, value in arm.told]
        best = told.index(min(told))
        self.assertEqual(best + 1, sweep.trace[-1][0])
        values = Recorder()
        values.start(sweep.problem.space, 3, 40, 1)
        _, point = values.ask(40)[best]
        regret = sweep.problem.evaluate(point, 3, best)[1] - sweep.problem.optimum
        self.assertAlmostEqual(regret, sweep.trace[-1][1], places=4)


class Faltering(Recorder):
    """A peer that breaks at its third result."""

    closed = 0

    def tell(self, key, value):
        super().tell(key, value)
        if len(self.told) == 3:
            raise arms.Missing("its matrix is singular")

    def close(self):
        Faltering.closed += 1


class Failures(unittest.TestCase):
    TASK = {"problem": "analytic/branin", "mode": "sequential", "budget": 5, "seed": 0}

    def setUp(self):
        self.make = arms.make
        run.settings.update(hdrive="/nowhere/hdrive", venv="/nowhere")

    def tearDown(self):
        arms.make = self.make
        run.kept.clear()
        run.missing.clear()

    def test_of_a_sweep_are_told_and_the_peer_begins_anew(self):
        arms.make = lambda *_: Faltering()
        for count in (1, 2):
            row = run.perform({**self.TASK, "arm": "peer"})
            self.assertEqual("its matrix is singular", row["missing"])
            self.assertEqual(count, Faltering.closed)

    def test_to_begin_are_final_for_a_peer(self):
        calls = []

        def make(*_):
            calls.append(1)
            raise OSError("no such file")
        arms.make = make
        rows = [run.perform({**self.TASK, "arm": "peer"}) for _ in range(2)]
        self.assertEqual(["no such file"] * 2, [row["missing"] for row in rows])
        self.assertEqual(1, len(calls))

    def test_of_hdrive_name_the_binary(self):
        row = run.perform({**self.TASK, "arm": "hdrive-random"})
        self.assertIn("/nowhere/hdrive", row["missing"])


class Problems(unittest.TestCase):
    OPTIMA = {"branin": [3.141592653589793, 2.275], "rosenbrock4": [1] * 4, "levy6": [1] * 6, "ackley8": [0] * 8,
              "hartmann6": [0.20168952, 0.15001069, 0.47687398, 0.27533243, 0.31165162, 0.65730054],
              "styblinski_tang5": [-2.903534027771177] * 5}

    def test_of_our_own_have_their_published_optima(self):
        for name, point in self.OPTIMA.items():
            problem = problems.get(f"analytic/{name}")
            value = problem.evaluate({p["name"]: v for p, v in zip(problem.space, point)}, 0, 0)[1]
            self.assertAlmostEqual(problem.optimum, value, places=6, msg=name)

    def test_of_our_own_are_never_below_their_optimum(self):
        for name in problems.ANALYTIC:
            problem = problems.get(f"analytic/{name}")
            draws = arms.Uniform()
            draws.start(problem.space, 1, 300, 1)
            for key, values in draws.ask(300):
                self.assertGreaterEqual(problem.evaluate(values, 0, key)[1], problem.optimum, name)

    def test_are_chosen_by_pattern(self):
        self.assertEqual(48, len(problems.chosen(["bbob/*"])))
        self.assertEqual(["bbob/f08/d5/i2"], problems.chosen(["*f08/d5*"], instance=2)[:1])
        self.assertEqual(15, len(problems.chosen(["hpo*/*", "nasbench201/*"])))

    def test_are_declared_to_hdrive_in_its_expressions(self):
        self.assertEqual({"name": "lr", "expression": "loguniform", "values": [0.0, 2.0]},
                         arms.expression({"name": "lr", "type": "float", "low": 1.0, "high": 7.38905609893065,
                                          "log": True}))
        self.assertEqual([8], arms.expression({"name": "k", "type": "int", "high": 7})["values"])


if __name__ == "__main__":
    unittest.main()
