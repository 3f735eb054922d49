# SPDX-License-Identifier: Apache-2.0
"""The engine, and the runs' supervisors, killed and stopped at random moments: every run is accounted for
exactly once, and no process is forgotten.

The moments are drawn from a seed, HDRIVE_TEST_SEED or 1. The runs wait at a gate (a FIFO) for a token, so that
the sweep goes as far as the test lets it, however fast the machine is.
"""

import json
import os
import random
import signal
import time
import unittest

from support import METRIC, HdriveTest, alive, until

RUNS = 300
AT_ONCE = 4
KILLS = 200
VALUES = 6  # metrics a run logs
# Half of a metric's line is written before the gate, half behind it: engines die in between.
SCRIPT = METRIC + """
run=${AZUREML_RUN_ID##*_}
echo "began $run $HDRIVE_ATTEMPT" >> "$RECORD"
for part in 0 125 250; do metric loss "$run.$part"; done
printf '{"name": "loss", ' >> "$HDRIVE_METRICS_FILE"
read token < "$HDRIVE_SOURCE_DIR/gate"
printf '"value": %s.375}\\n' "$run" >> "$HDRIVE_METRICS_FILE"
for part in 500 625; do metric loss "$run.$part"; done
echo "ended $run $HDRIVE_ATTEMPT" >> "$RECORD"
"""
# A thousand lines in one breath, behind the gate.
BURST = 1000
BURST_SCRIPT = SCRIPT.replace('echo "ended', f"""awk 'BEGIN {{
  for (i = 0; i < {BURST}; ++i) printf "{{\\"name\\": \\"burst\\", \\"value\\": %d, \\"step\\": %d}}\\n", i, i
}}' >> "$HDRIVE_METRICS_FILE"
echo "ended""")
GRID = [{"name": "--layers", "expression": "choice", "values": [list(range(20))]},
        {"name": "--rate", "expression": "choice", "values": [[i / 8 for i in range(15)]]}]


