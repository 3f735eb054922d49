# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C once and twice, resume, and stopping from another terminal."""

import os
import signal
import unittest

from support import ENDLESS, METRIC, QUICK, HdriveTest, alive, until

# Ends at once where the file `quick` is, else runs on.
QUICK_LATER = METRIC + 'echo "$$" >> "$RECORD"\nmetric loss 0.5\n[ -e $HDRIVE_SOURCE_DIR/quick ] || exec sleep 1000\n'
STUBBORN = METRIC + "trap '' TERM\necho $$ >> \"$RECORD\"\nmetric loss 1\nwhile :; do sleep 0.05; done\n"


class Interrupt(HdriveTest):
    def start_two(self, script, **keys):
        self.config(script, **keys)
        sweep = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) == 2, "two runs are alive")
        return sweep, self.record()

    def test_ctrl_c_cancels_the_runs_and_keeps_everything(self):
        sweep, pids = self.start_two(ENDLESS)
        until(lambda: [run["best_primary_metric"] for run in self.runs()] == [0.5, 0.5], "both have reported")
        self.interrupt(sweep)
        done = self.finish(sweep)
        self.assertEqual(130, done.code, done)
        self.assertEqual([False, False], [alive(pid) for pid in pids])
        self.assertEqual([("Canceled", 0.5)] * 2,
                         [(run["status"], run["best_primary_metric"]) for run in self.runs()])
        # One word for it everywhere, and once.
        self.assertIn("cancelling 2 runs; Ctrl-C again kills them at once", done.err)
        self.assertRegex(done.out, r"(?m)^sweep +HD_\w{8}: Interrupted\nbest ")
        self.assertRegex(done.out, r"(?m)^resume with: hdrive resume HD_\w{8}$")
        self.assertRegex(self.hdrive("status", "last").out, r"(?m)^status +Interrupted$")
        self.assertEqual("Interrupted", self.sweeps()[0]["status"])

    def test_the_terminals_ctrl_c_does_not_reach_the_runs_themselves(self):
        # A terminal sends SIGINT to its whole foreground group; the runs are in groups of their own.
        self.config("trap 'echo interrupted >> \"$RECORD\"' INT\n" + STUBBORN.replace("trap '' TERM\n", ""),
                    max_total_runs=1)
        sweep = self.start("run", "hdconfig.yml", start_new_session=True)
        until(self.record, "the run is alive")
        os.killpg(sweep.pid, signal.SIGINT)
        self.assertEqual(130, self.finish(sweep).code)
        self.assertNotIn("interrupted", self.record())

    def test_a_second_ctrl_c_ends_everything_at_once(self):
        sweep, pids = self.start_two(STUBBORN, cancel_grace_seconds=1000)
        self.interrupt(sweep)
        until(lambda: self.database().execute("select count(*) from runs where canceling is not null")
              .fetchone() == (2,), "the runs are being cancelled")
        self.assertTrue(all(alive(pid) for pid in pids))
        self.interrupt(sweep)
        self.assertEqual(130, self.finish(sweep).code)
        self.assertEqual([False, False], [alive(pid) for pid in pids])

    def test_a_reader_who_takes_nothing_holds_up_neither_the_sweep_nor_ctrl_c(self):
        # As a pager does, or a terminal after Ctrl-S.
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.config(METRIC + 'metric loss 0.5\necho "$HDRIVE_RUN_NUMBER" >> "$RECORD"\n'
                    'while [ -e "$(dirname "$RECORD")/wait" ]; do sleep 0.02; done\n', max_total_runs=10 ** 6)
        self.write("wait", "")
        sweep = self.start("run", "hdconfig.yml", stdout=writing, stderr=writing)
        until(lambda: len(self.record()) == 2, "two runs are alive")
        os.set_blocking(writing, False)
        with self.assertRaises(BlockingIOError):
            while True:
                os.write(writing, b"x")
        os.set_blocking(writing, True)
        os.close(writing)
        (self.folder / "wait").unlink()
        until(lambda: len(self.record()) > 10, "the sweep goes on")
        self.interrupt(sweep)
        until(lambda: self.sweeps()[0]["status"] == "Interrupted", "Ctrl-C is heard")
        until(lambda: not self.processes(), "nothing is left")
        shown = b""
        while piece := os.read(reading, 65536):
            shown += piece
        self.assertEqual(130, sweep.wait(30))
        self.assertGreaterEqual(shown.count(b"  Completed  "), 9)  # of the eleven that had begun two may live
        self.assertIn(b"resume with: hdrive resume", shown)

    def test_sigterm_stops_as_cleanly_as_ctrl_c(self):
        sweep, pids = self.start_two(ENDLESS)
        sweep.send_signal(signal.SIGTERM)
        self.assertEqual(130, self.finish(sweep).code)
        self.assertEqual([False, False], [alive(pid) for pid in pids])

    def test_resume_goes_on_with_the_same_runs_and_finishes_the_sweep(self):
        sweep, _ = self.start_two(QUICK_LATER, max_total_runs=5)
        interrupted = {run["number"]: run["hyperparameters"] for run in self.runs()}
        self.interrupt(sweep)
        self.finish(sweep)
        self.write("quick", "")
        self.hdrive("resume", "last")
        runs = self.runs()
        self.assertEqual(["Completed"] * 5, [run["status"] for run in runs])
        self.assertEqual(interrupted, {run["number"]: run["hyperparameters"] for run in runs[:2]})
        self.assertEqual(1, len(self.sweeps()))

    def test_a_resumed_sweep_is_the_sweep_that_would_have_been(self):
        self.write("quick", "")
        self.config(QUICK_LATER, max_total_runs=5)
        self.hdrive("run", "hdconfig.yml")
        whole = [run["hyperparameters"] for run in self.runs()]
        (self.folder / "quick").unlink()
        self.record_file.unlink()
        sweep, _ = self.start_two(QUICK_LATER, max_total_runs=5)
        self.interrupt(sweep)
        self.finish(sweep)
        self.write("quick", "")
        self.hdrive("resume", "last")
        self.assertEqual(whole, [run["hyperparameters"] for run in self.runs()])

    def test_resuming_a_complete_sweep_starts_nothing(self):
        self.config(QUICK)
        self.hdrive("run", "hdconfig.yml")
        self.hdrive("resume", "last", code=None)
        self.assertEqual(4, len(self.runs()))

    def test_a_sweep_that_is_running_cannot_be_resumed_beside_it(self):
        sweep, _ = self.start_two(ENDLESS)
        done = self.hdrive("resume", "last", code=None)
        self.assertNotEqual(0, done.code)
        self.assertIn(str(sweep.pid), done.err)
        self.interrupt(sweep)
        self.finish(sweep)


