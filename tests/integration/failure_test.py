# SPDX-License-Identifier: Apache-2.0
"""Runs that fail, sweeps that can't succeed, metrics that are missing or no numbers."""

import unittest

from support import METRIC, QUICK, HdriveTest


class FailingRuns(HdriveTest):
    def test_do_not_end_the_sweep(self):
        self.config(METRIC + "case $AZUREML_RUN_ID in *_0) exit 7 ;; *_1) kill -SEGV $$ ;; esac\n"
                    "metric loss 1\n", max_total_runs=5, max_concurrent_runs=1)
        self.hdrive("run", "hdconfig.yml")
        runs = self.runs()
        self.assertEqual(["Failed", "Failed", "Completed", "Completed", "Completed"],
                         [run["status"] for run in runs])
        self.assertEqual(7, runs[0]["exit_code"])
        self.assertIn("SIGSEGV", runs[1]["reason"])

    def test_all_failing_end_the_sweep_early_with_the_last_lines_of_stderr(self):
        self.config('echo run >> "$RECORD"\necho "the disk is full" >&2\nexit 1\n', max_total_runs=50)
        done = self.hdrive("run", "hdconfig.yml", code=3)
        self.assertIn("the disk is full", done.all)
        self.assertLess(len(self.record()), 10)

    def test_a_script_that_is_missing_is_told_with_its_name(self):
        self.config(command="python3 no_such_script.py", max_total_runs=50)
        done = self.hdrive("run", "hdconfig.yml", code=None)
        self.assertIn(done.code, (2, 3), done)
        self.assertIn("no_such_script.py", done.all)

    def test_a_program_that_is_missing_is_told_with_its_name(self):
        self.config(command="no-such-program --x", max_total_runs=50)
        done = self.hdrive("run", "hdconfig.yml", code=None)
        self.assertIn(done.code, (2, 3), done)
        self.assertIn("no-such-program", done.all)


class LostRuns(HdriveTest):
    def test_that_removed_their_own_directory_are_told_as_that(self):
        self.config('rm -rf "$HDRIVE_RUN_DIR"\n', max_total_runs=1, max_lost_retries=0)
        self.hdrive("run", "hdconfig.yml", code=3)
        [run] = self.runs()
        self.assertRegex(run["reason"], r"^was lost: its directory \S+/runs/0 was removed while it ran, and with it how it "
                         r"ended; it is not tried again \(max_lost_retries is 0\)$")
        self.assertIn("nothing there; the run was started, and what it left was removed",
                      self.hdrive("logs", "last/0", code=4).err)


class MissingMetric(HdriveTest):
    def test_is_told_with_the_names_that_were_seen_and_ends_the_sweep(self):
        self.config(METRIC + 'echo run >> "$RECORD"\nmetric Loss 1\nmetric accuracy 1\n', max_total_runs=50)
        done = self.hdrive("run", "hdconfig.yml", code=3)
        for word in ("loss", "Loss", "accuracy"):
            self.assertIn(word, done.all)
        self.assertIn('did you mean "Loss"', done.all)
        self.assertLess(len(self.record()), 10)

    def test_of_one_run_is_a_warning(self):
        self.config(METRIC + "case $AZUREML_RUN_ID in *_1) metric other 1 ;; *) metric loss 1 ;; esac\n")
        done = self.hdrive("run", "hdconfig.yml")
        self.assertIn("run 1: ended without the primary metric", done.all)


class NotANumber(HdriveTest):
    def test_never_wins_and_never_breaks_a_policy(self):
        self.config(METRIC + """
case $AZUREML_RUN_ID in
  *_0) for i in 1 2 3; do metric loss 0.5; done ;;
  *_1) for i in 1 2 3; do metric loss NaN; done ;;
  *_2) for i in 1 2 3; do metric loss -Infinity; done ;;
  *) hdrive log loss nan; hdrive log loss -inf; hdrive log loss 0.75 ;;
esac
""", policy={"type": "BanditPolicy", "slack_factor": 0.1, "delay_evaluation": 3})
        self.hdrive("run", "hdconfig.yml")
        runs = self.runs()
        self.assertEqual([0.5, None, None, 0.75], [run["best_primary_metric"] for run in runs])
        self.assertIn("0.5", self.hdrive("best", "last").out)


class Policies(HdriveTest):
    # Run 0 is good and done before the others begin; the poor ones log until they are stopped.
    SCRIPT = METRIC + """
case $AZUREML_RUN_ID in
  *_0) metric loss 0.1; metric loss 0.1; metric loss 0.1; exit ;;
esac
metric loss 0.9; metric loss 0.9
exec sleep 1000
"""

    def test_a_poor_run_is_stopped_and_show_tells_why(self):
        self.config(self.SCRIPT, max_total_runs=3, max_concurrent_runs=1,
                    policy={"type": "bandit", "slack_factor": 0.2, "delay_evaluation": 2})
        done = self.hdrive("run", "hdconfig.yml")
        runs = self.runs()
        self.assertEqual(["Completed", "Canceled", "Canceled"], [run["status"] for run in runs])
        shown = self.hdrive("show", "last/1").out
        for word in ("0.9", "0.12"):  # the value and the threshold, 0.1 x 1.2
            self.assertIn(word, shown)
        self.assertIn("2 stopped early", done.all)

    def test_show_tells_why_no_policy_fired(self):
        self.config(QUICK, policy={"type": "median_stopping", "delay_evaluation": 5})
        self.hdrive("run", "hdconfig.yml")
        self.assertIn("not due: the policy looks at every report from the 5th on",
                      self.hdrive("show", "last/0").out)


if __name__ == "__main__":
    unittest.main()
