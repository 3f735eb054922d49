# SPDX-License-Identifier: Apache-2.0
"""How sweeps stop by themselves, what is tried again, and the commands at the end."""

import json
import os
import unittest

from support import ENDLESS, METRIC, QUICK, HdriveTest, until

HOOK = 'echo "$HDRIVE_HOOK $HDRIVE_RUN_NUMBER $HDRIVE_STATUS $HDRIVE_ENDED_BY best=$HDRIVE_BEST_VALUE" >> "$RECORD"'


class Programs(HdriveTest):
    def program(self, text=QUICK):
        path = self.write("train", "#!/bin/sh\n" + text)
        path.chmod(0o755)
        return path

    def test_that_go_away_cost_no_run_and_come_back(self):
        program = self.program(METRIC + 'echo begun >> "$RECORD"\nmetric loss 0.5\n'
                               'until test -e "$(dirname "$RECORD")/go"; do sleep 0.02; done\n')
        self.config(command="./train", max_total_runs=6, max_concurrent_runs=1, working_directory="source")
        sweep = self.start("run", "hdconfig.yml")
        until(lambda: self.record(), "a run has begun")
        program.rename(self.folder / "elsewhere")
        self.write("go", "")
        shown = until(lambda: [s for s in self.sweeps() if s["status"] == "Paused"], "it pauses itself")
        self.assertEqual(1, len(shown))
        (self.folder / "elsewhere").rename(program)
        done = self.finish(sweep)
        self.assertEqual(0, done.code, done)
        self.assertEqual(["Completed"] * 6, [run["status"] for run in self.runs()])
        self.assertEqual([1] * 6, [run["attempt"] for run in self.runs()])

    def test_that_are_gone_are_told_by_resume_as_by_run(self):
        program = self.program()
        self.config(command="./train", max_total_runs=2)
        self.hdrive("run", "hdconfig.yml")
        program.unlink()
        done = self.hdrive("resume", "last", "--set", "max_total_runs=5", code=2)
        self.assertIn('there is no program "./train"', done.err)
        self.assertIn("nothing was started", done.err)
        self.assertEqual(2, len(self.runs()))
        self.program()
        self.hdrive("resume", "last")
        self.assertEqual(["Completed"] * 5, [run["status"] for run in self.runs()])

    def test_what_all_runs_need_and_is_damaged_costs_no_run(self):
        self.config(QUICK, max_total_runs=1)
        self.hdrive("run", "hdconfig.yml")
        [tree] = (self.folder / ".hdrive" / "snapshots" / "trees").iterdir()
        runs = self.sweep_directory() / "runs"

        def in_place_of(path, put):
            path.rename(self.folder / "kept")
            put(path)
            total = len(self.runs()) + 2
            sweep = self.start("resume", "last", "--set", f"max_total_runs={total}")
            until(lambda: [s for s in self.sweeps() if s["status"] == "Paused"], "it pauses itself")
            path.unlink()
            (self.folder / "kept").rename(path)
            done = self.finish(sweep)
            self.assertEqual(0, done.code, done)
            self.assertIn("no run can be started", done.err)
            self.assertEqual([("Completed", 1)] * total, [(run["status"], run["attempt"]) for run in self.runs()])

        in_place_of(tree, lambda path: path.write_text("damaged"))
        in_place_of(tree, os.mkfifo)
        in_place_of(runs, lambda path: path.symlink_to("/no/such/folder"))
        in_place_of(runs, lambda path: path.write_text("no folder"))
        in_place_of(runs / ".python", lambda path: path.write_text("no folder"))


class Failures(HdriveTest):
    def test_in_a_row_stop_the_sweep_with_an_exit_code_of_its_own(self):
        self.config(METRIC + 'test -e "$(dirname "$RECORD")/broken" && exit 1\nmetric loss 0.5\n'
                    'touch "$(dirname "$RECORD")/broken"\n',
                    max_total_runs=30, max_concurrent_runs=1, stop_after_consecutive_failures=4)
        done = self.hdrive("run", "hdconfig.yml", code=5)
        self.assertIn("4 runs in a row failed (stop_after_consecutive_failures)", done.out)
        self.assertIn("resume with: hdrive resume", done.out)
        self.assertEqual(5, len(self.runs()))
        (self.folder / "broken").unlink()
        self.hdrive("resume", "last", "--set", "stop_after_consecutive_failures=0")

    def test_are_tried_again_as_often_as_allowed_and_when_asked_for(self):
        self.config(METRIC + 'echo "$HDRIVE_RUN_NUMBER" >> "$RECORD"\n[ "$HDRIVE_ATTEMPT" -ge 3 ] || exit 1\n'
                    "metric loss 0.5\n", max_total_runs=2, max_failed_retries=1, stop_when_all_fail=False)
        self.hdrive("run", "hdconfig.yml", code=3)
        self.assertEqual([("Failed", 2)] * 2, [(run["status"], run["attempt"]) for run in self.runs()])
        said = self.hdrive("retry", "last/0", "last/1").out
        self.assertIn("attempt 3", said)
        status = self.hdrive("status").out
        self.assertRegex(status, r"(?m)^status +Failed, and 2 runs are queued again: hdrive resume HD_\w+ goes on$")
        self.assertRegex(status, r"(?m)^runs +2: 2 queued, 0 completed")
        self.hdrive("resume", "last")
        self.assertEqual([("Completed", 3)] * 2, [(run["status"], run["attempt"]) for run in self.runs()])
        self.assertEqual(4, self.hdrive("retry", "last/7", code=None).code)
        self.assertEqual(2, self.hdrive("retry", "last", code=None).code)


