# SPDX-License-Identifier: Apache-2.0
"""Bad input: names, values, limits, output, processes and metrics that nobody would write on purpose."""

import json
import os
import unittest

from support import METRIC, QUICK, HdriveTest, until

TELL_ARGUMENTS = """
import json, os, sys
with open(os.environ["RECORD"], "a") as record:
    record.write(json.dumps([sys.argv[1:], json.loads(os.environ["HDRIVE_PARAMETERS"])]) + "\\n")
with open(os.environ["HDRIVE_METRICS_FILE"], "a") as file:
    file.write('{"name": "loss", "value": 1}\\n')
"""
VALUES = ["; touch pwned", "$(touch pwned)", "`touch pwned`", "a && touch pwned", "| touch pwned", "> pwned", "*", "~",
          "$HOME", "two words", "a\nb", "", "-", "--", "--help", "'", '"', "\\", "%s", "\x1b[31m", "é", "${{x}}", "{x}"]
NAMES = ["--two words", "--it's \"quoted\"", "--a\nb", "---three", "-s", "--$(touch pwned)", "--;", "é", "a=b", "a.b", "x/y"]


class Words(HdriveTest):
    def tell(self, space, **keys):
        self.write("tell.py", TELL_ARGUMENTS)
        self.config(command="/usr/bin/env python3 tell.py", sampling={"type": "grid", "parameter_space": space},
                    max_concurrent_runs=4, **keys)
        self.hdrive("run", "hdconfig.yml")
        for verb in ("status", "show", "best", "export", "list"):
            self.hdrive(verb)
        self.assertFalse((self.folder / "pwned").exists())
        return [json.loads(line) for line in self.record()]

    def test_values_reach_the_program_as_they_are_and_no_shell(self):
        told = self.tell([{"name": "--x", "expression": "choice", "values": [VALUES]}], max_total_runs=len(VALUES))
        self.assertEqual(sorted(["--x", value] for value in VALUES), sorted(arguments for arguments, _ in told))
        listed = [run["hyperparameters"]["--x"] for run in self.runs()]
        self.assertEqual(VALUES, listed)

    def test_names_reach_the_program_as_they_are_or_are_refused_with_a_reason(self):
        taken = []
        for name in NAMES:
            space = [{"name": name, "expression": "choice", "values": [1]}]
            self.config(QUICK, sampling={"type": "grid", "parameter_space": space})
            done = self.hdrive("validate", "hdconfig.yml", code=None)
            self.assertIn(done.code, (0, 2), done)
            if done.code == 2:
                self.assertIn("name", done.err)
            else:
                taken.append(name)
        self.assertGreater(len(taken), 4)
        [[arguments, parameters]] = self.tell(
            [{"name": name, "expression": "choice", "values": [i]} for i, name in enumerate(taken)], max_total_runs=1)
        expected = []
        for i, name in enumerate(taken):
            expected += [name if name.startswith("-") else "--" + name, str(i)]
        self.assertEqual(expected, arguments)
        self.assertEqual(dict(zip(taken, range(len(taken)))), parameters)

    def test_a_shell_sees_them_only_where_the_command_asks_for_one(self):
        space = [{"name": "x", "expression": "choice", "values": ["$(touch pwned)"]}]
        self.config(command=["sh", "-c", METRIC + 'metric loss 1; printf %s "$AZUREML_SWEEP_x" > "$HDRIVE_SOURCE_DIR/value"'],
                    append_parameters=False, max_total_runs=1, sampling={"type": "grid", "parameter_space": space})
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual("$(touch pwned)", (self.folder / "value").read_text())
        self.assertFalse((self.folder / "pwned").exists())


class Limits(HdriveTest):
    def test_that_are_absurd_are_refused_with_what_is_allowed(self):
        for key, value in (("max_total_runs", 0), ("max_total_runs", -1), ("max_total_runs", 10 ** 30),
                           ("max_total_runs", 1.5), ("max_concurrent_runs", 0), ("max_concurrent_runs", "many"),
                           ("max_duration_minutes", -5), ("max_duration_minutes", 1e300),
                           ("max_run_duration_seconds", 0), ("cancel_grace_seconds", 1e9), ("max_lost_retries", -1)):
            self.config(QUICK, **{key: value})
            done = self.hdrive("run", "hdconfig.yml", code=2)
            self.assertIn(key, done.err)
            self.assertNotIn("run 0", done.out)
        self.assertFalse((self.folder / ".hdrive").exists())

    def test_that_are_huge_or_tiny_are_kept(self):
        self.config(QUICK, max_concurrent_runs=1000000, cancel_grace_seconds=86400)
        self.hdrive("run", "hdconfig.yml")
        self.config(QUICK, max_total_runs=10 ** 9, max_duration_minutes=0.01, max_concurrent_runs=1)
        self.hdrive("run", "hdconfig.yml")
        self.assertGreater(len(self.runs_of_last()), 1)

    def runs_of_last(self):
        return json.loads(self.hdrive("status", "last", "-f", "json").out)["runs"]

    def test_of_a_run_in_a_millisecond_end_it(self):
        self.config(METRIC + "metric loss 1\nexec sleep 1000\n", max_total_runs=1, max_run_duration_seconds=0.001)
        self.hdrive("run", "hdconfig.yml", code=None)
        self.assertEqual(["time_limit"], [run["ended_by"] for run in self.runs()])


