# SPDX-License-Identifier: Apache-2.0
"""The samples with a hdconfig.yml, run as their comments say. The C++ ones are ctest entries of their own."""

import shutil
import subprocess
import unittest

from support import ROOT, HdriveTest

VENV = ROOT / "build" / "venv" / "bin"


def has_scikit_learn():
    return VENV.exists() and subprocess.run([VENV / "python3", "-c", "import sklearn"],
                                            capture_output=True).returncode == 0


class Samples(HdriveTest):
    def setUp(self):
        super().setUp()
        shutil.copytree(ROOT / "samples", self.folder / "samples")

    @unittest.skipUnless(has_scikit_learn(), "scikit-learn is not in build/venv; scripts/test installs it")
    def test_01_digits_tunes_a_neural_network(self):
        self.environment["PATH"] = f"{VENV}:{self.environment['PATH']}"
        self.hdrive("run", "samples/01_digits/hdconfig.yml", "--set", "max_total_runs=4")
        runs = self.runs()
        self.assertEqual(4, len(runs))
        self.assertGreater(max(run["best_primary_metric"] for run in runs), 0.8)
        for run in runs:
            self.assertIn(run["status"], ("Completed", "Canceled"))
            self.assertTrue((self.run_directory(run["number"]) / "outputs" / "model.pkl").stat().st_size)

    def test_05_shell_script_logs_with_hdrive_log(self):
        self.hdrive("run", "samples/05_shell_script/hdconfig.yml")
        runs = self.runs()
        self.assertEqual(8, len(runs))
        for run in runs:
            self.assertIn(run["status"], ("Completed", "Canceled"))
            if run["status"] == "Completed":
                self.assertTrue((self.run_directory(run["number"]) / "outputs" / "x.txt").stat().st_size)
        self.assertLess(min(run["best_primary_metric"] for run in runs), 1.1)

    def test_06_grid_tries_every_combination(self):
        self.hdrive("run", "samples/06_grid/hdconfig.yml")
        runs = self.runs()
        self.assertEqual(["Completed"] * 20, [run["status"] for run in runs])
        self.assertEqual(20, len({str(run["hyperparameters"]) for run in runs}))
        self.assertAlmostEqual(0.177966, min(run["best_primary_metric"] for run in runs))

    def test_07_bayesian_learns_and_says_what_it_believes(self):
        self.hdrive("run", "samples/07_bayesian/hdconfig.yml", "--set", "max_total_runs=30")
        self.assertIn("model of", self.hdrive("show", "last/15").out)
        self.assertIn("--width", self.hdrive("show", "last", "--model").out)
        self.assertIn("--weight-decay", self.hdrive("show", "last", "--importance").out)


if __name__ == "__main__":
    unittest.main()
