# SPDX-License-Identifier: Apache-2.0
"""Sweeps without their terminal: detached, closed, watched from another one, begun again by name."""

import fcntl
import os
import pathlib
import pty
import signal
import subprocess
import termios
import unittest

from support import BINARY, ENDLESS, METRIC, QUICK, HdriveTest, alive, until

# Logs, tells its pid, and runs until the file `go` is there.
GATED = METRIC + 'echo "$$" >> "$RECORD"\nmetric loss 0.5\nwhile [ ! -e $HDRIVE_SOURCE_DIR/go ]; do sleep 0.02; done\n'


class Outliving(HdriveTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.end_processes)

    def killed(self, script, **keys):
        """A sweep whose engine was killed while two runs were alive."""
        self.config(script, **keys)
        engine = self.start("run", "hdconfig.yml", "--name", "mine")
        until(lambda: len(self.record()) == 2, "two runs are alive")
        until(lambda: [run["best_primary_metric"] for run in self.runs()] == [0.5, 0.5], "both have reported")
        engine.kill()
        engine.wait()
        return self.record()


class Detached(Outliving):
    def test_a_detached_sweep_is_named_at_once_and_goes_on_without_its_terminal(self):
        self.config(GATED)
        done = self.hdrive("run", "hdconfig.yml", "--detach")
        [sweep] = self.sweeps()
        self.assertEqual(sweep["sweep_id"] + "\n", done.out)
        engine = sweep["engine"]
        self.assertTrue(alive(engine))
        self.assertEqual(engine, os.getsid(engine))  # no terminal's, so that none takes it along
        os.kill(engine, signal.SIGHUP)
        self.write("go", "")
        watched = self.hdrive("attach", "last")
        self.assertIn("4 completed", watched.out)
        self.assertEqual({"Completed"}, {run["status"] for run in self.runs()})
        log = (self.sweep_directory() / "engine.log").read_text()
        self.assertIn("run 3  Completed", log)

    def test_what_goes_wrong_before_the_first_run_is_told_with_its_exit_code(self):
        self.config(QUICK, max_total_runs=0)
        done = self.hdrive("run", "hdconfig.yml", "--detach", code=2)
        self.assertIn("max_total_runs", done.err)
        self.config(command="no-such-program", max_total_runs=9)
        done = self.hdrive("run", "hdconfig.yml", "--detach", code=2)
        self.assertIn("no-such-program", done.err)
        self.assertEqual("", done.out)

    def test_a_configuration_may_come_by_the_standard_input(self):
        self.config(QUICK)
        with open(self.folder / "hdconfig.yml") as stdin:
            done = self.hdrive("run", "-", "--detach", stdin=stdin)
        self.assertIn("4 completed", self.hdrive("attach", done.out.strip()).out)

    def test_a_sweep_that_is_over_at_once_is_still_named(self):
        self.config(QUICK)
        done = self.hdrive("run", "hdconfig.yml", "--detach", "--", "sh", "train.sh", "--detach")
        self.assertTrue(done.out.startswith("HD_"), done)
        self.assertEqual(0, self.hdrive("attach", "last").code)
        self.assertEqual(["Completed"] * 4, [run["status"] for run in self.runs()])

    def test_stop_ends_it_runs_and_all(self):
        self.config(ENDLESS)
        self.hdrive("run", "hdconfig.yml", "--detach")
        until(lambda: len(self.record()) == 2, "two runs are alive")
        engine = self.sweeps()[0]["engine"]
        self.hdrive("stop", "last")
        self.assertEqual([False, False], [alive(pid) for pid in self.record()])
        until(lambda: not alive(engine), "the engine is gone")
        self.assertEqual(130, self.hdrive("attach", "last", code=None).code)

    def test_resume_may_be_detached_too(self):
        self.killed(GATED)
        self.write("go", "")
        self.hdrive("resume", "mine", "--detach")
        self.hdrive("attach", "mine")
        self.assertEqual(["Completed"] * 4, [run["status"] for run in self.runs()])


