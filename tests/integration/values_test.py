# SPDX-License-Identifier: Apache-2.0
"""What values become on their way to a script, and where a configuration may come from."""

import json
import random
import struct
import subprocess
import unittest

from support import QUICK, HdriveTest

def grid(*values):
    return {"type": "grid", "parameter_space": [{"name": "x", "expression": "choice", "values": list(values)}]}


class Numbers(HdriveTest):
    def test_reach_scripts_as_python_prints_them(self):
        numbers = random.Random(7)
        values = [struct.unpack("<d", struct.pack("<Q", numbers.getrandbits(64)))[0] for _ in range(3000)]
        values += [digits * 10.0 ** power for power in range(-12, 22)
                   for digits in (1, 1.5, 9.999999999999999, 1.2345678901234567, -7)]
        values += [0.0, 2.0, 1e-4, 1e-5, 1e15, 1e16, 2.0 ** 53, 2.0 ** 54 + 4, 5e-324, 1.7976931348623157e308]
        values = sorted({value for value in values if value == value and abs(value) != float("inf")})
        # In a spelling that is not Python's, and never an integer's.
        text = [format(value, ".17e") for value in values]
        self.write("hdconfig.yml", "sampling:\n  type: grid\n  parameter_space:\n"
                   f"  - {{name: x, expression: choice, values: [{', '.join(text)}]}}\n"
                   "primary_metric_name: loss\nprimary_metric_goal: Minimize\n")
        lines = self.hdrive("sample", "-n", str(len(values))).out.splitlines()
        self.assertEqual([f"--x {value!r}" for value in values], lines)

    def test_are_the_same_on_the_command_line_in_the_environment_and_in_json(self):
        self.config('echo "$2 $AZUREML_SWEEP_x $HDRIVE_PARAMETERS" >> "$RECORD"\n' + QUICK, max_total_runs=None,
                    max_concurrent_runs=1, command="sh train.sh", sampling=grid(0.0001, 1000000.0, 2.0, 3, [0.0001, 1e6]))
        run = self.hdrive("run")
        self.assertEqual(['0.0001 0.0001 {"x":0.0001}', '1000000.0 1000000.0 {"x":1000000.0}', '2.0 2.0 {"x":2.0}',
                          '3 3 {"x":3}', '[0.0001,1000000.0] [0.0001,1000000.0] {"x":[0.0001,1000000.0]}'],
                         self.record())
        self.assertIn("x=0.0001", run.out + run.err)
        self.assertNotIn("1e+06", run.all)
        self.assertIn('"x": 1000000.0', json.dumps(json.loads(self.hdrive("export", "-f", "json").out)))


    def test_that_are_too_many_for_a_variable_leave_it_out(self):
        space = [{"name": f"p{number:04}", "expression": "choice", "values": ["a" * 40, "b" * 40]}
                 for number in range(3000)]
        self.config('echo "${HDRIVE_PARAMETERS-left out} $AZUREML_SWEEP_p2999" >> "$RECORD"\n' + QUICK,
                    command="sh train.sh", append_parameters=False, max_total_runs=1,
                    sampling={"type": "random", "parameter_space": space})
        done = self.hdrive("run", "--quiet")
        self.assertRegex(self.record()[0], "^left out (a{40}|b{40})$")
        self.assertEqual(1, done.err.count("HDRIVE_PARAMETERS is left out"))
        self.assertEqual(1, done.err.count("ignores the values drawn for 3000 parameters"))


class OptionsThatAreNoNumber(HdriveTest):
    def test_are_tried_once_by_every_sampler(self):
        for sampler in [row["name"] for row in self.algorithms("sampling")]:
            with self.subTest(sampler):
                self.write("nan.yml", f"""
sampling:
  type: {sampler}
  parameter_space:
  - {{name: x, expression: choice, values: [0, .nan, 1]}}
primary_metric_name: m
primary_metric_goal: Maximize
max_total_runs: 8
max_concurrent_runs: 1
seed: 1
command: [sh, -c, 'echo "$2" >> "$RECORD"; hdrive log m 1', sh]
""")
                self.record_file.write_text("")
                self.hdrive("run", "nan.yml", "--quiet")
                self.assertEqual(["0", "1", "nan"], sorted(self.record()))


