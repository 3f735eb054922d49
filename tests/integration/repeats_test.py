# SPDX-License-Identifier: Apache-2.0
"""The best runs once more at the end of a sweep: repeat_best, its budget, kills among the repeats, what is told of them."""

import csv
import io
import json
import unittest

from support import METRIC, HdriveTest, until

# The loss of run N is N, and of a repeat of it a little more, by its seed.
SCRIPT = METRIC + """
echo "$HDRIVE_RUN_NUMBER $HDRIVE_SEED $*" >> "$RECORD"
[ "$HDRIVE_RUN_NUMBER" -lt 4 ] || [ -z "$GATE" ] || until [ -e "$GATE-$HDRIVE_RUN_NUMBER" ]; do sleep 0.02; done
metric loss "$2.$HDRIVE_SEED"
"""
WHOLE = [{"name": "--x", "expression": "choice", "values": [[3, 1, 2, 0]]}]
RUNS = 4


class Repeats(HdriveTest):
    def setUp(self):
        super().setUp()
        self.config(SCRIPT, sampling={"type": "grid", "parameter_space": WHOLE}, max_total_runs=None)

    def repeats(self):
        return [run["proposal"] for run in self.runs() if run["proposal"].startswith("repeat")]

    def assert_all_are_there_once(self):
        self.assertEqual(["repeat of run 3 (1 of 3)", "repeat of run 1 (1 of 3)", "repeat of run 3 (2 of 3)",
                          "repeat of run 1 (2 of 3)", "repeat of run 3 (3 of 3)", "repeat of run 1 (3 of 3)"], self.repeats())
        self.assertEqual({"Completed"}, {run["status"] for run in self.runs()})

    def test_the_best_two_are_run_three_times_more_with_new_seeds_and_told_by_mean(self):
        end = self.hdrive("run", "hdconfig.yml", "--repeat-best", "2x3").out
        self.assert_all_are_there_once()
        self.assertRegex(end, r"(?m)^repeats   run 3: mean 0\.\d+ \+- \S+ \(95 %, 3 repeats\), the best\n"
                              r"          run 1: mean 1\.\d+ \+- \S+ \(95 %, 3 repeats\)$")
        self.assertRegex(self.hdrive("show", "last").out, r"(?m)^repeats    run 3: mean 0\.\d+ .*, the best$")
        seeds = {int(line.split()[1]) for line in self.record()}
        self.assertEqual(RUNS + 6, len(seeds))
        self.assertTrue(all(0 <= seed < 2 ** 31 for seed in seeds))
        runs = {run["number"]: run for run in self.runs()}
        self.assertEqual(runs[3]["hyperparameters"], runs[4]["hyperparameters"])
        values = [runs[number]["best_primary_metric"] for number in (4, 6, 8)]
        [first, second] = json.loads(self.hdrive("show", "last", "-f", "json").out)["repeats"]
        self.assertEqual((3, 3, values), (first["run"], first["n"], first["values"]))
        self.assertAlmostEqual(sum(values) / 3, first["mean"])
        self.assertAlmostEqual(first["mean"], sum(first["interval"]) / 2)
        self.assertEqual(1, second["run"])
        best = json.loads(self.hdrive("best", "--by", "mean", "-f", "json").out)
        self.assertEqual((3, first), (best["number"], best["repeats"]))
        self.assertRegex(self.hdrive("best", "--by", "mean").out, r"(?m)^mean       0\.\d+ \+- \S+ \(95 %, 3 repeats\)$")
        [row] = csv.DictReader(io.StringIO(self.hdrive("best", "--by", "mean", "-f", "csv").out))
        self.assertEqual("3", row["repeats"])
        self.assertIn("repeat of run 3 (1 of 3)", self.hdrive("show", "last/4").out)
        self.assertIn("repeat of run 3 (1 of 3)", self.hdrive("export", "last").out)

    def test_a_seed_is_the_same_for_the_same_sweep_and_run(self):
        self.hdrive("run", "hdconfig.yml", "--quiet", "--repeat-best", "2x3")
        self.environment["HDRIVE_HOME"] += "-2"
        self.hdrive("run", "hdconfig.yml", "--quiet", "--repeat-best", "2x3")
        self.assertEqual(RUNS + 6, len(set(self.record())))

    def test_a_sweep_killed_among_its_repeats_goes_on_exactly_there(self):
        self.addCleanup(self.end_processes)
        self.environment["GATE"] = str(self.folder / "gate")
        self.config(sampling={"type": "grid", "parameter_space": WHOLE}, max_total_runs=None, max_concurrent_runs=1,
                    repeat_best="2x3")
        engine = self.start("run", "hdconfig.yml", "--quiet")
        for number in range(RUNS, RUNS + 6):
            until(lambda: any(line.startswith(f"{number} ") for line in self.record()), f"run {number} trains")
            engine.kill()
            engine.wait()
            (self.folder / f"gate-{number}").touch()
            engine = self.start("resume", "last", "--quiet")
        self.assertEqual(0, self.finish(engine).code)
        self.assert_all_are_there_once()
        self.assertEqual(list(range(RUNS + 6)), sorted(int(line.split()[0]) for line in self.record()))

    def test_a_finished_sweep_repeats_its_best_where_it_is_told_to(self):
        self.hdrive("run", "hdconfig.yml", "--quiet")
        none = self.hdrive("best", "--by", "mean", code=3).err
        self.assertIn("no run was repeated; hdrive resume HD_", none)
        self.assertIn("--set repeat_best=3x5", none)
        self.hdrive("resume", "last", "--set", "repeat_best=2x3", "--quiet")
        self.assert_all_are_there_once()
        self.assertIn("all of its 10 runs have ended", self.hdrive("resume", "last", code=None).all)

    def test_what_is_no_number_of_repeats_is_told(self):
        for wrong in ("3", "x5", "0x5", "3x0", "3x", "3 x 5", "-1x2", "3x5x7", "99999x1"):
            self.assertIn("such as 3x5", self.hdrive("validate", "hdconfig.yml", "--set", f"repeat_best={wrong}", code=2).err, wrong)
        self.assertIn("such as 3x5", self.hdrive("run", "hdconfig.yml", "--repeat-best", "five", code=2).err)
        self.config(SCRIPT, repeat_best="3x5")
        self.assertIn('hdconfig.yml has no key "repeat_best"', self.hdrive("validate", "hdconfig.yml", "--azure", code=None).all)


if __name__ == "__main__":
    unittest.main()
