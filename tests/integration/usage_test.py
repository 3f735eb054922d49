# SPDX-License-Identifier: Apache-2.0
"""What the command makes of odd arguments, and what it says: numbers, scripts, configurations, sweeps that run."""

import json
import os
import pathlib
import re
import unittest

from support import DEADLINE, ENDLESS, METRIC, QUICK, ROOT, HdriveTest, until


class Numbers(HdriveTest):
    def test_out_of_range_are_refused_by_every_verb(self):
        self.config(QUICK)
        for arguments in (["sample", "hdconfig.yml", "-n", "1", "--seed", "-1"],
                          ["sample", "hdconfig.yml", "--seed", "99999999999999999999"],
                          ["sample", "hdconfig.yml", "-n", "999999999999999999999"],
                          ["sample", "hdconfig.yml", "-n", "-1"],
                          ["validate", "hdconfig.yml", "--seed=18446744073709551616"],
                          ["run", "hdconfig.yml", "--seed", "-9223372036854775809"],
                          ["log", "acc", "1", "--step=99999999999999999999"],
                          ["log", "acc", "1", "--step", "-99999999999999999999"]):
            done = self.hdrive(*arguments, code=2, env={"HDRIVE_METRICS_FILE": "metrics.jsonl"})
            self.assertRegex(done.err, r"is out of range; allowed: a whole number from -?\d+ to \d+", arguments)
        self.assertFalse((self.folder / "metrics.jsonl").exists())
        self.assertEqual([], list(self.folder.glob(".hdrive/*")))

    def test_that_are_none_are_refused(self):
        self.config(QUICK)
        for arguments in (["sample", "hdconfig.yml", "-n", "1e3"], ["sample", "hdconfig.yml", "--seed", "x"]):
            self.assertIn("is no whole number", self.hdrive(*arguments, code=2).err)

    def test_within_range_are_taken_whole(self):
        self.config(QUICK)
        self.assertEqual("", self.hdrive("sample", "hdconfig.yml", "-n", "0").out)
        self.hdrive("sample", "hdconfig.yml", "-n", "1", "--seed", "18446744073709551615")
        self.hdrive("log", "acc", "-1", "--step", "-5", env={"HDRIVE_METRICS_FILE": "metrics.jsonl"})
        self.assertEqual({"name": "acc", "value": -1, "step": -5},
                         json.loads((self.folder / "metrics.jsonl").read_text()))


class Help(HdriveTest):
    def test_fits_the_terminal_but_for_what_is_to_be_copied(self):
        verbs = re.findall(r"(?m)^\.SS hdrive (\S+)", self.hdrive("man").out.replace("\\-", "-"))
        self.assertGreater(len(verbs), 25)
        for width in (60, 80):
            for words in [["--help"]] + [[verb, "--help"] for verb in verbs]:
                text = self.hdrive(*words, env={"COLUMNS": str(width)}).out.partition("\nexamples:")[0]
                self.assertEqual([], [line for line in text.splitlines() if len(line) > width], words)

    def test_names_what_azure_has_beside_a_word_that_is_none(self):
        self.assertIn('"job updat" is no command; of Azure\'s there are job create', self.hdrive("job", "updat", code=2).err)
        self.assertIn('; did you mean "update"?', self.hdrive("job", "updat", code=2).err)
        self.assertIn('"job" alone is no command; of Azure\'s there are job create', self.hdrive("job", code=2).err)

    def test_has_every_exit_code_of_the_documentation(self):
        page = pathlib.Path(ROOT, "docs/cli.md").read_text()
        codes = re.findall(r"(?m)^\| (\d+) \|", page.partition("## Exit codes")[2].partition("##")[0])
        self.assertEqual(codes, re.findall(r"(?m)^  (\d+) ", self.hdrive("--help").out.partition("exit codes:")[2]))


class Samples(HdriveTest):
    def test_are_printed_as_they_are_drawn_until_nobody_reads_them(self):
        self.config(QUICK)
        for form, count in (("table", 200_000), ("json", 2), ("csv", 2)):
            # Far more than any memory holds.
            drawing = self.start("sample", "hdconfig.yml", "-n", "1000000000000", "-f", form)
            for _ in range(count):
                line = drawing.stdout.readline()
            self.assertIn(b"--x 0.", line if form == "table" else drawing.stdout.readline())
            status = pathlib.Path(f"/proc/{drawing.pid}/status").read_text()
            self.assertLess(int(status.partition("VmHWM:")[2].split()[0]), 60_000, "kB, remembering no draw")
            drawing.stdout.close()
            drawing.stdout = None
            drawing.wait(timeout=DEADLINE)

    def test_are_the_same_in_every_form(self):
        self.config(QUICK)
        table = self.hdrive("sample", "hdconfig.yml", "-n", "3").out.splitlines()
        rows = json.loads(self.hdrive("sample", "hdconfig.yml", "-n", "3", "-f", "json").out)
        self.assertEqual(table, [row["command"] for row in rows])
        self.assertEqual([0, 1, 2], [row["number"] for row in rows])
        self.assertEqual([], json.loads(self.hdrive("sample", "hdconfig.yml", "-n", "0", "-f", "json").out))