class Piped(HdriveTest):
    def piped(self, text, *arguments, code=0):
        """Calls hdrive with the text on its standard input, through a pipe."""
        with subprocess.Popen(["cat", self.write("input", text)], stdout=subprocess.PIPE) as cat:
            return self.hdrive(*arguments, code=code, stdin=cat.stdout)


class Configurations(Piped):
    def test_from_a_pipe_belong_to_the_working_directory(self):
        self.write("train.sh", QUICK)
        text = self.config(command="sh train.sh", max_total_runs=1, name="elsewhere.yml").read_text()
        for name in ("-", "/dev/stdin"):
            with self.subTest(name):
                self.assertIn("ok, 1 parameter, 1 run", self.piped(text, "validate", name).out)
                said = self.piped("max_total_runs: [", "validate", name, code=2).err
                self.assertIn("standard input:1:" if name == "-" else "/dev/stdin:1:", said)
                self.piped(text, "run", name, "--quiet")
        for config in self.folder.glob(".hdrive/*/sweep.json"):
            self.assertIn(f"source_directory: {json.dumps(str(self.folder))}", json.loads(config.read_text())["config"])

    def test_are_taken_from_the_usual_file_where_none_is_named(self):
        self.assertIn("hdrive init", self.hdrive("validate", code=2).err)
        self.config(QUICK)
        self.assertIn("hdconfig.yml: ok", self.hdrive("validate").out)
        self.assertEqual(3, len(self.hdrive("sample", "-n", "3").out.splitlines()))

    def test_tell_the_combinations_of_a_grid(self):
        self.config(QUICK, max_total_runs=None, sampling=grid(1, 2, 3))
        self.assertIn("1 parameter, 3 combinations, 3 runs", self.hdrive("validate").out)
        done = self.hdrive("validate", "--set", "max_total_runs=2")
        self.assertIn("the grid has 3 combinations, and only the first 2", done.err)

    def test_miss_a_source_directory_in_validate_as_in_run(self):
        self.config(QUICK)
        for verb in ("validate", "run"):
            done = self.hdrive(verb, "hdconfig.yml", "--set", "source_directory=nowhere", code=2)
            self.assertIn('"source_directory" is "nowhere"', done.err)

    def test_without_a_command_are_told_so(self):
        self.config(command=None)
        self.assertIn("no command to train with yet", self.hdrive("validate").err)