class Targets(HdriveTest):
    def test_that_are_reached_end_the_sweep_with_success(self):
        self.config(METRIC + "metric loss 0.01\nexec sleep 1000\n", max_total_runs=100, stop_at=0.05)
        done = self.hdrive("run", "hdconfig.yml")
        self.assertIn("reached loss 0.01, and stop_at is 0.05", done.out)

    def test_silence_ends_a_run(self):
        self.config(METRIC + "metric loss 1\nexec sleep 1000\n", max_total_runs=1, max_silent_seconds=0.5,
                    cancel_grace_seconds=1)
        self.hdrive("run", "hdconfig.yml", code=3)
        self.assertEqual("silent", self.runs()[0]["ended_by"])


class Commands(HdriveTest):
    def test_are_run_when_a_run_and_the_sweep_have_ended(self):
        self.config(QUICK, max_total_runs=2, on_run_end=HOOK, on_end=["sh", "-c", HOOK])
        self.hdrive("run", "hdconfig.yml")
        record = self.record()
        self.assertEqual(["run_end 0 Completed exited best=0.5", "run_end 1 Completed exited best=0.5"],
                         sorted(record[:2]))
        self.assertEqual(["end  Completed all_runs best=0.5"], record[2:])

    def test_are_told_of_an_interruption_as_everybody_is(self):
        self.config(ENDLESS, max_total_runs=1, on_end=HOOK)
        sweep = self.start("run", "hdconfig.yml")
        until(self.record, "the run has begun")
        self.interrupt(sweep)
        self.finish(sweep)
        status = json.loads(self.hdrive("status", "-f", "json").out)["status"]
        self.assertEqual("Interrupted", status)
        self.assertRegex(self.record()[-1], rf"^end +{status} interrupt ")

    def test_are_run_for_all_runs_that_a_second_ctrl_c_kills(self):
        self.config("trap '' TERM\n" + ENDLESS.replace("exec sleep 1000", "while :; do sleep 1000; done"), max_total_runs=5,
                    max_concurrent_runs=5, cancel_grace_seconds=1000, on_run_end=HOOK, on_end=HOOK)
        sweep = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) == 5, "the runs have begun")
        self.interrupt(sweep)
        until(lambda: self.database().execute("select count(*) from runs where canceling is not null").fetchone() == (5,),
              "the runs are being cancelled")
        self.interrupt(sweep)
        done = self.finish(sweep)
        self.assertNotIn("did not get their turn", done.err)
        self.assertNotIn("0 runs", done.err)
        told = self.record()[5:]
        self.assertEqual([f"run_end {run} Canceled interrupt" for run in range(5)], sorted(line[:28] for line in told[:-1]))
        self.assertEqual("end ", told[-1][:4])

    def test_that_hang_are_ended_by_ctrl_c(self):
        self.config(QUICK, max_total_runs=2, on_run_end='echo run >> "$RECORD"; exec sleep 1000',
                    on_end='echo end >> "$RECORD"; exec sleep 1000')
        sweep = self.start("run", "hdconfig.yml")
        until(lambda: "run" in self.record(), "the first command hangs")
        until(lambda: self.sweeps()[0]["status"] == "Completed", "the sweep is over")
        self.interrupt(sweep)
        done = self.finish(sweep)
        self.assertEqual(0, done.code, done)
        self.assertEqual(["run", "end"], self.record())
        self.assertIn("on_end was ended, since it was not over when it was interrupted", done.err)
        self.assertEqual([], self.processes())

    def test_that_fail_are_a_warning_and_change_nothing(self):
        self.config(QUICK, max_total_runs=1, on_run_end="exit 3", on_end=["no-such-program-here"])
        done = self.hdrive("run", "hdconfig.yml")
        self.assertIn("on_run_end exited with code 3", done.err)
        self.assertIn("on_end could not be started", done.err)


if __name__ == "__main__":
    unittest.main()
