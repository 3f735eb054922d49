# SPDX-License-Identifier: Apache-2.0
"""A disk that takes no more while a sweep runs, as any user can have it: a limit of file size that the engine
gets while it runs, and loses again."""

import resource
import unittest

from support import METRIC, HdriveTest, alive, until

UNLIMITED = resource.RLIM_INFINITY
# The first eight runs are quick; those behind them go on until they are let go.
SCRIPT = METRIC + """
i=0
while [ $i -lt 5 ]; do metric loss 0.$i; i=$((i+1)); done
case $HDRIVE_RUN_NUMBER in [0-7]) exit 0 ;; esac
echo "$$" >> "$RECORD"
while [ ! -e "$RELEASE" ]; do metric tick 1; sleep 0.02; done
"""


class FullDisk(HdriveTest):
    def test_ends_nothing_starts_nothing_is_told_once_and_is_over_when_there_is_room(self):
        release = self.folder / "release"
        self.config(SCRIPT, max_total_runs=14, max_concurrent_runs=2)
        # With SIGXFSZ at its default, which would end a program that knows nothing of it.
        engine = self.start("run", "hdconfig.yml", env={"RELEASE": str(release)})
        waiting = until(lambda: len(self.record()) == 2 and self.record(), "two runs wait")
        log = until(lambda: next(self.folder.glob(".hdrive/*/sweep.db-wal"), None), "there is a log")

        resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, UNLIMITED))
        # A turn that could not be stored: ticks are logged and none arrive in the database.
        database = self.database()
        count = "select count(*) from metrics"
        until(lambda: self.same_twice(database, count, waiting), "nothing is stored any more")
        for pid in waiting:
            self.assertTrue(alive(int(pid)))
        release.touch()
        until(lambda: not any(alive(int(pid)) for pid in waiting), "the two runs have ended")
        self.assertIsNone(engine.poll())
        self.assertEqual(waiting, self.record(), "a run was started that could not be stored")

        resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (UNLIMITED, UNLIMITED))
        done = self.finish(engine)
        self.assertEqual(0, done.code, done)
        self.assertEqual(1, done.all.count("the store cannot be written"), done)
        [[again]] = self.database().execute(
            "select count(*) from notes where text like 'the store could not be written for % second%'")
        self.assertEqual(1, again)
        runs = self.runs()
        self.assertEqual(["Completed"] * 14, [run["status"] for run in runs])
        self.assertEqual([1] * 14, [run["attempt"] for run in runs])
        written = [sum(1 for line in open(self.run_directory(run["number"]) / "metrics.jsonl"))
                   for run in runs]
        stored = [total for (total,) in
                  self.database().execute("select count(*) from metrics group by run order by run")]
        self.assertEqual(written, stored)

    def same_twice(self, database, query, pids):
        """Whether the database stands still although each of the runs logs on."""
        logs = [self.run_directory(number) / "metrics.jsonl" for number in (8, 9)]
        before, sizes = database.execute(query).fetchone(), [path.stat().st_size for path in logs]
        until(lambda: all(path.stat().st_size > size + 400 for path, size in zip(logs, sizes)),
              "the runs log on")
        return database.execute(query).fetchone() == before


if __name__ == "__main__":
    unittest.main()
