# SPDX-License-Identifier: Apache-2.0
"""What reaches a terminal: nothing that a script or a file named is obeyed by it, and the live display keeps to its place."""

import fcntl
import json
import os
import pty
import re
import struct
import termios
import unittest

from support import BINARY, METRIC, QUICK, HdriveTest, until

ESCAPES = "\x1b[31m\u009b2J\u202eabc\u2066\u2028\u200b"  # a colour, a cleared screen, text that runs backwards
OBEYED = [chr(code) for code in [*range(0x20), *range(0x7f, 0xa0), 0x200b, 0x200e, 0x200f, *range(0x2028, 0x202f),
                                 *range(0x2060, 0x2070), 0xfeff] if chr(code) not in "\n\t"]
LIVE = ["\x1b", "\r"]  # what the display itself writes


class Terminal(HdriveTest):
    def on_terminal(self, *arguments, columns=80, rows=24, env=None):
        """What hdrive writes to a terminal of its own, and its exit code."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        process = self.start(*arguments, env={"TERM": "xterm", **(env or {})}, stdout=theirs, stderr=theirs)
        os.close(theirs)
        output = b""
        while True:
            try:
                output += os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
        return output.decode().replace("\r\n", "\n"), process.wait()

    def assert_harmless(self, text, *allowed):
        found = {character for character in OBEYED if character in text} - set(allowed)
        self.assertEqual(set(), found, ascii(text))


class Names(Terminal):
    def hostile(self):
        metric = "loss" + ESCAPES
        script = 'cat line >> "$HDRIVE_METRICS_FILE"\ncat line >&2\ncat line\n[ "$HDRIVE_RUN_NUMBER" = 0 ] || exit 1\n'
        self.write("line", json.dumps({"name": metric, "value": 0.5}, ensure_ascii=False) + "\n")
        self.config(script, primary_metric_name=metric, max_total_runs=2, experiment_name="e" + ESCAPES,
                    sampling={"type": "random", "parameter_space": [
                        {"name": "x" + ESCAPES, "expression": "choice", "values": ["v" + ESCAPES]}]})

    def test_are_never_obeyed(self):
        self.hostile()
        shown, _ = self.on_terminal("run", "hdconfig.yml")
        self.assert_harmless(shown, *LIVE)
        self.assertNotIn("\x1b[31m", shown)
        self.assertIn("\\x9b2J", shown)
        for verb in (["status"], ["show"], ["show", "last/0"], ["show", "last/1"], ["best"], ["list"], ["logs", "last/0"],
                     ["export"], ["export", "-f", "json"], ["status", "-f", "csv"], ["show", "-f", "json"],
                     ["run", "hdconfig.yml", "--dry-run"], ["validate", "hdconfig.yml"], ["sample", "hdconfig.yml", "-n", "2"],
                     ["show", "last/" + ESCAPES], ["status", ESCAPES], ["validate", ESCAPES], ["--" + ESCAPES],
                     ["run", "hdconfig.yml", "--name", ESCAPES], ["update", "last", "--set", ESCAPES + "=1"]):
            self.assert_harmless(self.on_terminal(*verb)[0])

    def test_in_a_command_are_not_obeyed_in_the_warning_about_it(self):
        self.config(QUICK, command=["sh", "train.sh", "${{search_space.\x1b[31m}}"])
        self.assert_harmless(self.hdrive("validate", "hdconfig.yml", code=None).all)

    def test_reach_files_and_pipes_as_they_are(self):
        self.hostile()
        self.hdrive("run", "hdconfig.yml", code=None)
        self.assertIn("v" + ESCAPES, self.hdrive("export").out)
        self.assertIn(ESCAPES[5:], self.hdrive("logs", "last/0").out)

    def test_of_sweeps_have_no_such_characters(self):
        for name in ("a\u009bb", "a\u202eb"):
            self.config(QUICK, name="hdconfig.yml")
            done = self.hdrive("run", "hdconfig.yml", "--name", name, code=2)
            self.assertIn("control characters", done.err)
            self.config(QUICK).write_text(json.dumps({**json.loads(self.config(QUICK).read_text()), "name": name}))
            self.assertIn("control characters", self.hdrive("validate", "hdconfig.yml", code=2).err)


class Logs(Terminal):
    def test_show_the_last_lines_of_either_stream_or_both(self):
        self.config('for i in 1 2 3; do echo out $i; echo err $i >&2; done\nprintf unended\n' + QUICK, max_total_runs=1)
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual("out 3\nunended", self.hdrive("logs", "last/0", "--tail", "2").out)
        self.assertEqual("err 2\nerr 3\n", self.hdrive("logs", "last/0", "-n", "2", "--stderr").out)
        self.assertEqual("", self.hdrive("logs", "last/0", "-n", "0").out)
        self.assertEqual("out 1\nout 2\nout 3\nunended", self.hdrive("logs", "last/0", "-n", "99").out)
        self.assertEqual("out  out 3\nout  unended\nerr  err 2\nerr  err 3\n",
                         self.hdrive("logs", "last/0", "--both", "-n", "2").out)
        self.assertEqual("out 3\nunended", self.hdrive("logs", "last/0", "-f", "-n", "2").out)
        self.hdrive("logs", "last/0", "--both", "--raw", code=2)
        lines = self.hdrive("logs", "--controller").out.splitlines()
        self.assertRegex(lines[0], r"^<START>\[.*\]\[API\]\[INFO\]Created: .*<END>$")
        self.assertIn("[CONTROLLER][INFO]The status is now 'Completed'", lines[-1])
        self.hdrive("logs", "--controller", "--follow", code=2)

    def test_of_many_lines_are_read_from_their_end(self):
        self.config("seq 100000\n" + QUICK, max_total_runs=1)
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual([str(i) for i in range(60001, 100001)],
                         self.hdrive("logs", "last/0", "--tail", "40000").out.split())

    def test_on_a_terminal_are_shown_and_obeyed_if_asked(self):
        self.config("printf 'a 10%%\\ra 20%%\\r\\n\\033[31mred\\r\\n\\nend'\n" + QUICK, max_total_runs=1)
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual("a 10%\na 20%\n\\x1b[31mred\n\nend\n", self.on_terminal("logs", "last/0")[0])
        self.assertIn("\x1b[31mred", self.on_terminal("logs", "last/0", "--raw")[0])
        self.assertEqual("a 10%\ra 20%\r\n\x1b[31mred\r\n\nend", self.hdrive("logs", "last/0").out)


class Charts(Terminal):
    def test_of_a_sweep_and_of_a_run_are_drawn_in_characters(self):
        self.config(METRIC + "for i in 1 2 3; do metric loss 0.$((HDRIVE_RUN_NUMBER % 5))$i; metric acc $i; done\n", max_total_runs=12)
        self.hdrive("run", "hdconfig.yml")
        shown = self.hdrive("show", "--plot").out
        for part in ("history: loss of each run", "curves: loss of all runs", "importance: how differently", "run 11", "report 3", "100.0 %"):
            self.assertIn(part, shown)
        self.assertRegex(shown, "[\u2801-\u28ff]")
        self.assertTrue(all(len(line) <= 80 for line in shown.splitlines()))
        plain = self.hdrive("show", "--plot", env={"LC_ALL": "C"}).out
        self.assertTrue(plain.isascii(), ascii(plain))
        run = self.hdrive("show", "last/3", "--plot").out
        self.assertLess(run.index("run 3: loss"), run.index("run 3: acc"))
        narrow, code = self.on_terminal("show", "--plot", columns=40)
        self.assertEqual(0, code)
        self.assertTrue(all(len(line) < 40 for line in narrow.splitlines() if not line.startswith(("importance", "history", "curves"))))
        self.assertIn("--plot draws", self.hdrive("show", "--plot", "-f", "json", code=2).err)

    def test_of_nothing_say_so(self):
        self.config("true\n", max_total_runs=1)
        self.hdrive("run", "hdconfig.yml", code=None)
        shown = self.hdrive("show", "--plot").out
        self.assertIn("no run has a value of loss yet", shown)
        self.assertIn("importance: ", shown)
        self.assertIn("has logged no metric", self.hdrive("show", "last/0", "--plot").out)


class LiveDisplay(Terminal):
    SLOW = METRIC + "metric loss 0.5\nsleep 0.2\n"

    def test_is_redrawn_line_by_line(self):
        # Clearing the screen from its top makes tmux keep what was there, picture after picture.
        self.config(self.SLOW, max_total_runs=8)
        for columns, rows in ((80, 24), (40, 3), (100, 2)):
            shown, code = self.on_terminal("run", "hdconfig.yml", columns=columns, rows=rows)
            self.assertEqual(0, code)
            self.assertNotRegex(shown, r"\x1b\[[0-9]*A\x1b\[J|\r\x1b\[J|\x1b\[H|\x1b\[2J")
            self.assertGreater(shown.count("\x1b[K"), 8)

    def test_counts_time_forwards(self):
        self.config(self.SLOW, max_total_runs=12)
        shown, _ = self.on_terminal("run", "hdconfig.yml")
        times = [float(time) for time in re.findall(r"time  (\d+\.\d)s", shown)]
        self.assertGreater(len(times), 5)
        self.assertEqual(sorted(times), times)

    def test_names_the_runs_that_go_on(self):
        self.config(self.SLOW, max_total_runs=4)
        shown, _ = self.on_terminal("run", "hdconfig.yml")
        self.assertRegex(shown, r"run \d  +0\.\ds  +1 report  +loss 0\.5 .*x=0\.")
        shown, _ = self.on_terminal("run", "hdconfig.yml", rows=15)
        # On a busy machine the first one is over before the display is drawn a second time.
        self.assertRegex(shown, r"run \d  0\.\ds  loss 0\.5  x=0\.")

    def test_of_a_paused_sweep_says_so_and_expects_no_end(self):
        self.config(METRIC + 'metric loss 0.5\necho up >> "$RECORD"\n[ -e $HDRIVE_SOURCE_DIR/go ] || until [ -e $HDRIVE_SOURCE_DIR/go ]; do sleep 0.05; done\n',
                    max_total_runs=4, max_concurrent_runs=1)
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        sweep = self.start("run", "hdconfig.yml", env={"TERM": "xterm"}, stderr=theirs)
        os.close(theirs)
        shown = b""

        def read():
            nonlocal shown
            shown += os.read(ours, 65536)
            return shown

        until(lambda: b"1 running" in read(), "a run goes on")
        self.hdrive("pause", "last")
        until(lambda: b"paused; 1 run to end" in read(), "the display tells of the pause")
        self.write("go", "")
        until(lambda: b"paused; nothing runs" in read(), "the run has ended")
        last = shown[shown.rindex(b"time  "):]
        self.assertNotIn(b"left", last)
        self.hdrive("resume", "last")
        while True:
            try:
                read()
            except OSError:
                break
        self.assertEqual(0, sweep.wait(60))

    # Reports, the first run at once and the others when they are let, and trains on until somebody lets it end.
    TRAINING = METRIC + """[ "$HDRIVE_RUN_NUMBER" = 0 ] || until [ -e "$RECORD.rivals" ]; do sleep 0.05; done
