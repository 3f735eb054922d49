# SPDX-License-Identifier: Apache-2.0
"""A sweep's directory and database in other hands: names taken at once, files gone, other users."""

import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import unittest

from support import ENDLESS, METRIC, QUICK, HdriveTest, until

NOBODY = 65534


class Names(HdriveTest):
    def named(self, name):
        return [sweep for sweep in self.sweeps() if sweep["name"] == name]

    def test_of_several_that_begin_at_once_exactly_one_takes_the_name(self):
        self.config(ENDLESS, max_total_runs=2)
        processes = [self.start("run", "hdconfig.yml", "--name", "job") for _ in range(5)]
        ended = lambda: [process for process in processes if process.poll() is not None]
        until(lambda: len(ended()) == 4, "all but one were refused")
        for process in ended():
            done = self.finish(process)
            self.assertEqual(1, done.code, done)
            self.assertIn("is run by process", done.err)
        self.assertEqual(1, len(self.named("job")))
        self.hdrive("stop", "job")

    def test_sessions_share_the_names_with_runs(self):
        self.config(None, command=None)
        processes = [self.start("session", "hdconfig.yml", "--name", "job", "--quiet") for _ in range(4)]
        done = [self.finish(process) for process in processes]
        self.assertEqual([0, 2, 2, 2], sorted(one.code for one in done), done)
        self.assertEqual(1, len(self.named("job")))

    def test_a_damaged_sweep_keeps_its_name(self):
        self.config(QUICK)
        self.hdrive("run", "hdconfig.yml", "--name", "job")
        (self.sweep_directory() / "sweep.db").unlink()
        done = self.hdrive("run", "hdconfig.yml", "--name", "job", code=None)
        self.assertNotEqual(0, done.code)
        self.assertIn("hdrive repair", done.err)


class Lost(HdriveTest):
    def setUp(self):
        super().setUp()
        self.config(METRIC + "metric loss 0.$HDRIVE_RUN_NUMBER\n", max_total_runs=5)
        self.hdrive("run", "hdconfig.yml", "--name", "digits")
        self.directory = self.sweep_directory()
        self.before = self.runs(self.directory.name)

    def test_a_lost_database_names_the_repair_by_every_word_for_the_sweep(self):
        (self.directory / "sweep.db").unlink()
        for word in (self.directory.name, self.directory.name[:9], "digits", "last", self.directory):
            for verb in ("status", "export", "resume", "best", "stop"):
                done = self.hdrive(verb, word, code=None)
                self.assertNotEqual(0, done.code)
                self.assertIn(f"hdrive repair {self.directory.name}", done.err, (verb, word))
                self.assertNotIn("deleted", done.all)
        for command in (["status", "digits"], ["list"], ["export", self.directory.name]):
            done = self.hdrive(*command, "--output-dir", self.folder / ".hdrive", code=None,
                               env={"HDRIVE_HOME": str(self.folder / "elsewhere")})
            self.assertIn(f"`hdrive repair {self.directory.name} --output-dir {self.folder / '.hdrive'}`", done.err)
        listed = self.hdrive("list", code=1).err
        self.assertIn("hdrive repair", listed)
        self.assertRegex(listed, "no sweep in .* can be read, of 1 sweep")

    def test_the_log_of_a_lost_database_never_lands_on_the_repaired_one(self):
        # The log of an engine that was killed has pages of its database.
        self.config(ENDLESS, max_total_runs=2)
        engine = self.start("run", "hdconfig.yml", "--name", "killed")
        killed = lambda: [path for path in self.folder.glob(".hdrive/*/sweep.db-wal")
                          if path.parent != self.directory and path.stat().st_size > 20_000]
        [log] = until(lambda: len(self.record()) == 2 and killed(), "two runs are recorded")
        engine.kill()
        engine.wait()
        self.addCleanup(self.end_processes)
        (self.directory / "sweep.db").unlink()
        shutil.copy(log, self.directory / "sweep.db-wal")
        done = self.hdrive("repair", self.directory.name)
        self.assertIn("sweep.db.damaged-1-wal", done.out)
        runs = self.runs(self.directory.name)
        self.assertEqual([run["best_primary_metric"] for run in self.before],
                         [run["best_primary_metric"] for run in runs])
        self.assertIn("is sound", self.hdrive("repair", self.directory.name).out)

    def test_a_step_of_the_log_is_missed_in_good_english(self):
        lock = self.directory / "engine.lock"
        words = lock.read_text().split()
        for more, text in ((1, "its last step is missing; it was"), (3, "its last 3 steps are missing; they were")):
            lock.write_text(f"{words[0]} {words[1]} {int(words[2]) + more:019}\n")
            self.assertIn(text, self.hdrive("status", self.directory.name, code=1).err)


