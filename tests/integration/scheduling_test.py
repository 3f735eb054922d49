# SPDX-License-Identifier: Apache-2.0
"""Limits, seeds, time, and how values reach the script."""

import time
import unittest

from support import ENDLESS, METRIC, QUICK, HdriveTest

BEGIN_END = METRIC + """
echo "begin" >> "$RECORD"
metric loss 0.5
awk 'BEGIN { for (i = 0; i < 200000; ++i) x += i }'
echo "end" >> "$RECORD"
"""


class Limits(HdriveTest):
    def test_there_are_never_more_runs_alive_than_allowed_and_never_more_ever(self):
        self.config(BEGIN_END, max_total_runs=24, max_concurrent_runs=3)
        self.hdrive("run", "hdconfig.yml")
        now, most = 0, 0
        for line in self.record():
            now += 1 if line == "begin" else -1
            most = max(most, now)
        self.assertEqual(0, now)
        self.assertLessEqual(most, 3)
        self.assertEqual(24, self.record().count("begin"))
        self.assertEqual(24, len(self.runs()))

    def test_a_run_over_its_time_limit_is_ended_and_the_sweep_goes_on(self):
        self.config(METRIC + 'metric loss 1\ncase $AZUREML_RUN_ID in *_1) exec sleep 1000 ;; esac\n',
                    max_run_duration_seconds=1, max_total_runs=4)
        self.hdrive("run", "hdconfig.yml")
        runs = self.runs()
        self.assertEqual(["Completed", "Canceled", "Completed", "Completed"],
                         [run["status"] for run in runs])
        self.assertEqual("time_limit", runs[1]["ended_by"])

    def test_no_run_starts_after_the_sweeps_time_and_live_ones_are_cancelled(self):
        self.config(ENDLESS, max_duration_minutes=0.02, max_total_runs=10)
        began = time.monotonic()
        self.hdrive("run", "hdconfig.yml", code=None)
        self.assertLess(time.monotonic() - began, 15)
        self.assertEqual(2, len(self.record()))
        self.assertEqual([("Canceled", "budget")] * 2, [(run["status"], run["ended_by"]) for run in self.runs()])

    def test_a_sweep_ended_by_its_time_goes_on_with_more(self):
        self.config(ENDLESS, max_duration_minutes=0.02, max_total_runs=3, working_directory="source")
        self.hdrive("run", "hdconfig.yml", code=None)
        self.write("train.sh", QUICK)
        self.hdrive("resume", "last", "--set", "max_duration_minutes=10")
        self.assertEqual(["Completed"] * 3, [run["status"] for run in self.runs()])


class Seeds(HdriveTest):
    def values(self, *options):
        self.hdrive("run", "hdconfig.yml", *options)
        return [run["hyperparameters"] for run in self.runs()]

    def test_the_same_seed_gives_the_same_sweep(self):
        self.config(QUICK)
        self.assertEqual(self.values("--seed", "7"), self.values("--seed", "7"))

    def test_another_seed_gives_another_sweep(self):
        self.config(QUICK)
        self.assertNotEqual(self.values("--seed", "7"), self.values("--seed", "8"))

    def test_a_sweep_without_a_seed_keeps_the_one_it_drew(self):
        self.config(QUICK, seed=None)
        first, second = self.values(), self.values()
        self.assertNotEqual(first, second)

    def test_sample_shows_what_run_would_draw_and_starts_nothing(self):
        self.config(METRIC + 'metric loss 1\necho "$*" >> "$RECORD"\n', max_total_runs=3, max_concurrent_runs=1)
        shown = self.hdrive("sample", "hdconfig.yml", "-n", "3").out
        self.assertEqual([], self.record())
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual(3, len(self.record()))
        for arguments in self.record():
            self.assertIn(arguments, shown)