for i in 1 2 3 4; do metric loss 0.$((5 + HDRIVE_RUN_NUMBER - i)); done
until [ -e "$RECORD.go" ]; do sleep 0.05; done
"""

    def watched(self, *arguments, rows, columns=110):
        """hdrive with a terminal of its own, and a function that reads what it has shown so far."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        process = self.start(*arguments, env={"TERM": "xterm"}, stderr=theirs)
        os.close(theirs)
        shown = b""

        def read():
            nonlocal shown
            try:
                shown += os.read(ours, 65536)
            except OSError:  # the other side is closed
                pass
            return shown.decode(errors="replace")

        return process, read, ours

    def test_of_a_high_terminal_shows_each_run_against_the_best(self):
        self.config(self.TRAINING, max_total_runs=3, policy={"type": "bandit", "slack_amount": 5})
        sweep, read, ours = self.watched("run", "hdconfig.yml", rows=40)
        until(lambda: re.search(r"run 0 .*loss 0\.1 .*[\u2581-\u2588]{4} +best", read()), "the best run's curve is shown")
        self.write(self.record_file.name + ".rivals", "")
        until(lambda: re.search(r"run 1 .*4 reports .*loss 0\.2 .*behind .*stops at", read()), "its rival is, with its limit")
        # Another size is taken over: on a low terminal today's lines are left.
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 110, 0, 0))
        until(lambda: "run 1  " in read().rpartition("time  ")[2] and "stops at" not in read().rpartition("time  ")[2],
              "the board is gone")
        self.write(self.record_file.name + ".go", "")
        while sweep.poll() is None:
            read()
        self.assertEqual(0, sweep.wait(60))

    def test_of_watch_disturbs_nothing_and_leaves_with_ctrl_c(self):
        self.config(self.TRAINING, max_total_runs=4)
        self.write(self.record_file.name + ".rivals", "")
        self.hdrive("run", "hdconfig.yml", "--detach", "--name", "mine")
        looker, read, _ = self.watched("watch", "mine", rows=40)
        until(lambda: re.search(r"run 1 .*4 reports .*loss 0\.2 .*behind", read()), "a rival of the best run is shown")
        self.interrupt(looker)
        until(lambda: read() and looker.poll() is not None, "it leaves")
        self.assertEqual(0, looker.wait())
        self.assertIn("goes on; hdrive watch", read())
        self.assertEqual("Running", self.sweeps()[0]["status"])
        self.write(self.record_file.name + ".go", "")
        lines = self.hdrive("watch", "mine")  # no terminal: lines, and the summary
        self.assertIn("4 completed", lines.out)
        self.assertIn("4 completed", self.hdrive("watch").out)

    def test_of_attach_says_what_it_shows_and_draws_no_empty_sweep(self):
        self.config(QUICK, max_total_runs=2)
        self.hdrive("run", "hdconfig.yml", "--name", "mine")
        shown, code = self.on_terminal("attach", "last")
        self.assertEqual(0, code)
        self.assertNotIn("0/0", shown)
        self.assertNotIn("reported yet", shown)


if __name__ == "__main__":
    unittest.main()
