# SPDX-License-Identifier: Apache-2.0
"""What hdrive writes: tables, JSON, CSV, the live display, the database, exit codes."""

import csv
import fcntl
import io
import json
import os
import pty
import re
import select
import struct
import termios
import time
import unittest

from support import BINARY, DEADLINE, ENDLESS, METRIC, QUICK, HdriveTest, until

ESCAPE = "\x1b"


class Listings(HdriveTest):
    def setUp(self):
        super().setUp()
        self.config(METRIC + "metric loss 0.5\nmetric loss 0.25\n", max_total_runs=3)
        self.done = self.hdrive("run", "hdconfig.yml", "--name", "first try")

    def test_every_list_is_json_and_csv_that_parses(self):
        for verb in (["list"], ["status", "last"], ["best", "last"], ["show", "last/0"], ["list-algorithms"],
                     ["export", "last"], ["sample", "hdconfig.yml"]):
            parsed = json.loads(self.hdrive(*verb, "-f", "json").out)
            self.assertTrue(parsed, verb)
        for verb in (["list"], ["status", "last"], ["export", "last"], ["list-algorithms"]):
            rows = list(csv.DictReader(io.StringIO(self.hdrive(*verb, "-f", "csv").out), strict=True))
            self.assertTrue(rows, verb)
            self.assertTrue(all(None not in row and None not in row.values() for row in rows), verb)

    def test_a_run_has_hyperdrives_keys_first(self):
        for run in self.runs():
            self.assertEqual(["run_id", "hyperparameters", "best_primary_metric", "status"], list(run)[:4])
            self.assertRegex(run["run_id"], r"^HD_[0-9a-f-]{36}_\d+$")
            self.assertEqual(0.25, run["best_primary_metric"])
            self.assertEqual(0, run["exit_code"])

    def test_processor_time_and_memory_are_told(self):
        for run in self.runs():
            self.assertGreater(run["cpu_seconds"], 0)
            self.assertGreater(run["peak_memory_bytes"], 100_000)
        self.assertRegex(self.hdrive("status", "last", env={"COLUMNS": "200"}).out, r"CPU +MEMORY")
        self.assertRegex(self.hdrive("show", "last/0").out, r"(?m)^used +0\.\ds of processor time, \S+ [kM]B of memory at most$")
        self.assertEqual(3, len(json.loads(self.hdrive("status", "--sort", "-memory", "-f", "json").out)["runs"]))

    def test_a_table_in_a_pipe_has_no_escape_codes(self):
        for verb in (["list"], ["status", "last"], ["best", "last"], ["show", "last/0"], ["show", "last"]):
            self.assertNotIn(ESCAPE, self.hdrive(*verb).all)

    def test_what_the_model_believes_is_shown_in_words_and_as_json(self):
        self.assertIn("all results have the same value", self.hdrive("show", "last", "--model", code=1).err)
        self.config('hdrive log loss "$2"', max_total_runs=3)
        self.hdrive("run", "hdconfig.yml", "--quiet")
        text = self.hdrive("show", "last", "--model").out
        for word in ("3 results", "noise", "within one deviation", "relevance", "x"):
            self.assertIn(word, text)
        model = json.loads(self.hdrive("show", "last", "--model", "-f", "json").out)
        self.assertEqual(3, model["results"])
        self.assertEqual(["parameter", "share", "lengthscale"], list(model["parameters"][0]))
        self.assertIn("leave out /0", self.hdrive("show", "last/0", "--model", code=2).all)

    def test_what_the_model_picks_is_printed_and_told_where_the_best_run_is_only_lucky(self):
        self.assertIn("it needs 10 completed runs with a value, and there are 3",
                      self.hdrive("best", "last", "--by", "model", code=3).err)
        self.assertIn("did you mean", self.hdrive("best", "--by", "modle", code=2).err)
        # Least at 0.5, and what the run's number adds decides which is least.
        script = ("import os, sys\nx, run = float(sys.argv[-1]), int(os.environ['HDRIVE_RUN_NUMBER'])\n"
                  "loss = (x - 0.5) ** 2 * 4 + (run * 7 % 10) / 10\n"
                  "open(os.environ['HDRIVE_METRICS_FILE'], 'a').write('{\"name\": \"loss\", \"value\": %r}\\n' % loss)\n")
        (self.folder / "noisy.py").write_text(script)
        self.config(command=["python3", "noisy.py"], max_total_runs=40)
        end = self.hdrive("run", "hdconfig.yml").out
        told = r"(?m)^model +picks run (\d+), \S+ \+- \S+\s+\(run (\d+)\s+reported the\s+best value, (\S+)\)$"
        self.assertRegex(end, told)
        [pick, leader, value] = re.search(told, end).groups()
        self.assertNotEqual(pick, leader)
        self.assertRegex(self.hdrive("show", "last").out.replace("\n           ", " "), told)
        self.assertRegex(self.hdrive("best", "last").out.replace("\n           ", " "), told)
        self.assertEqual(int(pick), json.loads(self.hdrive("show", "last", "-f", "json").out)["model_pick"]["run"])
        best = json.loads(self.hdrive("best", "last", "--by", "model", "-f", "json").out)
        self.assertEqual(int(pick), best["number"])
        self.assertEqual(int(leader), best["model"]["best_reported_run"])
        self.assertAlmostEqual(float(value), best["model"]["best_reported"], places=5)
        self.assertEqual(best["best_primary_metric"], best["model"]["reported"])
        self.assertLess(abs(best["hyperparameters"]["--x"] - 0.5), 0.3)
        self.assertNotIn("model", json.loads(self.hdrive("best", "last", "-f", "json").out))
        text = self.hdrive("best", "--by", "model").out.replace("\n           ", " ")
        self.assertIn(f"run        {pick} (", text)
        self.assertRegex(text, r"model      expects \S+ \+- \S+ with these parameters")
        [row] = csv.DictReader(io.StringIO(self.hdrive("best", "--by", "model", "-f", "csv").out))
        self.assertAlmostEqual(best["model"]["mean"], float(row["model_mean"]))

    def test_a_sweep_without_noise_has_no_word_of_the_model(self):
        self.assertNotIn("model", self.done.out)
        self.assertNotIn("model", self.hdrive("show", "last").out)
        self.assertIsNone(json.loads(self.hdrive("show", "last", "-f", "json").out)["model_pick"])

    def test_a_sweep_is_found_by_id_prefix_name_and_last(self):
        [sweep] = self.sweeps()
        identity = next(value for value in sweep.values() if str(value).startswith("HD_"))
        for selector in (identity, identity[:11], identity[3:11], "first try", "last"):
            self.assertEqual(3, len(self.runs(selector)), selector)

    def test_sweeps_are_listed_by_status_and_the_newest_of_them(self):
        self.config("exit 1\n", max_total_runs=1)
        self.hdrive("run", "hdconfig.yml", "--name", "second", code=3)
        names = lambda *words: [row["name"] for row in json.loads(self.hdrive("list", *words, "-f", "json").out)]
        self.assertEqual(["first try", "second"], names())
        self.assertEqual(["second"], names("--last", "1"))
        self.assertEqual(["first try"], names("--status", "Completed"))
        self.assertEqual(["first try"], names("--status", "completed", "--last", "1"))
        self.assertEqual(["first try", "second"], names("--status", "completed", "--status", "failed", "--last", "5"))
        self.assertIn("none of those asked for", self.hdrive("list", "--status", "paused").err)
        self.assertIn("did you mean \"failed\"", self.hdrive("list", "--status", "faild", code=2).err)
        self.hdrive("list", "--last", "0", code=2)

    def test_an_unknown_sweep_is_told_and_has_its_own_exit_code(self):
        self.hdrive("status", "HD_none", code=4)
        self.hdrive("show", "last/99", code=4)

    def test_the_end_tells_the_best_run_with_its_parameters(self):
        for word in ("best", "0.25", "x"):
            self.assertIn(word, self.done.out + self.done.err)

    def test_of_hundreds_of_parameters_the_end_tells_the_first_and_best_all(self):
        space = [{"name": f"p{n}", "expression": "uniform", "values": [0, 1]} for n in range(200)]
        self.config(QUICK, max_total_runs=1, sampling={"type": "random", "parameter_space": space})
        done = self.hdrive("run", "hdconfig.yml")
        self.assertRegex(done.out, r"  and 170 more parameters: hdrive best HD_\w{8} has them\n")
        self.assertLess(len(done.out), 4000)
        self.assertIn("  p199 = ", self.hdrive("best", "last").out)
        self.assertLess(len(self.hdrive("run", "hdconfig.yml", "--quiet").out), 500)


