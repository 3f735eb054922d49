# SPDX-License-Identifier: Apache-2.0
"""A sweep's files deleted or moved under an engine, which is patient for ten seconds: all tests at once."""

import os
import shutil

from support import ENDLESS, HdriveTest, alive, main_at_once, until


class Moved(HdriveTest):
    def begin(self):
        self.config(ENDLESS, max_total_runs=50, max_concurrent_runs=2, cancel_grace_seconds=1)
        engine = self.start("run", "hdconfig.yml", "--name", "job")
        until(lambda: len(self.record()) == 2, "two runs go on")
        self.addCleanup(self.end_processes)
        return engine

    def expect_told(self, engine):
        os.kill(int(self.record()[0]), 9)  # so that there is something to record
        done = self.finish(engine)
        self.assertNotEqual(0, done.code, done)
        self.assertIn("deleted or moved while it was in use", done.all)

    def test_a_deleted_database_is_told_and_ends_the_sweep(self):
        engine = self.begin()
        sweep = self.sweep_directory()
        (sweep / "sweep.db").unlink()
        self.expect_told(engine)
        self.assertTrue(alive(int(self.record()[1])), "a run that a repair finds again was given up")
        self.hdrive("repair", sweep.name)
        self.assertIn("Running", [run["status"] for run in self.runs()])

    def test_a_deleted_log_is_told_like_the_database_itself(self):
        engine = self.begin()
        sweep = self.sweep_directory()
        (sweep / "sweep.db-wal").unlink()
        self.expect_told(engine)
        self.assertTrue(alive(int(self.record()[1])), "a run that a repair finds again was given up")
        self.hdrive("repair", sweep.name)
        self.assertIn("Running", [run["status"] for run in self.runs()])

    def test_a_deleted_directory_is_told_and_not_made_anew(self):
        engine = self.begin()
        directory = self.sweep_directory()
        until(lambda: not shutil.rmtree(directory, ignore_errors=True) and not directory.exists(),
              "it is gone")
        self.expect_told(engine)
        self.assertFalse(directory.exists())

    def test_a_moved_directory_is_told_and_is_found_again_when_moved_back(self):
        engine = self.begin()
        directory = self.sweep_directory()
        elsewhere = self.folder / "elsewhere"
        directory.rename(elsewhere)
        self.expect_told(engine)
        self.assertFalse(directory.exists())
        elsewhere.rename(directory)
        self.assertEqual("job", self.sweeps()[0]["name"])
        self.hdrive("stop", "job", code=None)


if __name__ == "__main__":
    main_at_once()
