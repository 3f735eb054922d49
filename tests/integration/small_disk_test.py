# SPDX-License-Identifier: Apache-2.0
"""A disk that is really full: a tmpfs of a few megabytes, mounted where only this test and what it starts see it.

That takes a user and a mount namespace of one's own; where the system gives none, the test says so and is skipped."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

from support import METRIC, HdriveTest, alive, until

INSIDE = "HDRIVE_TEST_OWN_MOUNTS"
# Tells its pid, logs a loss, waits for $RELEASE, its own or that of all, and ends with code 0, or 3 where that of
# all says so.
SCRIPT = METRIC + """
metric loss 0.$HDRIVE_RUN_NUMBER
echo "$$" >> "$RECORD"
while [ ! -e "$RELEASE" ] && [ ! -e "$RELEASE-$HDRIVE_RUN_NUMBER" ]; do sleep 0.02; done
exit $(cat "$RELEASE" 2> /dev/null || echo 0)
"""


class SmallDisk(HdriveTest):
    OPTIONS = "size=2m"

    def setUp(self):
        super().setUp()
        self.disk = self.folder / ".hdrive"
        self.disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", self.OPTIONS, "tmpfs", self.disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=False)
        self.addCleanup(self.end_processes)
        self.release = self.folder / "release"
        self.environment["RELEASE"] = str(self.release)

    def begin(self, running, **keys):
        self.config(SCRIPT, max_concurrent_runs=running, **keys)
        self.told = self.folder / "told"
        with open(self.told, "wb") as told:
            engine = self.start("run", "hdconfig.yml", stderr=told)
        until(lambda: len(self.record()) == running, "the first runs are there")
        # Told in the database: what they logged is there to stay.
        database = self.database()
        until(lambda: database.execute("select count(*) from metrics").fetchone() == (running,), "they have logged")
        return engine

    def fill(self):
        """Until not one byte more can be written."""
        with open(self.disk / "filler", "wb", buffering=0) as filler:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        filler.write(b"x" * size)
                except OSError:
                    pass

    def let_go(self, code=0):
        self.write("release.new", str(code)).rename(self.release)

    def supervisor(self, number):
        return json.loads((self.run_directory(number) / "supervisor.json").read_text())

    def check_end(self, engine, trouble):
        """It ends well, and has told the trouble and its end, once each."""
        code, told = engine.wait(timeout=60), self.told.read_text()
        self.assertEqual(0, code, told)
        self.assertEqual(1, told.count(trouble), told)
        self.assertEqual(1, told.count("that is over, and the sweep goes on"), told)

    def check_all(self, runs, status="Completed"):
        self.assertEqual([status] * runs, [run["status"] for run in self.runs()])
        self.assertEqual([1] * runs, [run["attempt"] for run in self.runs()])
        self.assertEqual([(1,)] * runs, self.database().execute(
            "select count(*) from metrics group by run").fetchall())
        self.assertEqual([], list(self.disk.glob("*/runs/*/attempt-*")))
        self.assertEqual([], self.processes())


class ExitRecord(SmallDisk):
    def test_waits_for_room_and_is_not_lost_though_the_engine_is_gone(self):
        engine = self.begin(1, max_total_runs=1)
        supervisor = self.supervisor(0)
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        self.fill()
        self.let_go(3)
        until(lambda: not alive(supervisor["program_pid"]), "the program has ended")
        # What asks it to end is not meant for one that has only its record to write.
        os.kill(supervisor["pid"], signal.SIGTERM)
        record = self.run_directory(0) / "exit.json"
        self.assertTrue(alive(supervisor["pid"]))
        self.assertFalse(record.exists())
        (self.disk / "filler").unlink()
        until(record.exists, "it is written")
        self.assertEqual(3, json.loads(record.read_text())["exit_code"])
        until(lambda: not alive(supervisor["pid"]), "the supervisor has ended")
        self.hdrive("resume", "last", code=3)
        self.check_all(1, "Failed")

    def begin_on_a_full_disk(self):
        self.begin(1, max_total_runs=1)
        self.fill()
        return self.supervisor(0)

    def program_ends(self, supervisor):
        self.let_go()
        until(lambda: not alive(supervisor["program_pid"]), "the program has ended")

    def check_given_up(self, supervisor):
        until(lambda: not alive(supervisor["pid"]), "the supervisor has ended")
        self.assertFalse((self.run_directory(0) / "exit.json").exists())

    def test_is_given_up_when_the_run_is_killed(self):
        supervisor = self.begin_on_a_full_disk()
        self.program_ends(supervisor)
        os.kill(supervisor["pid"], signal.SIGUSR1)
        self.check_given_up(supervisor)

    def test_is_given_up_where_the_kill_ended_the_program_too(self):
        supervisor = self.begin_on_a_full_disk()
        os.kill(supervisor["pid"], signal.SIGUSR1)
        self.check_given_up(supervisor)


class Engine(SmallDisk):
    def test_on_a_full_disk_starts_nothing_loses_nothing_and_goes_on_when_there_is_room(self):
        engine = self.begin(2, max_total_runs=6)
        running = [self.supervisor(number)["program_pid"] for number in (0, 1)]
        self.fill()
        for pid in running:
            self.assertTrue(alive(pid))
        self.let_go()
        until(lambda: not any(map(alive, running)), "both programs have ended")
        # Room for how one of them ended, and not for the database to hold it.
        filler = self.disk / "filler"
        os.truncate(filler, filler.stat().st_size - 2 * 4096)
        # Whether the next thing without room is the database or the files of the next run depends on how much of
        # its own the run that ended has given back by then.
        troubles = ("the store cannot be written, so", "there is no room for the files of another run")
        until(lambda: any(trouble in self.told.read_text() for trouble in troubles), "it is told")
        self.assertEqual(2, len(self.record()))
        self.assertIsNone(engine.poll())
        filler.unlink()
        code, told = engine.wait(timeout=60), self.told.read_text()
        self.assertEqual(0, code, told)
        for trouble in troubles:
            self.assertLessEqual(told.count(trouble), 1, told)
        self.assertIn("that is over, and the sweep goes on", told)
        self.check_all(6)


class NoRoomForFiles(SmallDisk):
    """The database has all the room it wants, and not one more file can be made."""
    OPTIONS = "size=8m,nr_inodes=100"

    def test_of_a_run_lets_it_wait_and_is_told_once(self):
        engine = self.begin(2, max_total_runs=6)
        fillers = []
        try:
            while True:
                fillers.append(self.disk / f"filler-{len(fillers)}")
                fillers[-1].touch()
        except OSError:
            fillers.pop()
        # Those that run end by themselves, since their files are there, but for exit.json. One alone gives back less
        # than another takes.
        fillers.pop().unlink()
        database = self.database()
        self.write("release-0", "")
        note = "select count(*) from notes where text like 'no run could be started for want of room: %'"
        until(lambda: database.execute(note).fetchone() == (1,), "it is noted")
        self.assertIsNone(engine.poll())
        self.assertEqual(2, len(self.record()))
        for filler in fillers:
            filler.unlink()
        self.let_go()
        self.check_end(engine, "there is no room for the files of another run")
        self.check_all(6)


def own_mounts():
    """Why there are none; empty: there are."""
    if not pathlib.Path("/usr/bin/unshare").exists():
        return "there is no unshare"
    trial = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
                           capture_output=True, text=True, check=False)
    return trial.stderr.strip() if trial.returncode else ""


if __name__ == "__main__":
    if INSIDE not in os.environ:
        why = own_mounts()
        if not why:
            os.environ[INSIDE] = "1"
            os.execvp("unshare", ["unshare", "-rm", sys.executable, "-B", *sys.argv])
        print(f"SKIP: no file system can be mounted here: {why}")
        sys.exit(77)
    unittest.main()