class Export(HdriveTest):
    def setUp(self):
        super().setUp()
        self.config(METRIC + "metric loss 0.$HDRIVE_RUN_NUMBER\n")
        self.hdrive("run", "hdconfig.yml", "--name", "job")
        self.expected = self.hdrive("export").out

    def test_an_output_that_is_no_file_is_written_to_and_stays(self):
        self.assertEqual(self.expected, self.hdrive("export", "-o", "/dev/stdout").out)
        self.hdrive("export", "-o", "/dev/null")
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))
        fifo, link = self.folder / "fifo", self.folder / "link"
        os.mkfifo(fifo)
        writer = self.start("export", "-o", fifo)
        self.assertEqual(self.expected, fifo.read_text())
        self.assertEqual(0, self.finish(writer).code)
        link.symlink_to("runs.csv")
        for _ in range(2):
            self.hdrive("export", "-o", link)
            self.assertTrue(link.is_symlink())
            self.assertEqual(self.expected, (self.folder / "runs.csv").read_text())
        self.assertIn("is a directory; name a file", self.hdrive("export", "-o", self.folder, code=2).err)

    def test_a_copy_of_the_database_of_a_live_sweep_is_that_sweep(self):
        self.config(ENDLESS, max_total_runs=2)
        engine = self.start("run", "hdconfig.yml", "--name", "live")
        self.addCleanup(self.end_processes)
        until(lambda: len(self.record()) == 2, "two runs go on")
        until(lambda: all(run["best_primary_metric"] == 0.5 for run in self.runs("live")), "both have reported")
        copy = self.folder / "copies" / "HD_copy"
        copy.mkdir(parents=True)
        self.hdrive("export", "live", "--db", copy / "sweep.db")
        runs = json.loads(self.hdrive("status", copy, "-f", "json").out)["runs"]
        self.assertEqual([0.5, 0.5], [run["best_primary_metric"] for run in runs])
        self.assertIn("File exists", self.hdrive("export", "live", "--db", copy / "sweep.db", code=1).err)
        self.interrupt(engine)
        self.finish(engine)

    def test_whatever_pages_change_places_nothing_is_told_that_was_not_written(self):
        lines = 'seq 200 | sed "s/.*/{\\"name\\": \\"loss\\", \\"value\\": $HDRIVE_RUN_NUMBER.&}/" >> "$HDRIVE_METRICS_FILE"\n'
        self.config(lines, max_total_runs=4)
        self.hdrive("run", "hdconfig.yml", "--name", "many")
        commands = [("export", "many"), ("export", "many", "--metrics"), ("status", "many", "-f", "json"),
                    ("best", "many", "-f", "json"), ("show", "many/2", "-f", "json"), ("show", "many")]
        expected = [self.hdrive(*command).out for command in commands]
        self.assertEqual(1 + 4 * 200, len(expected[1].splitlines()))
        [file] = [path for path in self.folder.glob(".hdrive/*/sweep.db")
                  if "many" in (path.parent / "sweep.json").read_text()]
        content = file.read_bytes()
        page = lambda number: content[number * 4096:(number + 1) * 4096]
        told = 0
        for one in range(1, len(content) // 4096):
            for other in range(one + 1, len(content) // 4096, 5):
                pages = [page(number) for number in range(len(content) // 4096)]
                pages[one], pages[other] = pages[other], pages[one]
                file.write_bytes(b"".join(pages))
                for command, whole in zip(commands, expected):
                    done = self.hdrive(*command, code=None)
                    told += done.code != 0
                    self.assertIn(done.code, (0, 1), (one, other, command, done))
                    self.assertEqual(done.code == 1, "hdrive repair" in done.err, (one, other, command, done))
                    if "is incomplete" in done.err:  # it was writing already, and says that nothing of it counts
                        continue
                    self.assertIn(done.out, ("", whole) if done.code else (whole,), (one, other, command))
        self.assertGreater(told, 10)

    def spoil_the_last_run(self, table):
        """Of a sweep large enough that its beginning is written before the end is read."""
        connection = sqlite3.connect(self.sweep_directory() / "sweep.db")
        connection.execute({"runs": "UPDATE runs SET reason = 'else' WHERE number = (SELECT max(number) FROM runs)",
                            "values": "UPDATE metric_values SET value = 7 "
                                      "WHERE id = (SELECT max(id) FROM metric_values)"}[table])
        connection.commit()
        connection.close()

    def test_damage_leaves_the_file_as_it_was(self):
        file = self.folder / "runs.csv"
        for table, options in (("runs", []), ("values", ["--metrics"])):
            with self.subTest(table=table):
                self.hdrive("export", "-o", file, *options)
                before = file.read_text()
                self.spoil_the_last_run(table)
                done = self.hdrive("export", "-o", file, *options, code=1)
                self.assertIn("is not what was written", done.err.replace("are not", "is not"))
                self.assertEqual(before, file.read_text())
                self.assertEqual([], list(self.folder.glob("*.tmp")))

    def test_what_is_written_before_the_damage_is_called_incomplete(self):
        self.config('seq 9999 | sed "s/.*/{\\"name\\": \\"loss\\", \\"value\\": &}/" >> "$HDRIVE_METRICS_FILE"\n')
        shutil.rmtree(self.folder / ".hdrive")
        self.hdrive("run", "hdconfig.yml")
        self.spoil_the_last_run("values")
        done = self.hdrive("export", "--metrics", code=1)
        self.assertIn("what was written of it until then is incomplete", done.err)
        self.assertGreater(len(done.out), 100_000)

    def test_exports_tell_snapshot_and_git_state(self):
        self.hdrive("run", "hdconfig.yml", "--name", "job")
        [run, *_] = json.loads(self.hdrive("export", "-f", "json").out)
        sweep = json.loads(self.hdrive("status", "-f", "json").out)
        self.assertEqual(64, len(run["snapshot"]))
        self.assertEqual(sweep["snapshot"], run["snapshot"])
        self.assertEqual(sweep["git"], run["git"])
        self.assertIn(",snapshot,git_repository,git_branch,git_commit,git_dirty,", self.hdrive("export").out)

    def test_a_damaged_database_is_not_copied(self):
        file = self.sweep_directory() / "sweep.db"
        connection = sqlite3.connect(file)
        connection.execute("UPDATE seal SET digest = digest + 1")
        connection.commit()
        connection.close()
        done = self.hdrive("export", self.sweep_directory().name, "--db", self.folder / "copy.db", code=1)
        self.assertIn("hdrive repair", done.err)
        self.assertFalse((self.folder / "copy.db").exists())


class Requests(HdriveTest):
    def test_whoever_waits_for_a_suspended_engine_is_told(self):
        self.config(ENDLESS, cancel_grace_seconds=1)
        engine = self.start("run", "hdconfig.yml")
        self.addCleanup(self.end_processes)
        until(lambda: len(self.record()) == 2, "two runs go on")
        until(lambda: all(run["best_primary_metric"] == 0.5 for run in self.runs()), "both have reported")
        engine.send_signal(signal.SIGSTOP)
        stop = self.start("stop", "last")
        told = stop.stderr.readline().decode()
        self.assertIn(f"process {engine.pid}, is suspended", told)
        engine.send_signal(signal.SIGCONT)
        self.assertEqual(0, self.finish(stop).code)
        self.finish(engine)


class OtherUsers(HdriveTest):
    def test_nothing_of_a_sweep_is_open_to_others_whatever_the_umask(self):
        self.config(QUICK, environment_variables={"API_KEY": "s3cret"})
        self.hdrive("run", "hdconfig.yml", preexec_fn=lambda: os.umask(0))
        directory = self.sweep_directory()
        self.assertEqual(0o700, stat.S_IMODE(directory.stat().st_mode))
        for path in directory.iterdir():
            self.assertEqual(0, stat.S_IMODE(path.lstat().st_mode) & 0o077, path)
        for path in self.folder.glob(".hdrive/**/*"):
            self.assertEqual(0, path.lstat().st_mode & 0o022 * (not path.is_symlink()), path)

    def test_an_engine_closes_an_older_sweep_to_others(self):
        self.config(QUICK)
        self.hdrive("run", "hdconfig.yml")
        directory = self.sweep_directory()
        directory.chmod(0o755)
        for path in directory.iterdir():
            path.chmod(path.stat().st_mode | 0o044)
        self.hdrive("resume", "last", "--set", "max_total_runs=5")
        self.assertEqual(0o700, stat.S_IMODE(directory.stat().st_mode))
        self.assertEqual(0o600, stat.S_IMODE((directory / "sweep.db").stat().st_mode))
        self.assertEqual(0o600, stat.S_IMODE((directory / "engine.lock").stat().st_mode))

    @unittest.skipIf(os.geteuid() != 0, "only root can become somebody else")
    def test_another_user_can_neither_read_nor_hold_up_a_sweep(self):
        self.config(ENDLESS, environment_variables={"API_KEY": "s3cret"})
        self.folder.chmod(0o755)
        engine = self.start("run", "hdconfig.yml", preexec_fn=lambda: os.umask(0))
        until(lambda: len(self.record()) == 2, "two runs go on")
        self.addCleanup(self.end_processes)
        directory = self.sweep_directory()
        files = [path for path in directory.glob("**/*") if path.is_file()]
        self.assertGreater(len(files), 5)
        opens = 'for file; do { : < "$file"; } 2> /dev/null && echo "$file"; done; true'
        opened = subprocess.run(["/bin/sh", "-c", opens, "sh", *map(str, files)], capture_output=True, text=True,
                                user=NOBODY, group=NOBODY, extra_groups=[], cwd="/")
        self.assertEqual(("", ""), (opened.stdout, opened.stderr))
        self.interrupt(engine)
        self.finish(engine)


class Times(HdriveTest):
    def test_the_time_of_a_sweep_counts_while_it_runs_and_when_its_engine_was_killed(self):
        self.config(ENDLESS, max_total_runs=2)
        engine = self.start("run", "hdconfig.yml")
        self.addCleanup(self.end_processes)
        until(lambda: len(self.record()) == 2, "two runs go on")
        active = lambda: self.sweeps()[0]["active_seconds"]
        first = active()
        until(lambda: active() > first + 0.2, "time has passed")
        engine.kill()
        engine.wait()
        self.assertGreater(active(), 0)
        self.assertEqual(active(), active())


if __name__ == "__main__":
    unittest.main()