class Database(HdriveTest):
    def test_is_read_by_others_while_the_sweep_runs(self):
        self.config(ENDLESS)
        sweep = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) == 2, "two runs are alive")
        tables = [row[0] for row in self.database().execute("select name from sqlite_master where type = 'table'")]
        self.assertTrue(tables)
        for table in tables:
            self.database().execute(f'select * from "{table}"').fetchall()
        until(lambda: [run["status"] for run in self.runs()] == ["Running"] * 2, "status tells both are running")
        self.interrupt(sweep)
        self.assertEqual(130, self.finish(sweep).code)


class ExitCodes(HdriveTest):
    def test_2_for_wrong_usage(self):
        for arguments in ([], ["no-such-verb"], ["run"], ["run", "hdconfig.yml", "--no-such-option"],
                          ["run", "missing.yml"], ["status", "last", "-f", "xml"]):
            if arguments:
                done = self.hdrive(*arguments, code=2)
                self.assertTrue(done.err)

    def test_3_where_no_run_succeeded(self):
        self.config("exit 1\n", max_total_runs=2)
        self.hdrive("run", "hdconfig.yml", code=3)

    def test_0_for_help_and_version(self):
        self.assertRegex(self.hdrive("version").out, r"\d+\.\d+\.\d+")
        self.hdrive("--help")
        verbs = re.findall(r"^  ([a-z-]+) ", self.hdrive("--help").out, re.MULTILINE)
        for verb in ("run", "validate", "sample", "list", "status", "show", "logs", "best", "export", "stop",
                     "resume", "log", "list-algorithms", "version"):
            self.assertIn(verb, verbs)
            self.assertIn("hdrive " + verb, self.hdrive(verb, "--help").out)