class Attached(Outliving):
    def test_ctrl_c_leaves_the_sweep_running(self):
        self.config(GATED)
        sweep = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) == 2, "two runs are alive")
        watcher = self.start("attach", "last")
        until(lambda: len(os.listdir(f"/proc/{watcher.pid}/task")) == 2, "it listens to signals")
        self.interrupt(watcher)
        done = self.finish(watcher)
        self.assertEqual(130, done.code)
        self.assertIn("goes on", done.err)
        self.assertTrue(all(alive(pid) for pid in self.record()))
        self.write("go", "")
        self.assertEqual(0, self.finish(sweep).code)

    def test_it_shows_each_run_that_ends_and_the_summary(self):
        self.config(GATED)
        sweep = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) == 2, "two runs are alive")
        watcher = self.start("attach", "last")
        until(lambda: len(os.listdir(f"/proc/{watcher.pid}/task")) == 2, "it has begun")
        until(lambda: self.has_read(watcher), "it has read the sweep once")
        self.write("go", "")
        done = self.finish(watcher)
        self.assertEqual(0, done.code, done)
        for word in ("run 0  Completed", "run 3  Completed", "4 completed", "loss = 0.5"):
            self.assertIn(word, done.out)
        self.finish(sweep)

    def has_read(self, watcher):
        # Its first look is over once it has slept, which `voluntary_ctxt_switches` tells.
        status = pathlib.Path(f"/proc/{watcher.pid}/status").read_text()
        return int(status.rpartition("\nvoluntary_ctxt_switches:")[2].split()[0]) >= 3

    def test_the_display_of_a_terminal_is_live(self):
        self.config(GATED)
        sweep = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) == 2, "two runs are alive")
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        watcher = self.start("attach", "last", env={"TERM": "xterm"}, stderr=theirs)
        os.close(theirs)
        shown = b""
        while b"2 running" not in shown:
            shown += os.read(ours, 4096)
        self.assertIn(b"\x1b[", shown)
        self.write("go", "")
        while True:  # a terminal nobody reads would block it
            try:
                shown += os.read(ours, 4096)
            except OSError:
                break
        self.assertEqual(0, watcher.wait(60))
        self.finish(sweep)

    def test_an_engine_that_is_gone_is_told(self):
        self.killed(GATED)
        done = self.hdrive("attach", "mine", code=1)
        self.assertIn("hdrive resume", done.err)
        self.write("go", "")


class Killed(Outliving):
    def test_runs_that_survived_are_attached_and_judged_by_what_they_wrote_meanwhile(self):
        pids = self.killed(METRIC + """
echo "$$" >> "$RECORD"
metric loss 0.5
while [ ! -e $HDRIVE_SOURCE_DIR/more ]; do sleep 0.02; done
for loss in 0.4 0.3; do metric loss $loss; done
echo wrote >> "$RECORD"
while [ ! -e $HDRIVE_SOURCE_DIR/go ]; do sleep 0.02; done
""", max_total_runs=2)
        self.write("more", "")
        until(lambda: self.record().count("wrote") == 2, "both have written")
        sweep = self.start("resume", "mine")
        until(lambda: [run["best_primary_metric"] for run in self.runs()] == [0.3, 0.3], "it was read")
        self.assertTrue(all(alive(pid) for pid in pids))
        self.write("go", "")
        self.finish(sweep)
        self.assertEqual([(1, "Completed")] * 2, [(run["attempt"], run["status"]) for run in self.runs()])
        values = [value for [value] in self.database().execute("select value from metrics where run = 0")]
        self.assertEqual([0.5, 0.4, 0.3], values)

    def test_runs_that_ended_meanwhile_are_recorded(self):
        pids = self.killed(GATED, max_total_runs=2)
        self.write("go", "")
        until(lambda: not any(alive(pid) for pid in pids), "both have ended")
        self.hdrive("resume", "mine")
        self.assertEqual([(1, "Completed")] * 2, [(run["attempt"], run["status"]) for run in self.runs()])

    def test_runs_that_are_gone_are_tried_again_and_find_their_checkpoints(self):
        self.killed(METRIC + """
echo "$$" >> "$RECORD"
metric loss 0.5
[ -e "$HDRIVE_CHECKPOINT_DIR/saved" ] && { echo "again $HDRIVE_ATTEMPT" >> "$RECORD"; exit; }
touch "$HDRIVE_CHECKPOINT_DIR/saved"
exec sleep 1000
""", max_total_runs=2)
        self.end_processes()  # supervisors too, as with the machine
        until(lambda: not self.processes(), "all is gone")
        done = self.hdrive("resume", "mine")
        self.assertEqual([(2, "Completed")] * 2, [(run["attempt"], run["status"]) for run in self.runs()])
        self.assertEqual(["again 2"] * 2, [line for line in self.record() if "again" in line])
        self.assertIn("lost", done.all)

    def test_a_time_limit_holds_without_an_engine(self):
        pids = self.killed(ENDLESS, max_total_runs=2, max_run_duration_seconds=1, cancel_grace_seconds=0)
        until(lambda: not any(alive(pid) for pid in pids), "their supervisors have ended them")
        self.hdrive("resume", "mine", code=None)
        self.assertEqual(["time_limit"] * 2, [run["ended_by"] for run in self.runs()])

    def test_a_detached_child_dies_with_its_run_without_an_engine(self):
        self.killed(METRIC + """
setsid sh -c 'setsid sleep 1000 & echo $! >> "$HDRIVE_SOURCE_DIR/children"'
echo "$$" >> "$RECORD"
metric loss 0.5
while [ ! -e $HDRIVE_SOURCE_DIR/go ]; do sleep 0.02; done
""", max_total_runs=2)
        children = (self.folder / "children").read_text().split()
        self.assertTrue(all(alive(pid) for pid in children))
        self.write("go", "")
        until(lambda: not any(alive(pid) for pid in children), "the children are gone")

    def test_stop_ends_the_runs_of_an_engine_that_is_gone(self):
        pids = self.killed(ENDLESS)
        self.hdrive("stop", "mine")
        self.assertEqual([False, False], [alive(pid) for pid in pids])
        self.assertEqual(["Canceled"] * 2, [run["status"] for run in self.runs()])
        self.assertEqual(2, len(self.record()))  # and began no other