class Minutes(HdriveTest):
    def test_may_be_fractions_and_are_quoted_as_given(self):
        self.config(ENDLESS, max_duration_minutes=0.03, cancel_grace_seconds=1)
        done = self.hdrive("run", "hdconfig.yml", code=None)
        self.assertIn("max_duration_minutes (0.03) were over", done.out)
        self.assertIn("max_duration_minutes: 0.03\n", self.hdrive("show", "last").out)
        resumed = self.hdrive("resume", "last")
        self.assertIn("(0.03) are used up", resumed.out)
        self.assertIn("--set max_duration_minutes=0.06", resumed.out)


class Reasons(HdriveTest):
    def test_quote_stderr_as_lines_of_their_own(self):
        self.config("echo 'no disk' >&2\necho 'no hope' >&2\nexit 1\n", max_total_runs=9)
        done = self.hdrive("run", "hdconfig.yml", code=3)
        for text in (done.out, self.hdrive("status", "last").out, self.hdrive("show", "last").out):
            self.assertNotIn("\\n", text)
            self.assertRegex(text, r"(?m)^ {11,}no disk\n +no hope$")

    def test_of_a_sweep_without_a_completed_run_say_so(self):
        self.config(ENDLESS, max_total_runs=2, max_run_duration_seconds=0.5, cancel_grace_seconds=1)
        done = self.hdrive("run", "hdconfig.yml", code=3)
        self.assertIn("none completed: 2 ran longer than max_run_duration_seconds", done.out)

    def test_are_not_told_twice(self):
        self.config(ENDLESS)
        sweep = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) == 2, "two runs are alive")
        self.interrupt(sweep)
        self.finish(sweep)
        self.assertRegex(self.hdrive("status", "last").out, r"(?m)^status +Interrupted$")


class Programs(HdriveTest):
    def test_that_path_does_not_have_are_told_before_they_run(self):
        self.config(command=None)
        self.write("t.sh", QUICK)
        for arguments in (["validate", "hdconfig.yml"], ["run", "hdconfig.yml", "--dry-run"]):
            done = self.hdrive(*arguments, "--", "no-such-program", "t.py", code=2)
            self.assertIn('command line: no program "no-such-program" is in PATH', done.err)
            done = self.hdrive(*arguments, "--", "sh t.sh", code=2)
            self.assertIn('no program "sh t.sh" is in PATH; this is one word with blanks', done.err)
            done = self.hdrive(*arguments, "--", "sh", "nowhere.sh", code=2)
            self.assertIn('there is no script "nowhere.sh"', done.err)
            self.assertNotIn("PATH", self.hdrive(*arguments, "--", "sh", "t.sh").err)
        self.assertIn("warning: no program", self.hdrive("sample", "hdconfig.yml", "--", "no-such-program").err)

    def test_find_hdrive_itself(self):
        self.config(command=None)
        done = self.hdrive("validate", "hdconfig.yml", "--", "hdrive", "log", env={"PATH": "/nowhere"})
        self.assertNotIn("PATH", done.err)


class HyperdrivesScript(HdriveTest):
    OPTION = "--hyperdrive-configuration-name"

    def test_gets_what_stands_behind_it_which_is_told_of_our_own_options(self):
        self.write("train.sh", 'echo "$*" >> "$RECORD"\n' + QUICK)
        self.write("sh.runconfig", "environment: {python: {interpreterPath: sh}}\n")
        self.config(command=None, max_total_runs=1)
        done = self.hdrive("run", "-e", "x", self.OPTION, "hdconfig.yml", "sh", "train.sh", "--dry-run",
                           "--seed=3", "--epochs", "2")
        self.assertRegex(done.err, r'warning: to the script "sh" goes all that follows it, here --dry-run, --seed, too')
        self.assertRegex(self.record()[0], r"^--dry-run --seed=3 --epochs 2 --x 0\.\d+$")
        done = self.hdrive("run", self.OPTION, "hdconfig.yml", "--dry-run", "sh", "train.sh", "--epochs", "2")
        self.assertNotIn("warning", done.err)

    def test_is_told_from_the_values_of_all_options_before_it(self):
        self.write("train.sh", QUICK)
        self.config(command=None, max_total_runs=1)
        self.hdrive("run", self.OPTION, "hdconfig.yml", "--output-dir", "here", "sh", "train.sh")
        self.assertEqual(1, len(list((self.folder / "here").glob("HD_*"))))

    def test_configurations_are_looked_up_in_the_folders_of_path(self):
        self.write("code/train.sh", QUICK)
        self.config(command=None, max_total_runs=1, name="code/.azureml/hd.yml")
        self.write("code/aml_config/sh.runconfig", "script: train.sh\nenvironment: {python: {interpreterPath: sh}}\n")
        self.hdrive("run", "--path", "code", "-c", "sh", self.OPTION, "hd.yml")
        done = self.hdrive("run", "--path", "code", "-c", "s", self.OPTION, "hd.yml", code=2)
        self.assertIn('there is no run configuration "s"', done.err)

    def test_faults_are_summed_up_under_the_file_that_has_them(self):
        self.config(command=None)
        self.write("bad.runconfig", "script: [train.sh]\n")
        done = self.hdrive("run", "-c", "bad", self.OPTION, "hdconfig.yml", code=2)
        self.assertRegex(done.err.splitlines()[-1], r"^hdrive: (hdconfig\.yml, )?bad\.runconfig: \d errors?; nothing")


