# SPDX-License-Identifier: Apache-2.0
"""Scripts that log with azureml.core, in an interpreter that has Azure's own SDK: azureml_sdk decides whose it is.

scripts/test installs the package azureml-core from PyPI into build/venv-azureml; without it all of this is skipped.
"""

import json
import subprocess
import sys
import unittest

from support import ROOT, HdriveTest

PYTHON = ROOT / "build" / "venv-azureml" / "bin" / "python"

# As users write it, and what it found.
TRAIN = """
import argparse
import azureml.core
from azureml.core import Run, Workspace
from azureml.core.run import Run as SameRun

parser = argparse.ArgumentParser()
parser.add_argument("--penalty", type=float)
penalty = parser.parse_args().penalty
run = Run.get_context()
assert Run is SameRun
for epoch in range(3):
    run.log("Accuracy", 0.5 + 0.1 * epoch - penalty)
run.log_list("curve", [1, 2])
run.log_row("table", x=1)
run.tag("stage", "test")
run.flush()
print("AT", azureml.core.__file__, type(run).__name__, run.id)
"""


class WithAzuresOwn(HdriveTest):
    def sweep(self, key, script=TRAIN, **keys):
        self.write("train.py", script)
        self.config(command=[str(PYTHON), "train.py"], azureml_sdk=key, primary_metric_name="Accuracy",
                    primary_metric_goal="Maximize", max_total_runs=None, sampling={"type": "grid", "parameter_space": [
                        {"name": "--penalty", "expression": "choice", "values": [0, 0.25]}]}, **keys)
        done = self.hdrive("run", "hdconfig.yml", "--quiet", code=None)
        latest = max(self.folder.glob(".hdrive/HD_*"), key=lambda sweep: sweep.stat().st_mtime_ns)
        return done, latest

    def told(self, sweep, run):
        out = (sweep / "runs" / str(run) / "stdout.log").read_text()
        return next(line.split()[1:] for line in out.splitlines() if line.startswith("AT ")), out

    def test_the_stand_in_is_in_its_place_unless_told_otherwise(self):
        for key in (None, "stand_in"):
            done, sweep = self.sweep(key)
            self.assertEqual(0, done.code, done)
            self.assertEqual([0.7, 0.45], [round(run["best_primary_metric"], 9) for run in self.runs(sweep.name)])
            (file, _, run_id), out = self.told(sweep, 1)
            self.assertNotIn("site-packages", file)
            self.assertEqual(sweep.name + "_1", run_id)
            self.assertNotIn("Attempted to log", out)
            facts = [json.loads(line) for line in (sweep / "runs" / "1" / "azureml.jsonl").read_text().splitlines()]
            self.assertIn(("tag", "stage", "test"), [(each["kind"], each["name"], each["value"]) for each in facts])

    def test_real_and_auto_leave_azures_own_which_logs_nowhere_and_hdrive_says_so(self):
        for key in ("real", "auto"):
            done, sweep = self.sweep(key)
            self.assertEqual(0, done.code, done)
            for run in (0, 1):
                (file, kind, run_id), out = self.told(sweep, run)
                self.assertIn("venv-azureml", file)
                self.assertEqual("_OfflineRun", kind)
                self.assertTrue(run_id.startswith("OfflineRun_"), run_id)
                self.assertIn("Attempted to log scalar metric Accuracy", out)
            self.assertEqual([None, None], [run["best_primary_metric"] for run in self.runs(sweep.name)])
            self.assertIn(f"it logged no metric at all; with azureml_sdk: {key} what azureml.core logs goes to Azure's "
                          "own SDK where that is installed; azureml_sdk: stand_in", done.all)

    def test_what_is_azures_alone_is_found_beside_the_stand_in(self):
        done, sweep = self.sweep("stand_in", "import azureml._vendor, azureml.core\n"
                                 "from azureml.core import Run\n"
                                 "Run.get_context().log('Accuracy', 1)\n"
                                 "print('AT', azureml._vendor.__file__)\n")
        self.assertEqual(0, done.code, done)
        self.assertIn("site-packages", self.told(sweep, 0)[0][0])

    def test_what_of_the_stand_in_needs_hdrive_says_so_and_not_that_azures_is_missing(self):
        done, sweep = self.sweep("stand_in", "from azureml.core import Workspace\nWorkspace.from_config()\n")
        self.assertNotEqual(0, done.code)
        self.assertIn("the rest of azureml needs the package hdrive", (sweep / "runs/0/stderr.log").read_text())


def lacking():
    """Why there is nothing to test with; empty: there is."""
    if not PYTHON.exists():
        return f"there is no {PYTHON}"
    found = subprocess.run([PYTHON, "-c", "import azureml.core"], capture_output=True, text=True, check=False)
    return found.stderr.strip() if found.returncode else ""


if __name__ == "__main__":
    if why := lacking():
        print(f"SKIP: azureml-core is not in build/venv-azureml; scripts/test installs it: {why}")
        sys.exit(77)
    unittest.main()
