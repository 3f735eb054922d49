# SPDX-License-Identifier: Apache-2.0
"""Pausing, changing and extending sweeps from another terminal."""

import json
import unittest

from support import ENDLESS, METRIC, QUICK, HdriveTest, until

# Runs until there is a file `go`.
HELD = METRIC + 'echo "$$" >> "$RECORD"\nmetric loss 0.5\nwhile [ ! -e $HDRIVE_SOURCE_DIR/go ]; do sleep 0.02; done\n'


class Pause(HdriveTest):
    def test_a_paused_sweep_starts_nothing_until_it_is_resumed(self):
        self.config(HELD, max_total_runs=4)
        sweep = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) == 2, "two runs are alive")
        paused = self.hdrive("pause", "last")
        self.assertIn("2 runs go on", paused.out)
        self.assertEqual("Paused", json.loads(self.hdrive("status", "last", "-f", "json").out)["status"])
        self.write("go", "")
        until(lambda: [run["status"] for run in self.runs()] == ["Completed"] * 2, "both have ended")
        self.assertIn("nothing runs", until(
            lambda: (said := self.hdrive("status", "last").out) and "nothing runs" in said and said, "it rests"))
        self.assertEqual(2, len(self.record()))
        self.assertIn("goes on", self.hdrive("resume", "last").out)
        self.assertEqual(0, self.finish(sweep).code)
        self.assertEqual(["Completed"] * 4, [run["status"] for run in self.runs()])

    def test_only_a_live_sweep_can_be_paused(self):
        self.config(QUICK)
        self.hdrive("run", "hdconfig.yml")
        done = self.hdrive("pause", "last", code=None)
        self.assertEqual(1, done.code)
        self.assertIn("already ended", done.err)

    def test_a_paused_sweep_can_be_stopped(self):
        self.config(ENDLESS)
        sweep = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) == 2, "two runs are alive")
        self.hdrive("pause", "last")
        self.hdrive("stop", "last")
        self.assertEqual(130, self.finish(sweep).code)


class Update(HdriveTest):
    def test_a_live_sweep_takes_a_larger_budget(self):
        self.config(HELD, max_total_runs=2, max_concurrent_runs=1)
        sweep = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) == 1, "a run is alive")
        said = self.hdrive("update", "last", "--set", "max_total_runs=5", "--set", "max_concurrent_runs=3").out
        self.assertIn("max_total_runs: 2 -> 5", said)
        until(lambda: len(self.record()) == 3, "three runs are alive")
        self.write("go", "")
        self.assertEqual(0, self.finish(sweep).code)
        self.assertEqual(5, len(self.runs()))
        shown = self.hdrive("show", "last").out
        self.assertIn("max_concurrent_runs: 1 -> 3", shown)
        edits = json.loads(self.hdrive("show", "last", "-f", "json").out)["edits"]
        self.assertEqual(1, len(edits))
        self.assertRegex(edits[0]["time"], r"^\d{4}-\d\d-\d\dT")

    def test_what_may_not_change_is_refused_with_the_reason_live_or_not(self):
        self.config(HELD, max_total_runs=2)
        sweep = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) == 2, "two runs are alive")
        for live in (True, False):
            for setting, reason in [("seed=9", "drawn with it"), ("primary_metric_goal=Maximize", "judged by it"),
                                    ("max_total_runs=1", "there are 2 runs already"),
                                    ("max_total_rusn=9", "max_total_runs"), ("max_concurrent_runs=0", "from 1 to")]:
                with self.subTest(live=live, setting=setting):
                    done = self.hdrive("update", "last", "--set", setting, code=None)
                    self.assertEqual(2, done.code, done)
                    self.assertIn(reason, done.err)
            self.write("go", "")
            if live:
                self.assertEqual(0, self.finish(sweep).code)
        self.assertEqual([], json.loads(self.hdrive("show", "last", "-f", "json").out)["edits"])

    def test_a_finished_sweep_is_extended_and_goes_on_with_its_history(self):
        self.config(QUICK, max_total_runs=2)
        self.hdrive("run", "hdconfig.yml")
        before = self.runs()
        said = self.hdrive("update", "last", "--set", "max_total_runs=5").out
        self.assertIn("hdrive resume", said)
        self.hdrive("resume", "last")
        after = self.runs()
        self.assertEqual(before, after[:2])
        self.assertEqual(["Completed"] * 5, [run["status"] for run in after])

    def test_an_update_without_settings_says_what_to_do(self):
        self.config(QUICK)
        self.hdrive("run", "hdconfig.yml")
        done = self.hdrive("update", "last", code=None)
        self.assertEqual(2, done.code)
        self.assertIn("--set KEY=VALUE", done.err)



class Enqueue(HdriveTest):
    def test_a_live_sweep_tries_the_points_of_its_users_next(self):
        self.config(HELD, max_total_runs=5, max_concurrent_runs=1)
        sweep = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) == 1, "a run is alive")
        for name, value in (("x", "0.25"), ("--x", "0.75")):
            self.assertIn(f'start_points: {{"--x": {value}}} added',
                          self.hdrive("enqueue", "last", f"{name}={value}").out)
        self.write("go", "")
        self.assertEqual(0, self.finish(sweep).code)
        values = [run["hyperparameters"]["--x"] for run in self.runs()]
        self.assertEqual([0.25, 0.75], values[1:3])
        self.assertNotIn(values[3], (0.25, 0.75))
        self.assertIn("start point 1 of 2", self.hdrive("show", "last/1").out)

    def test_a_sweep_that_nobody_runs_tries_them_when_it_is_resumed(self):
        self.config(QUICK, max_total_runs=2)
        self.hdrive("run", "hdconfig.yml")
        done = self.hdrive("enqueue", "last", "x=0.5", code=2)
        self.assertIn("raise it first", done.err)
        self.hdrive("update", "last", "--set", "max_total_runs=3")
        self.assertIn("hdrive resume", self.hdrive("enqueue", "last", "x=0.5").out)
        self.hdrive("resume", "last")
        self.assertEqual(0.5, self.runs()[2]["hyperparameters"]["--x"])

    def test_each_point_takes_its_own_room_and_not_that_of_all_before_it(self):
        points = 60
        self.config(QUICK, max_total_runs=2)
        self.hdrive("run", "hdconfig.yml")
        self.hdrive("update", "last", "--set", "max_total_runs=100")
        for number in range(points):
            self.hdrive("enqueue", "last", f"x=0.{number + 10:02}")
        [(kept, whole)] = self.database().execute(
            "SELECT sum(length(edits.config)), max(length(sweep.config)) FROM edits, sweep")
        self.assertGreater(whole, points * 10)
        self.assertLess(kept, whole)
        self.assertIn("sound", self.hdrive("check", "last").out)
        shown = json.loads(self.hdrive("show", "last", "-f", "json").out)
        self.assertEqual(points + 1, len(shown["edits"]))
        for number in range(points):
            self.assertIn(f"0.{number + 10:02}".rstrip("0"), shown["config"])

    def test_what_the_space_does_not_have_is_refused(self):
        self.config(QUICK, max_total_runs=2)
        self.hdrive("run", "hdconfig.yml")
        for value, said in [("x=7", "7 is not a value of uniform(0, 1)"), ("y=1", "not in the search space"),
                            ("x", "expected NAME=VALUE")]:
            self.assertIn(said, self.hdrive("enqueue", "last", value, code=2).err)


if __name__ == "__main__":
    unittest.main()