class Killed(HdriveTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.end_processes)
        seed = int(os.environ.get("HDRIVE_TEST_SEED", 1))
        self.random = random.Random(seed)
        print(f"seed {seed} ", end="", flush=True)
        os.mkfifo(self.folder / "gate")
        self.gate = os.open(self.folder / "gate", os.O_RDWR)
        self.addCleanup(os.close, self.gate)
        self.engine = None

    def let_go(self, tokens):
        os.write(self.gate, b"\n" * tokens)


    def engine_starts(self, *command):
        # No pipes, since nobody reads them; what went wrong is in the file.
        with open(self.folder / "engine.log", "ab") as log:
            self.engine = self.start(*command, stdout=log, stderr=log)

    def engine_killed(self):
        self.engine.kill()
        self.engine.wait()

    def engine_ends(self, seconds=240):
        self.assertEqual(0, self.engine.wait(seconds), (self.folder / "engine.log").read_text()[-4000:])

    def lines_more_than(self, before, count):
        until(lambda: len(self.record()) >= before + count or self.engine.poll() is not None,
              "the sweep goes on", seconds=60)

    def sweep_killed_at_random(self, kills, script=SCRIPT, at_once=AT_ONCE, **keys):
        """Begins the sweep, kills its engine `kills` times, and lets the last one finish."""
        self.config(script, max_total_runs=RUNS, max_concurrent_runs=at_once, **keys)
        for kill in range(kills):
            before = len(self.record())
            self.engine_starts("run", "hdconfig.yml", "--name", "killed") if kill == 0 else \
                self.engine_starts("resume", "last")
            if kill > 0 and self.random.random() < 0.3:
                time.sleep(self.random.uniform(0, 0.06))  # while it begins, or just has begun
            else:
                self.let_go(RUNS // kills if kills < KILLS else 2)
                self.lines_more_than(before, self.random.randint(1, 3))
                time.sleep(self.random.uniform(0, 0.004))
            self.assertIsNone(self.engine.poll(), (self.folder / "engine.log").read_text()[-4000:])
            self.engine_killed()
        self.assertLess(len(self.ended()), RUNS, "all runs ended before all kills were done")
        self.let_go(RUNS)
        self.engine_starts("resume", "last")
        self.engine_ends()

    # ---- what must hold -------------------------------------------------------------------------

    def ended(self):
        return [line for line in self.record() if line.startswith("ended ")]

    def metrics(self, name):
        """The values of each attempt, in the order in which they were stored."""
        metrics = {}
        for number, attempt, value in self.database().execute(
                "select run, attempt, value from metrics where name = ? order by rowid", (name,)):
            metrics.setdefault((number, attempt), []).append(value)
        return metrics

    def assert_each_run_is_there_once(self):
        runs = self.runs()
        self.assertEqual(list(range(RUNS)), [run["number"] for run in runs])
        self.assertEqual({"Completed"}, {run["status"] for run in runs})
        metrics = self.metrics("loss")
        for run in runs:
            expected = [run["number"] + part / 8 for part in range(VALUES)]
            self.assertEqual(expected, metrics[run["number"], run["attempt"]], run["number"])

    def assert_none_ran_twice(self):
        expected = sorted(f"{what} {run} 1" for run in range(RUNS) for what in ("began", "ended"))
        self.assertEqual(expected, sorted(self.record()))

    def assert_never_too_many_at_once(self, at_once=AT_ONCE):
        alive_now = set()
        for line in self.record():
            what, run, _ = line.split()
            alive_now = alive_now | {run} if what == "began" else alive_now - {run}
            self.assertLessEqual(len(alive_now), at_once)

    def assert_nothing_is_left(self):
        until(lambda: not self.processes(), "no process is left")

    def proposals(self):
        return [run["hyperparameters"] for run in self.runs()]


class Engine(Killed):
    def test_killed_200_times_in_a_sweep_of_300_runs(self):
        self.sweep_killed_at_random(KILLS)
        self.assert_each_run_is_there_once()
        self.assert_none_ran_twice()
        self.assert_never_too_many_at_once()
        self.assert_nothing_is_left()
        killed = self.proposals()
        # The same sweep, left in peace.
        self.environment["HDRIVE_HOME"] += "-2"
        self.let_go(RUNS)
        self.hdrive("run", "hdconfig.yml", "--quiet", timeout=240)
        self.assertEqual(self.proposals(), killed)

    def test_killed_while_it_covers_a_grid(self):
        self.sweep_killed_at_random(30, sampling={"type": "grid", "parameter_space": GRID})
        self.assert_each_run_is_there_once()
        self.assert_none_ran_twice()
        self.assert_nothing_is_left()
        points = {(p["--layers"], p["--rate"]) for p in self.proposals()}
        self.assertEqual({(layers, i / 8) for layers in range(20) for i in range(15)}, points)


    def test_killed_while_eight_at_once_log_a_thousand_lines_in_a_breath(self):
        self.sweep_killed_at_random(60, script=BURST_SCRIPT, at_once=8)
        self.assert_each_run_is_there_once()
        self.assert_none_ran_twice()
        self.assert_never_too_many_at_once(8)
        self.assert_nothing_is_left()
        self.assertEqual({(run, 1): list(range(BURST)) for run in range(RUNS)}, self.metrics("burst"))


class Supervisors(Killed):
    def waiting_run(self):
        """supervisor.json of a run that waits at the gate and was not hit before, drawn at random."""
        began = {tuple(line.split()[1:]) for line in self.record() if line.startswith("began ")}
        waiting = sorted(began - {tuple(line.split()[1:]) for line in self.ended()} - self.hit)
        if not waiting:
            return None
        run, attempt = self.random.choice(waiting)
        try:
            record = json.loads((self.run_directory(int(run)) / "supervisor.json").read_text())
        except FileNotFoundError:
            return None
        if str(record["attempt"]) != attempt or record["program_pid"] == 0:
            return None
        self.hit.add((run, attempt))
        return record

    def begin_sweep(self):
        self.config(SCRIPT, max_total_runs=RUNS, max_concurrent_runs=AT_ONCE, max_lost_retries=1000)
        self.engine_starts("run", "hdconfig.yml")
        self.hit = set()

    def let_one_go(self):
        before = len(self.ended())
        self.let_go(1)
        until(lambda: len(self.ended()) > before, "a run was let go", seconds=60)

    def test_killed_200_times_their_runs_are_lost_and_tried_again(self):
        self.begin_sweep()
        for turn in range(KILLS):
            record = until(self.waiting_run, "a run waits", seconds=60)
            os.kill(record["pid"], signal.SIGKILL)
            until(lambda: not alive(record["program_pid"]), "its program is dead")  # and takes no token
            if turn % 2:
                self.let_one_go()
        self.let_go(RUNS)
        self.engine_ends()
        self.assert_each_run_is_there_once()
        self.assert_nothing_is_left()
        # None of the runs that were hit had ended, none but they began again, and none ended twice.
        self.assertEqual(KILLS, sum(run["attempt"] - 1 for run in self.runs()))
        self.assertEqual(RUNS, len({line.split()[1] for line in self.ended()}))
        self.assertEqual(RUNS, len(self.ended()))

    def test_stopped_they_go_on_and_nothing_is_lost(self):
        self.begin_sweep()
        for _ in range(40):
            os.kill(until(self.waiting_run, "a run waits", seconds=60)["pid"], signal.SIGSTOP)
            self.let_one_go()
        self.let_go(RUNS)
        self.engine_ends()
        self.assert_each_run_is_there_once()
        self.assert_none_ran_twice()
        self.assert_nothing_is_left()


if __name__ == "__main__":
    unittest.main()