class Sweeps(HdriveTest):
    def test_are_listed_with_the_best_value_and_by_whom_runs_were_ended(self):
        # The later runs report worse from the first, which the policy does not let them go on with.
        self.config(METRIC + """
loss=1; [ "$HDRIVE_RUN_NUMBER" -ge 2 ] && loss=9
for i in 1 2 3; do metric loss $loss; done
[ "$HDRIVE_RUN_NUMBER" -ge 2 ] && exec sleep 1000
exit 0
""", max_total_runs=4, max_concurrent_runs=1, cancel_grace_seconds=1,
                    policy={"type": "bandit", "slack_factor": 0.1, "evaluation_interval": 1})
        self.hdrive("run", "hdconfig.yml", "--name", "listed")
        row = self.sweeps()[0]
        self.assertEqual((2, 2, 0, 0, 1), tuple(row[key] for key in ("completed", "stopped", "failed", "canceled",
                                                                     "best_primary_metric")))
        wide = self.hdrive("list", env={"COLUMNS": "200"}).out
        self.assertRegex(wide, r"COMPLETED +STOPPED +FAILED +CANCELED +METRIC +BEST ")
        narrow = self.hdrive("list", env={"COLUMNS": "45"}).out
        self.assertIn("listed", narrow)
        self.assertNotIn("CREATED", narrow)


class Terminal(HdriveTest):
    """The live display on a terminal of a given size."""

    def on_terminal(self, columns, rows=24, env=None):
        """What `hdrive run` writes to a terminal."""
        pid, terminal = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.chdir(self.folder)
            os.execve(BINARY, [str(BINARY), "run", "hdconfig.yml"],
                      {**self.environment, "TERM": "xterm-256color", **(env or {})})
        output = b""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    chunk = os.read(terminal, 65536)
                except OSError:  # the other side is closed
                    break
                if not chunk:
                    break
                output += chunk
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
        return output.decode(), os.waitstatus_to_exitcode(status)

    def setUp(self):
        super().setUp()
        self.config(METRIC + "metric loss 0.5\nsleep 0.1\n", max_total_runs=8)

    def test_of_80_columns_shows_a_display_that_is_redrawn(self):
        output, code = self.on_terminal(80)
        self.assertEqual(0, code)
        self.assertIn(ESCAPE, output)
        self.assertIn("8/8", output)
        for word in ("running", "finished", "stopped", "failed", "best", "0.5"):
            self.assertIn(word, output)

    def test_of_40_columns_is_not_overrun_by_the_display(self):
        output, code = self.on_terminal(40)
        self.assertEqual(0, code)
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output)
        lines = [line for line in re.split(r"[\r\n]+", plain) if re.match(r"best  \S|time  \S|.*\d/8 ", line)]
        self.assertTrue(any("8/8" in line for line in lines), output)
        self.assertTrue(any(line.startswith("best  loss 0.5") for line in lines), output)
        self.assertEqual([], [line for line in lines if len(line) > 40])

    def test_with_no_color_gets_no_escape_codes(self):
        output, code = self.on_terminal(80, env={"NO_COLOR": "1"})
        self.assertEqual(0, code)
        self.assertNotIn(ESCAPE, output)

    def test_a_pipe_gets_a_line_for_each_finished_run_and_no_escape_codes(self):
        done = self.hdrive("run", "hdconfig.yml")
        self.assertNotIn(ESCAPE, done.all)
        for run in range(8):
            self.assertRegex(done.all, rf"(?im)^.*\brun\s+{run}\b.*$")

    def test_quiet_prints_less(self):
        loud, quiet = self.hdrive("run", "hdconfig.yml"), self.hdrive("run", "hdconfig.yml", "--quiet")
        self.assertLess(len(quiet.all), len(loud.all))


if __name__ == "__main__":
    unittest.main()
