# SPDX-License-Identifier: Apache-2.0
"""Training programs that behave badly: nothing of them is left, nothing of them breaks the sweep."""

import csv
import json
import time
import unittest

from support import METRIC, HdriveTest, alive, until

# A child that forks twice, leaves the session and closes its files: nobody's child by then.
DETACHING = METRIC + """
/usr/bin/env python3 - <<'END'
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in range(3):
            os.close(fd)
        with open(os.environ["RECORD"], "a") as record:
            record.write(f"{os.getpid()}\\n")
        time.sleep(1000)
    os._exit(0)
os.wait()
END
"""


class ShortRuns(HdriveTest):
    def test_last_as_long_as_their_supervisors_say(self):
        # The word that a run has begun may come with the word that it has ended; each counted next to nothing then.
        self.config(METRIC + "metric loss 1\n", max_total_runs=60, max_concurrent_runs=8)
        self.hdrive("run", "hdconfig.yml")
        told = {int(row["number"]): float(row["seconds"]) for row in csv.DictReader(self.hdrive("export").out.splitlines())}
        ends = {run: json.loads((self.run_directory(run) / "exit.json").read_text()) for run in told}
        self.assertEqual(60, len(ends))
        self.assertGreater(sum(told.values()), 0.9 * sum(end["ended"] - end["started"] for end in ends.values()))


class Leftovers(HdriveTest):
    def test_a_child_that_forked_twice_and_detached_is_gone_after_a_cancel(self):
        self.config(DETACHING + "metric loss 1\nexec sleep 1000\n", max_total_runs=1)
        sweep = self.start("run", "hdconfig.yml")
        [pid] = until(self.record, "the detached child runs")
        self.assertTrue(alive(pid))
        self.interrupt(sweep)
        self.finish(sweep)
        self.assertFalse(alive(pid))

    def test_a_detached_child_does_not_outlive_a_run_that_ends_by_itself(self):
        self.config(DETACHING + "metric loss 1\n", max_total_runs=1)
        self.hdrive("run", "hdconfig.yml")
        [pid] = self.record()
        self.assertFalse(alive(pid))

    def test_a_script_that_ignores_sigterm_is_killed_after_the_grace_period(self):
        self.config(METRIC + "trap '' TERM\necho $$ >> \"$RECORD\"\nmetric loss 1\n"
                    "while :; do sleep 0.05; done\n", max_total_runs=1, cancel_grace_seconds=0.3)
        sweep = self.start("run", "hdconfig.yml")
        [pid] = until(self.record, "the script runs")
        began = time.monotonic()
        self.interrupt(sweep)
        self.finish(sweep)
        self.assertFalse(alive(pid))
        self.assertLess(time.monotonic() - began, 10)

    def test_a_script_told_to_end_may_clean_up_first(self):
        self.config(METRIC + "trap 'echo cleaned >> \"$RECORD\"; exit 0' TERM\nmetric loss 1\n"
                    "echo ready >> \"$RECORD\"\nwhile :; do sleep 0.05; done\n", max_total_runs=1)
        sweep = self.start("run", "hdconfig.yml")
        until(self.record, "the script runs")
        self.interrupt(sweep)
        self.finish(sweep)
        self.assertEqual(["ready", "cleaned"], self.record())


class Output(HdriveTest):
    def test_that_is_no_utf8_is_kept_byte_for_byte_and_breaks_no_listing(self):
        self.config(METRIC + "printf '\\377\\376 caf\\351\\n'; printf '\\200bad\\n' >&2\n"
                    "printf '{\"name\": \"caf\\351\", \"value\": 1}\\n' >> \"$HDRIVE_METRICS_FILE\"\n"
                    "metric loss 1\nexit 3\n", max_total_runs=3)
        self.hdrive("run", "hdconfig.yml", code=3)
        self.assertEqual(b"\xff\xfe caf\xe9\n", (self.run_directory(0) / "stdout.log").read_bytes())
        self.assertEqual(3, len(self.runs()))
        self.hdrive("show", "last/0")
        self.hdrive("logs", "last/0")

    def test_a_line_of_ten_megabytes_is_no_trouble(self):
        size = 10_000_000
        self.config(METRIC + f"head -c {size} /dev/zero | tr '\\0' a\necho\necho 'loss=0.25'\n",
                    max_total_runs=1, metric_patterns="^loss=([0-9.]+)$")
        self.hdrive("run", "hdconfig.yml")
        [run] = self.runs()
        self.assertEqual(0.25, run["best_primary_metric"])
        self.assertEqual(size + 1 + len("loss=0.25\n"), (self.run_directory(0) / "stdout.log").stat().st_size)

    def test_a_last_line_without_its_end_still_counts(self):
        self.config("printf '{\"name\": \"loss\", \"value\": 0.125}' >> \"$HDRIVE_METRICS_FILE\"\n", max_total_runs=1)
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual([0.125], [run["best_primary_metric"] for run in self.runs()])

    def test_a_damaged_metrics_line_is_told_and_the_others_count(self):
        self.config(METRIC + "echo 'not json' >> \"$HDRIVE_METRICS_FILE\"\nmetric loss 0.5\n", max_total_runs=1)
        done = self.hdrive("run", "hdconfig.yml")
        self.assertIn("not json", done.all)
        self.assertEqual([0.5], [run["best_primary_metric"] for run in self.runs()])

    def test_logs_shows_what_a_run_printed(self):
        self.config(METRIC + "echo to stdout\necho to stderr >&2\nmetric loss 1\n", max_total_runs=1)
        self.hdrive("run", "hdconfig.yml")
        shown = self.hdrive("logs", "last/0").all
        self.assertIn("to stdout", shown)

    def test_logs_f_follows_a_run_to_its_end(self):
        self.config(METRIC + 'echo first\necho go >> "$RECORD"\nmetric loss 1\n'
                    'while [ ! -e $HDRIVE_SOURCE_DIR/go ]; do sleep 0.02; done\necho last\n', max_total_runs=1)
        sweep = self.start("run", "hdconfig.yml")
        until(self.record, "the run is up")
        follower = self.start("logs", "-f", "last/0")
        self.assertEqual(b"first\n", follower.stdout.readline())
        self.write("go", "")
        self.assertIn("last", self.finish(follower).out)
        self.finish(sweep)


class Log(HdriveTest):
    def test_hdrive_log_from_a_shell_script_reaches_the_sweep(self):
        self.config("hdrive log loss 0.75 --step 1\nhdrive log loss 0.5 --step 2\nhdrive log other -3e2\n",
                    max_total_runs=2)
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual([0.5, 0.5], [run["best_primary_metric"] for run in self.runs()])

    def test_hdrive_log_outside_of_a_run_says_so(self):
        self.assertIn("HDRIVE_METRICS_FILE", self.hdrive("log", "loss", "1", code=None).err)
        self.assertNotEqual(0, self.hdrive("log", "loss", "1", code=None).code)

    def test_the_python_module_is_there_without_installing_anything(self):
        self.write("train.py", "import os, pathlib, hdrive_run\n"
                   "pathlib.Path(hdrive_run.outputs_dir, 'x.txt').write_text(str(hdrive_run.params))\n"
                   "hdrive_run.log('loss', 0.25, step=3)\n")
        self.config(command="/usr/bin/env python3 train.py", max_total_runs=1)
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual([0.25], [run["best_primary_metric"] for run in self.runs()])
        self.assertIn("x", (self.run_directory(0) / "outputs" / "x.txt").read_text())


if __name__ == "__main__":
    unittest.main()
