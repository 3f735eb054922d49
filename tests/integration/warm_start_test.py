# SPDX-License-Identifier: Apache-2.0
"""A warm start by the command: resume_from and resume_child_runs, in the file and as options, and after kills."""

import json
import unittest

from support import METRIC, HdriveTest, until

# A bowl about x = 0.3, in shell arithmetic of whole thousandths.
BOWL = METRIC + """
x=$(printf '%.0f' "$(echo "$2" | awk '{print $1 * 1000}')")
metric loss $(( (x - 300) * (x - 300) ))
"""
# Runs that are continued tell what they were given; all leave a checkpoint, and odd ones fail.
CONTINUED = METRIC + """
echo "$HDRIVE_RUN_NUMBER $* | $AZUREML_DATAREFERENCE_MODEL_LOCATION" >> "$RECORD"
[ "$3" != --resume-from ] || cat "$4/model" >> "$RECORD"
echo "of $2" > outputs/model
metric loss 1
[ "$3" = --resume-from ] || exit $(( HDRIVE_RUN_NUMBER % 2 ))
"""
BAYESIAN = {"type": "bayesian", "parameter_space": [{"name": "--x", "expression": "uniform", "values": [0, 1]}]}


class WarmStart(HdriveTest):
    def first(self, **keys):
        self.config(BOWL, max_total_runs=20, max_concurrent_runs=4, **keys)
        self.hdrive("run", "hdconfig.yml", "--name", "first", "--quiet")

    def proposals(self, sweep):
        return [run["proposal"] for run in self.runs(sweep)]

    def test_a_model_learns_from_the_earlier_sweep_at_once_and_the_best_is_of_its_own_runs(self):
        self.first()
        self.config(sampling=BAYESIAN, resume_from=["first"], max_total_runs=3, max_concurrent_runs=1)
        done = self.hdrive("run", "hdconfig.yml", "--name", "second")
        self.assertIn("20 runs taken over, of which 20 have a value and fit this search space", done.err)
        for text in self.proposals("second"):
            self.assertTrue(text.startswith("model of 2"), text)
        self.assertEqual(3, len(self.runs("second")))
        self.assertIn(" of HD_", self.proposals("second")[0])
        self.assertIn("warm start from HD_", self.hdrive("show", "second").out)
        self.assertLess(json.loads(self.hdrive("best", "second", "-f", "json").out)["number"], 3)

    def test_the_option_says_the_same_and_may_name_a_folder(self):
        self.first()
        self.config(sampling=BAYESIAN, max_total_runs=1)
        [first] = [sweep["sweep_id"] for sweep in self.sweeps()]
        self.hdrive("run", "hdconfig.yml", "--name", "second", "--quiet",
                    "--resume-from", self.folder / ".hdrive" / first)
        self.assertRegex(self.proposals("second")[0], "^model of 20 results")

    def test_validate_and_a_dry_run_look_the_earlier_sweeps_up_as_run_does(self):
        self.first()
        told = "20 runs taken over, of which 20 have a value and fit this search space"
        self.config(sampling=BAYESIAN, max_total_runs=3, resume_from=["first"])
        self.assertIn(told, self.hdrive("run", "hdconfig.yml", "--dry-run").out)
        self.assertIn(told, self.hdrive("validate", "hdconfig.yml").out)
        self.config(max_total_runs=3, resume_from=["first"], sampling={"type": "random", "parameter_space": [
            {"name": "--y", "expression": "uniform", "values": [0, 1]}]})
        for verb in (["run", "hdconfig.yml", "--dry-run"], ["validate", "hdconfig.yml"]):
            self.assertIn('20 runs taken over, of which 0 have a value and fit this search space; run 0 does not: '
                          'parameter "--x": is not in the search space, which has --y', self.hdrive(*verb).out)
        for keys, words in (({"resume_from": ["frist"]}, ["resume_from", "frist"]),
                            ({"resume_child_runs": ["first/99"]}, ["resume_child_runs", "the runs 0 to 19"]),
                            ({"resume_child_runs": ["first/1"]}, ["it completed"]),
                            ({"resume_from": ["first"], "primary_metric_name": "other"}, ["same primary metric"])):
            self.config(sampling=BAYESIAN, max_total_runs=3, **keys)
            errors = [self.hdrive(*verb, code=2).err for verb in
                      (["run", "hdconfig.yml"], ["run", "hdconfig.yml", "--dry-run"], ["validate", "hdconfig.yml"])]
            for word in words:
                for error in errors:
                    self.assertIn(word, error)
        self.assertEqual(["first"], [sweep["name"] for sweep in self.sweeps()])

    def test_random_sampling_draws_what_it_would_and_its_policy_compares(self):
        self.first()
        self.config(METRIC + "metric loss 2000000\nsleep 20 & wait\n", max_total_runs=2, max_concurrent_runs=1,
                    policy={"type": "BanditPolicy", "slack_amount": 1000}, resume_from="first")
        self.hdrive("run", "hdconfig.yml", "--name", "second", "--quiet")
        runs = self.runs("second")
        self.assertEqual(["policy", "policy"], [run["ended_by"] for run in runs])
        self.assertRegex(runs[0]["reason"], r"\(run \d+ of HD_\w{8}'s ")
        self.assertEqual([run["hyperparameters"] for run in self.runs("first")][:2],
                         [run["hyperparameters"] for run in runs])

    def test_a_sweep_killed_and_resumed_after_the_earlier_one_was_deleted_is_the_same(self):
        self.first()
        self.config(sampling=BAYESIAN, resume_from=["first"], max_total_runs=6, max_concurrent_runs=1)
        self.hdrive("run", "hdconfig.yml", "--name", "whole", "--quiet")
        wait = '[ "$HDRIVE_RUN_NUMBER" != 2 ] || until [ -e gate ]; do sleep 0.02; done\n'
        self.config(BOWL + wait, sampling=BAYESIAN,
                    resume_from=["first"], max_total_runs=6, max_concurrent_runs=1, working_directory="source")
        self.addCleanup(self.end_processes)
        engine = self.start("run", "hdconfig.yml", "--name", "killed", "--quiet")
        until(lambda: any(sweep["name"] == "killed" for sweep in self.sweeps()), "it has begun")
        until(lambda: len(self.runs("killed")) == 3, "run 2 trains")
        engine.kill()
        engine.wait()
        self.hdrive("delete", "first", "--yes")
        self.write("gate", "")
        self.hdrive("resume", "killed", "--quiet")
        pairs = lambda sweep: [(run["hyperparameters"], run["proposal"]) for run in self.runs(sweep)]
        self.assertEqual(pairs("whole"), pairs("killed"))

    def test_a_repaired_sweep_still_has_what_it_took_over(self):
        self.first()
        self.config(sampling=BAYESIAN, resume_from=["first"], max_total_runs=2)
        self.hdrive("run", "hdconfig.yml", "--name", "second", "--quiet")
        database = next(path for path in self.folder.glob(".hdrive/*/sweep.db")
                        if json.loads((path.parent / "sweep.json").read_text())["name"] == "second")
        content = bytearray(database.read_bytes())
        content[100:104] = b"\xff" * 4  # the first page: salvage works from a copy of the schema
        database.write_bytes(content)
        self.hdrive("repair", database.parent.name)
        self.hdrive("update", "second", "--set", "max_total_runs=3")
        self.hdrive("resume", "second", "--quiet")
        self.assertRegex(self.proposals("second")[2], "^model of 22 results")

    def test_what_cannot_be_taken_over_is_said_before_anything_starts(self):
        self.first()
        for keys, expected in (
                ({"resume_from": ["frist"]}, 'resume_from: "frist"'),
                ({"resume_from": ["first"], "primary_metric_name": "acc"},
                 'is to Minimize "loss", and this one to Minimize "acc"'),
                ({"resume_from": ["first"], "primary_metric_goal": "Maximize"}, 'and this one to Maximize "loss"'),
                ({"resume_child_runs": ["first/3"]}, "it completed; a run that was stopped or failed can go on"),
                ({"resume_child_runs": ["first"]}, "names no run; allowed: SWEEP/3"),
                ({"resume_from": [["first"]]}, "a sweep of \"resume_from\" is a list"),
        ):
            self.config(max_total_runs=2, **keys)
            done = self.hdrive("run", "hdconfig.yml", code=2)
            self.assertIn(expected, done.err)
        self.assertEqual(1, len(self.sweeps()))
        self.config(max_total_runs=2)
        self.hdrive("run", "hdconfig.yml", "--name", "second", "--quiet")
        done = self.hdrive("update", "second", "--set", "resume_from=[first]", code=None)
        self.assertIn("what a sweep takes over is read when it begins", done.err)