class DryRun(HdriveTest):
    def test_starts_nothing_and_leaves_nothing(self):
        self.config('echo started >> "$RECORD"\n')
        self.hdrive("run", "hdconfig.yml", "--dry-run")
        self.assertEqual([], self.record())
        self.assertEqual([], list(self.folder.glob(".hdrive/*")))

    def test_of_a_wrong_file_fails_as_a_run_would(self):
        self.config(max_total_runs=-1)
        self.hdrive("run", "hdconfig.yml", "--dry-run", code=2)


# Writes each argument on a line of its own.
ARGUMENTS = METRIC + 'for a in "$@"; do printf "<%s>\\n" "$a" >> "$RECORD"; done\nmetric loss 1\n'


class Values(HdriveTest):
    AWKWARD = ["two words", "quote'and\"quote", "$HOME `id` $(id)", "a;b|c&d>e<f", "*?[x]", "back\\slash",
               "-dash", "", "ünïcödé", "${{not.a.value}}"]

    def space(self, name, values):
        return {"type": "grid", "parameter_space": [
            {"name": name, "expression": "choice", "values": values}]}

    def test_reach_the_script_untouched_by_any_shell(self):
        self.config(ARGUMENTS, sampling=self.space("--text", self.AWKWARD), max_total_runs=len(self.AWKWARD),
                    max_concurrent_runs=1)
        self.hdrive("run", "hdconfig.yml")
        expected = [line for value in self.AWKWARD for line in ("<--text>", f"<{value}>")]
        self.assertEqual(expected, self.record())

    def test_keep_their_kind_in_the_text_a_script_sees(self):
        values = [1, 2.5, 1e-7, True, False, None, "s", [64, 64]]
        self.config(ARGUMENTS, sampling=self.space("kind", values), max_total_runs=8, max_concurrent_runs=1)
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual(["<1>", "<2.5>", "<1e-07>", "<True>", "<False>", "<None>", "<s>", "<[64,64]>"],
                         [line for line in self.record() if line != "<--kind>"])
        self.assertEqual(values, [run["hyperparameters"]["kind"] for run in self.runs()])

    def test_are_placed_where_the_command_says_and_then_not_appended(self):
        self.config(ARGUMENTS, sampling=self.space("x", ["a b"]), max_total_runs=1,
                    command="sh train.sh --first=${{search_space.x}} last")
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual(["<--first=a b>", "<last>"], self.record())

    def test_are_in_the_environment_too(self):
        self.config(METRIC + 'echo "$AZUREML_SWEEP_x" >> "$RECORD"\nmetric loss 1\n',
                    sampling=self.space("--x", ["a b"]), max_total_runs=1)
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual(["a b"], self.record())

    def test_go_behind_the_command_of_the_command_line(self):
        self.config(ARGUMENTS, sampling=self.space("x", [3]), max_total_runs=1, command=None)
        self.hdrive("run", "hdconfig.yml", "--", "sh", "train.sh", "--epochs", "20 x")
        self.assertEqual(["<--epochs>", "<20 x>", "<--x>", "<3>"], self.record())

    def test_a_command_that_ignores_them_is_warned_of(self):
        self.config(QUICK, sampling={"type": "random", "parameter_space": [
            {"name": "used", "expression": "uniform", "values": [0, 1]},
            {"name": "forgotten", "expression": "uniform", "values": [0, 1]}]},
            command="sh train.sh ${{search_space.used}}", max_total_runs=1)
        self.assertIn("forgotten", self.hdrive("run", "hdconfig.yml").err)

    def test_a_grid_tries_each_combination_once_in_order(self):
        self.config(ARGUMENTS, sampling={"type": "grid", "parameter_space": [
            {"name": "a", "expression": "choice", "values": [1, 2]},
            {"name": "b", "expression": "choice", "values": ["x", "y", "z"]}]},
            max_total_runs=100, max_concurrent_runs=1)
        done = self.hdrive("run", "hdconfig.yml")
        self.assertEqual([(1, "x"), (1, "y"), (1, "z"), (2, "x"), (2, "y"), (2, "z")],
                         [tuple(run["hyperparameters"].values()) for run in self.runs()])
        self.assertIn("the grid has 6 points, and all were tried", done.all)


if __name__ == "__main__":
    unittest.main()