class Output(HdriveTest):
    def read_whole(self, script, size):
        """A run whose stdout.log has at least `size` bytes, all of which the engine reads for the pattern."""
        self.config(METRIC + "echo loss=0.5\n" + script + "echo loss=0.25\n", max_total_runs=1,
                    metric_patterns="^loss=([0-9.]+)$")
        with open(self.folder / "out", "wb") as out:
            sweep = self.start("run", "hdconfig.yml", stdout=out, stderr=out)
            _, status, usage = os.wait4(sweep.pid, 0)
            sweep.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(0, sweep.returncode, (self.folder / "out").read_text())
        self.assertGreaterEqual((self.run_directory(0) / "stdout.log").stat().st_size, size)
        self.assertEqual([0.25], [run["best_primary_metric"] for run in self.runs()])
        if "san" not in os.environ.get("HDRIVE_BINARY", ""):  # sanitizers take memory of their own
            self.assertLess(usage.ru_maxrss, 100_000)  # kB
        self.hdrive("show", "last/0")

    def test_of_hundreds_of_megabytes_costs_the_engine_no_memory(self):
        size = int(os.environ.get("HDRIVE_TEST_LOG_MB", 200)) << 20
        line = "epoch 12, step 3456: all is as it should be, and the loss is told elsewhere"
        self.read_whole(f"yes '{line}' | head -c {size}\necho\n", size)

    def test_of_a_gigabyte_without_a_line_costs_the_engine_no_memory(self):
        # Most of it a hole, so that the disk is spared.
        self.read_whole("truncate -s 1G \"$HDRIVE_RUN_DIR/stdout.log\"\necho\n", 1 << 30)

    def test_of_bytes_that_are_no_text_breaks_nothing(self):
        self.config("head -c 100000 /dev/urandom\nhead -c 100000 /dev/urandom >&2\n"
                    "head -c 100000 /dev/urandom >> \"$HDRIVE_METRICS_FILE\"\necho >> \"$HDRIVE_METRICS_FILE\"\n"
                    + METRIC + "metric loss 0.5\nexit 3\n", max_total_runs=3, metric_patterns="l=([0-9.]+)")
        self.hdrive("run", "hdconfig.yml", code=3)
        self.assertEqual([0.5] * 3, [run["best_primary_metric"] for run in self.runs()])
        for verb in ("show", "logs"):
            self.hdrive(verb, "last/0")
        json.loads(self.hdrive("show", "last/0", "-f", "json").out)

    def test_of_a_script_that_closes_its_streams_is_not_missed(self):
        self.config(METRIC + "exec <&- >&- 2>&-\nmetric loss 0.5\n")
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual([0.5] * 4, [run["best_primary_metric"] for run in self.runs()])


class Processes(HdriveTest):
    def test_that_are_a_thousand_children_of_one_run_end_with_it(self):
        self.config(METRIC + "i=0\nwhile [ $i -lt 1000 ]; do i=$((i + 1))\n"
                    "  if [ $((i % 2)) = 0 ]; then sleep 1000 & else setsid sleep 1000 & fi\ndone\nmetric loss 0.5\n",
                    max_total_runs=1)
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual([], self.processes())
        [run] = self.runs()
        self.assertEqual("Completed", run["status"])
        self.assertEqual(1000, json.loads((self.run_directory(0) / "exit.json").read_text())["leftovers"])

    def test_that_ignore_sigterm_a_hundred_of_them_are_killed(self):
        self.config(METRIC + "trap '' TERM\ni=0\nwhile [ $i -lt 100 ]; do i=$((i + 1)); sleep 1000 & done\n"
                    "metric loss 0.5\necho ready >> \"$RECORD\"\nwhile :; do wait; done\n",
                    max_total_runs=1, cancel_grace_seconds=0.2)
        sweep = self.start("run", "hdconfig.yml")
        until(self.record, "all are there")
        self.interrupt(sweep)
        self.assertEqual(130, self.finish(sweep).code)
        self.assertEqual([], self.processes())


class Metrics(HdriveTest):
    def test_a_million_at_once_all_arrive(self):
        count = 1_000_000
        self.write("flood.py", "import os\nwith open(os.environ['HDRIVE_METRICS_FILE'], 'a') as file:\n"
                   f"    file.write(''.join('{{\"name\": \"loss\", \"value\": %d}}\\n' % i for i in range({count})))\n")
        self.config(command="/usr/bin/env python3 flood.py", max_total_runs=1)
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual((count, count * (count - 1) / 2),
                         self.database().execute("select count(*), sum(value) from metrics").fetchone())

    def test_that_are_no_numbers_or_no_names_cost_only_themselves(self):
        self.config(METRIC + """
metric loss 0.5
metric loss NaN
metric loss 1e999
metric loss -1e999
metric loss 0x10
metric loss '"ten"'
metric "$(head -c 10240 /dev/zero | tr '\\0' n)" 1
metric "" 1
printf '{"name": "loss", "value": 0.2' >> "$HDRIVE_METRICS_FILE"
printf '\\n\\0\\0\\0\\n[1, 2\\n' >> "$HDRIVE_METRICS_FILE"
metric loss 0.25
""", max_total_runs=1)
        done = self.hdrive("run", "hdconfig.yml")
        values = [value for [value] in self.database().execute("select value from metrics where name = 'loss'")]
        self.assertEqual([0.5, None, float("inf"), float("-inf"), 0.25], values)
        self.assertEqual([0.25], [run["best_primary_metric"] for run in self.runs()])
        self.assertEqual([("loss",)], self.database().execute("select distinct name from metrics").fetchall())
        for number in (5, 6, 7, 8, 9, 10, 11):
            self.assertIn(f"metrics.jsonl:{number}:", done.err)


if __name__ == "__main__":
    unittest.main()