class Stop(HdriveTest):
    def test_a_sweep_can_be_stopped_from_another_terminal(self):
        self.config(ENDLESS)
        sweep = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) == 2, "two runs are alive")
        self.hdrive("stop", "last")
        self.assertEqual(130, self.finish(sweep).code)
        self.assertEqual([False, False], [alive(pid) for pid in self.record()])
        self.assertEqual(["Canceled"] * 2, [run["status"] for run in self.runs()])

    def test_one_run_can_be_stopped_and_the_others_go_on(self):
        self.config(METRIC + "metric loss 1\ncase $AZUREML_RUN_ID in\n"
                    '*_1) echo "$$" >> "$RECORD"; exec sleep 1000 ;; esac\n', max_total_runs=4)
        sweep = self.start("run", "hdconfig.yml")
        until(self.record, "run 1 is alive")
        self.hdrive("stop", "last/1")
        self.assertEqual(0, self.finish(sweep).code)
        self.assertEqual(["Completed", "Canceled", "Completed", "Completed"],
                         [run["status"] for run in self.runs()])

    def test_stopping_what_does_not_run_says_so(self):
        self.config(QUICK)
        self.hdrive("run", "hdconfig.yml")
        self.assertNotEqual(0, self.hdrive("stop", "last", code=None).code)
        self.assertEqual(4, self.hdrive("stop", "nothing-of-that-name", code=None).code)


if __name__ == "__main__":
    unittest.main()