class ByName(Outliving):
    def test_the_same_command_goes_on_with_an_interrupted_sweep(self):
        self.killed(GATED)
        self.write("go", "")
        self.hdrive("run", "hdconfig.yml", "--name", "mine")
        self.assertEqual(1, len(self.sweeps()))
        self.assertEqual([(1, "Completed")] * 4, [(run["attempt"], run["status"]) for run in self.runs()])

    def test_a_seed_that_was_drawn_is_no_difference(self):
        self.killed(GATED, seed=None, max_concurrent_runs=None)
        self.write("go", "")
        self.hdrive("run", "hdconfig.yml", "--name", "mine")
        self.assertEqual(1, len(self.sweeps()))

    def test_another_configuration_is_refused_with_what_differs(self):
        self.killed(GATED)
        done = self.hdrive("run", "hdconfig.yml", "--name", "mine", "--set", "max_total_runs=9",
                           "--set", "policy={type: bandit, slack_factor: 0.1}", code=2)
        for word in ("max_total_runs: 9 instead of 4", "policy.type: bandit instead of no_termination", "hdrive update", "hdrive resume", "another --name"):
            self.assertIn(word, done.err)
        self.assertNotIn("seed", done.err)
        self.write("go", "")

    def test_a_finished_sweep_says_so(self):
        self.config(QUICK)
        self.hdrive("run", "hdconfig.yml", "--name", "mine")
        done = self.hdrive("run", "hdconfig.yml", "--name", "mine")
        self.assertIn("nothing left to do", done.out)
        self.assertEqual(4, len(self.runs()))

    def test_a_sweep_that_runs_is_refused_with_its_process(self):
        self.config(GATED)
        sweep = self.start("run", "hdconfig.yml", "--name", "mine")
        until(lambda: len(self.record()) == 2, "two runs are alive")
        for again in (["run", "hdconfig.yml", "--name", "mine"], ["resume", "mine"]):
            self.assertIn(f"process {sweep.pid}", self.hdrive(*again, code=1).err)
        self.write("go", "")
        self.assertEqual(0, self.finish(sweep).code)


class ClosedTerminal(Outliving):
    def test_cancels_the_runs_as_sigterm_does_however_often_it_is_said(self):
        self.config(METRIC + "trap 'sleep 0.3; echo saved >> \"$RECORD\"; exit' TERM\nmetric loss 0.5\n"
                    "echo $$ >> \"$RECORD\"\nwhile :; do sleep 0.02; done\n", working_directory="source")
        ours, theirs = pty.openpty()
        sweep = subprocess.Popen(
            [BINARY, "run", "hdconfig.yml"], cwd=self.folder, env={**self.environment, "TERM": "xterm"},
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.started.append(sweep)
        os.close(theirs)
        until(lambda: len(self.record()) == 2, "two runs are alive")
        os.close(ours)  # the terminal's window is gone
        try:
            while sweep.poll() is None and self.record().count("saved") == 0:
                os.kill(sweep.pid, signal.SIGHUP)  # the shell says it, too
        except ProcessLookupError:
            pass
        self.assertEqual(130, sweep.wait(60))
        self.assertEqual(2, self.record().count("saved"))
        self.assertEqual(["Canceled"] * 2, [run["status"] for run in self.runs()])
        self.write("train.sh", QUICK)
        self.hdrive("resume", "last")
        self.assertEqual(["Completed"] * 4, [run["status"] for run in self.runs()])


if __name__ == "__main__":
    unittest.main()