class Beginnings(Piped):
    SCRIPT = """
import argparse
p = argparse.ArgumentParser()
p.add_argument("--lr", type=float, default=1e-3)
p.add_argument("--batch_size", type=int, default=64 * 2)
p.add_argument("--dropout", type=float, default=0.1)
p.add_argument("--optimizer", choices=["sgd", "adam", "no"])
p.add_argument("--epochs", type=int, default=10)
p.add_argument("--amp", action="store_true")
p.add_argument("--data-dir", required=True)
open("it-was-run", "w")
run.log("train_loss", 1); run.log("val_acc", 1)
"""

    def test_are_made_from_a_script_that_is_not_run(self):
        self.write("train.py", self.SCRIPT)
        done = self.hdrive("init", "train.py")
        self.assertIn("4 parameters of train.py, 3 left out", done.out)
        self.assertFalse((self.folder / "it-was-run").exists())
        text = (self.folder / "hdconfig.yml").read_text()
        for line in ("values: [0.0001, 0.01]", "expression: int_log_uniform", 'values: [sgd, adam, "no"]',
                     "primary_metric_name: val_acc", "primary_metric_goal: Maximize", '- "--data-dir"',
                     "#   --amp is a switch"):
            self.assertIn(line, text)
        checked = self.hdrive("validate")
        self.assertIn("hdconfig.yml: ok, 4 parameters, 20 runs", checked.out)
        self.assertRegex(checked.err, r'hdconfig.yml:\d+:3: warning: the command still has "TODO_')
        self.assertIn("exists", self.hdrive("init", "train.py", code=1).err)
        self.assertEqual(text, (self.folder / "hdconfig.yml").read_text())

    def test_are_valid_whatever_the_script_is(self):
        scripts = {"nothing.py": "", "odd.py": "p.add_argument()\np.add_argument('-x', default=f())\n"
                   "p.add_argument('--y', default=1e999, type=float)\np.add_argument('--n', type=int, default=-3)\n"
                   "p.add_argument('--z', default=0.0, type=float)\np.add_argument('--é', default=3.5, type=float)\n"}
        for name, text in scripts.items():
            self.write(name, text)
            printed = self.hdrive("init", name, "-o", "-").out
            self.assertIn("ok", self.piped(printed, "validate", "-").out)
        self.assertIn("int_uniform\n    values: [-6, 6]", printed)
        example = self.hdrive("init", "-o", "-").out
        self.assertIn("ok, 3 parameters", self.piped(example, "validate", "-", "--", "true").out)

    def test_take_defaults_as_argparse_does(self):
        defaults = {  # the default, its type: what comes of it
            ('"0.2"', "float"): "expression: log_uniform_values", ('"3"', "int"): "values: [1, 6]",
            ('" 1e-3 "', "float"): "values: [0.0001, 0.01]", ("4", "float"): "values: [0.4, 40.0]",
            ('"auto"', "float"): "no number", ('"3.0"', "int"): "no number", ("(1, 2)", "int"): "no number",
            ("[0.1]", "float"): "no number", ("True", "int"): "no number", ("1j", "float"): "no number",
            ('b"1"', "float"): "no number", ("10 ** 5", "int"): "values: [25000, 400000]",
            ("64 ** 64", "int"): "too large", ("10 ** 40", "float"): "expression: log_uniform_values",
            ("9" * 400, "float"): "too large", ("1e308", "float"): "too large", ("-1e308", "float"): "too large",
            ("1e300", "float"): "expression: log_uniform_values", ("1e-320", "float"): "too near to 0",
            ('"inf"', "float"): "no default to draw", ("range(10 ** 30)", "int"): "no default to draw",
            ("range(10 ** 12)", "int"): "no default to draw", ("list(5)", "int"): "no default to draw"}
        for (default, kind), expected in defaults.items():
            with self.subTest(default=default[:20], type=kind):
                self.write("one.py", f"p.add_argument('--lr', type={kind}, default={default})\n")
                printed = self.hdrive("init", "one.py", "-o", "-").out
                self.assertIn(expected, printed.replace("\n    values", " values"))
                self.assertIn("ok", self.piped(printed, "validate", "-").out)

    def test_leave_out_choices_that_no_configuration_has(self):
        for choices in ("[1j, 2j]", "[None, 'a']", "[True, False]", "[(1, 2), (3, 4)]", "[b'a', b'b']", "[1, 1]",
                        "[float('nan'), 1]", "range(10 ** 30)", "[1e999, 1]", "[10 ** 30, 1]", "{'a': 1}", "5", "[[1], [2]]"):
            with self.subTest(choices=choices):
                self.write("one.py", f"p.add_argument('--kind', choices={choices})\n")
                printed = self.hdrive("init", "one.py", "-o", "-").out
                self.assertIn("#   --kind", printed)
                self.assertIn("ok", self.piped(printed, "validate", "-").out)

    def test_of_what_is_no_python_are_refused(self):
        self.write("broken.py", "def f(:\n")
        self.assertIn("broken.py:1: is no Python", self.hdrive("init", "broken.py", code=2).err)
        self.assertIn("nowhere.py", self.hdrive("init", "nowhere.py", code=2).err)

    def test_of_editors_get_a_schema(self):
        schema = json.loads(self.hdrive("config-reference", "--schema").out)
        self.assertIn("max_total_runs", schema["properties"])
        self.assertIn("int_uniform", schema["definitions"]["parameter"]["properties"]["expression"]["anyOf"][0]["enum"])
        self.assertEqual(["primary_metric_goal", "primary_metric_name", "sampling"], sorted(schema["required"]))


if __name__ == "__main__":
    unittest.main()