class Settings(HdriveTest):
    def test_of_an_unknown_parameter_name_the_nearest(self):
        self.config(QUICK)
        done = self.hdrive("validate", "hdconfig.yml", "--set", "sampling.parameter_space.xx.values=[0, 2]", code=2)
        self.assertIn('did you mean "x"?', done.err)

    def test_that_make_a_stored_sweep_wrong_are_named_themselves(self):
        self.config(QUICK, command=["sh", "-c", "sh train.sh"])
        self.hdrive("run", "hdconfig.yml")
        done = self.hdrive("resume", "last", "--set", "policy.type=bandit", code=2)
        self.assertRegex(done.err, r"(?m)^hdrive: --set policy\.type: bandit has neither")
        self.assertNotIn("HD_", done.err)

    def test_stored_with_a_sweep_are_not_warned_of_again(self):
        self.config(QUICK, command=["sh", "-c", "sh train.sh"])
        self.assertIn("the command ignores the values", self.hdrive("run", "hdconfig.yml").err)
        self.assertEqual("", self.hdrive("resume", "last").err)

    def test_what_azure_would_refuse_is_told_with_its_place(self):
        self.write("az.yml", self.config(QUICK, max_total_runs=2000).read_text())
        line = next(i for i, text in enumerate((self.folder / "az.yml").read_text().splitlines(), 1)
                    if "max_total_runs" in text)
        done = self.hdrive("validate", "--azure", "az.yml", "--set", "max_concurrent_runs=200")
        self.assertIn(f"az.yml:{line}:2: warning: Azure: max_total_runs is 2000; allowed: 1 to 1000\n", done.err)
        self.assertIn("--set max_concurrent_runs: warning: Azure: max_concurrent_runs is 200", done.err)


class Looking(HdriveTest):
    def test_at_a_sweep_that_runs_counts_the_time_its_runs_take(self):
        self.config(ENDLESS)
        sweep = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) == 2, "two runs are alive")
        until(lambda: json.loads(self.hdrive("status", "-f", "json").out)["compute_seconds"] > 0.1, "compute counts")
        self.assertIn("compute", self.hdrive("status").out)
        self.interrupt(sweep)
        self.finish(sweep)

    def test_at_a_run_counts_what_is_no_number(self):
        self.config(METRIC + "metric loss NaN\nmetric loss 0.5\nmetric loss Infinity\nmetric other 1\n",
                    max_total_runs=1)
        self.hdrive("run", "hdconfig.yml")
        shown = self.hdrive("show", "last/0").out
        self.assertRegex(shown, r"(?m)^METRIC +COUNT +NOT FINITE +LAST +LEAST +GREATEST$")
        self.assertRegex(shown, r"(?m)^loss +3 +2 ")
        metrics = json.loads(self.hdrive("show", "last/0", "-f", "json").out)["metrics"]
        self.assertEqual([2, 0], [metrics[name]["not_finite"] for name in ("loss", "other")])

    def test_takes_a_directorys_name_with_its_slash(self):
        self.config(QUICK)
        self.hdrive("run", "hdconfig.yml")
        name = self.sweep_directory().name
        for selector in (name + "/", name[:11] + "/", f".hdrive/{name}/"):
            self.assertIn(name, self.hdrive("status", selector).out)
        self.assertIn(name + "_0", self.hdrive("show", f"{name}/0/").out)

    def test_at_a_log_begins_anew_when_another_attempt_replaces_it(self):
        self.config(ENDLESS.replace("exec sleep", "echo first\nexec sleep"), max_total_runs=1)
        sweep = self.start("run", "hdconfig.yml")
        log = until(lambda: next((path for path in self.folder.glob(".hdrive/*/runs/0/stdout.log")
                                  if path.read_text()), None), "the run has printed")
        following = self.start("logs", "last/0", "-f")
        self.assertEqual(b"first\n", following.stdout.readline())
        self.write("later", "second, and longer than the first\n")
        os.rename(self.folder / "later", log)
        self.assertEqual(b"second, and longer than the first\n", following.stdout.readline())
        log.write_text("third\n")
        self.assertEqual(b"third\n", following.stdout.readline())
        self.interrupt(sweep)
        self.finish(sweep)
        self.assertEqual(0, self.finish(following).code)


if __name__ == "__main__":
    unittest.main()