class ChildRuns(HdriveTest):
    def test_failed_runs_go_on_with_their_values_and_a_copy_of_their_outputs(self):
        self.config(CONTINUED, max_total_runs=4, stop_when_all_fail=False)
        self.hdrive("run", "hdconfig.yml", "--name", "first", "--quiet", code=None)
        before = {run["number"]: run["hyperparameters"] for run in self.runs("first")}
        [first] = [sweep["sweep_id"] for sweep in self.sweeps()]
        self.record_file.unlink()
        self.config(max_total_runs=3, max_concurrent_runs=1, resume_child_runs=["first/3", first + "_1"])
        self.hdrive("run", "hdconfig.yml", "--name", "second", "--quiet")
        runs = self.runs("second")
        self.assertEqual([before[1], before[3]], [run["hyperparameters"] for run in runs[:2]])
        self.assertEqual([f"goes on from {first}_{n}" for n in (1, 3)], [run["proposal"] for run in runs[:2]])
        self.assertNotIn("goes on", runs[2]["proposal"])
        lines = self.record()
        path = lines[0].partition(" | ")[2]
        self.assertTrue(path.endswith(f"/continued/{first}_1"), path)
        self.assertIn(f"--resume-from {path} |", lines[0])
        self.assertRegex(lines[1], r"^of 0\.\d+")
        self.assertNotIn("--resume-from", lines[4])
        # What the second sweep was given stays when the first is deleted.
        self.hdrive("delete", "first", "--yes")
        self.hdrive("retry", "second/0")
        self.hdrive("resume", "second", "--quiet")
        self.assertEqual("Completed", self.runs("second")[0]["status"])


if __name__ == "__main__":
    unittest.main()
