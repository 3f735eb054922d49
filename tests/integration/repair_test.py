# SPDX-License-Identifier: Apache-2.0
"""Damaged databases and the real command: what is told, what repair does, how the sweep goes on."""

import unittest

from support import METRIC, HdriveTest

SCRIPT = METRIC + """
metric loss 0.$HDRIVE_RUN_NUMBER
metric loss 0.0$HDRIVE_RUN_NUMBER
[ "$HDRIVE_RUN_NUMBER" = 2 ] && exit 7
exit 0
"""


class Repair(HdriveTest):
    def setUp(self):
        super().setUp()
        self.config(SCRIPT, max_total_runs=6)
        self.hdrive("run", "hdconfig.yml", "--name", "digits")
        self.before = [self.essence(run) for run in self.runs()]
        self.directory = self.sweep_directory()
        self.file = self.directory / "sweep.db"

    @staticmethod
    def essence(run):
        return {key: run[key] for key in ("run_id", "number", "attempt", "status", "ended_by", "hyperparameters",
                                          "best_primary_metric", "last_primary_metric", "exit_code", "proposal",
                                          "created")}

    def expect_damage(self):
        for verb in ("status", "show", "resume", "export"):
            done = self.hdrive(verb, self.directory.name, code=None)
            self.assertEqual(1, done.code, done)
            self.assertIn(str(self.file), done.err)
            self.assertIn(f"hdrive repair {self.directory.name}", done.err)

    def expect_all_restored(self):
        self.assertEqual(self.before, [self.essence(run) for run in self.runs(self.directory.name)])
        self.hdrive("resume", self.directory.name, "--set", "max_total_runs=9")
        runs = self.runs(self.directory.name)
        self.assertEqual(self.before, [self.essence(run) for run in runs[:6]])
        self.assertEqual(["Completed"] * 3, [run["status"] for run in runs[6:]])

    def test_a_sound_database_is_left_alone(self):
        before = self.file.read_bytes()
        self.assertIn("is sound", self.hdrive("repair", self.directory.name).out)
        self.assertEqual(before, self.file.read_bytes())

    def test_every_lost_page_is_told_and_restored(self):
        size = self.file.stat().st_size
        self.assertGreater(size, 6 * 4096)
        content = self.file.read_bytes()
        for page in (0, 1, 2, 3, 4):
            with self.subTest(page=page):
                self.file.write_bytes(content[:page * 4096] + b"\0" * 4096 + content[(page + 1) * 4096:])
                done = self.hdrive("repair", self.directory.name)
                if "is sound" not in done.out:
                    self.assertIn("sweep.db.damaged-", done.out)
                self.assertEqual(self.before, [self.essence(run) for run in self.runs(self.directory.name)])

    def test_a_lost_database_is_rebuilt_from_the_run_directories(self):
        self.file.write_bytes(b"")
        self.expect_damage()
        done = self.hdrive("repair", self.directory.name)
        self.assertIn("6 runs from run directories", done.out)
        self.expect_all_restored()
        self.assertEqual("digits", self.sweeps()[0]["name"])

    def test_an_overwritten_beginning_is_repaired(self):
        content = self.file.read_bytes()
        self.file.write_bytes(b"x" * 100 + content[100:])
        self.expect_damage()
        self.hdrive("repair", self.directory)
        self.expect_all_restored()


if __name__ == "__main__":
    unittest.main()
