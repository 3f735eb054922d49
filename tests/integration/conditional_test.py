# SPDX-License-Identifier: Apache-2.0
"""A space whose options have parameters of their own, from the file to the script and back out again."""

import csv
import io
import json
import subprocess
import unittest

from support import BINARY, DEADLINE, HdriveTest

SPACE = [
    {"name": "optimizer", "expression": "choice", "values": [
        {"value": "sgd", "parameters": [
            {"name": "momentum", "expression": "uniform", "values": [0, 1]},
            {"name": "lr", "expression": "uniform", "values": [0, 1]}]},
        {"value": "adam", "parameters": [
            {"name": "lr", "expression": "uniform", "values": [2, 3]},
            {"name": "amsgrad", "expression": "choice", "values": [
                {"value": True, "parameters": [{"name": "eps", "expression": "uniform", "values": [0, 1]}]},
                False]}]},
        "lion"]},
    {"name": "size", "expression": "choice", "values": [1, 2, 4]},
]

# Says what it was given, and takes the size for its loss.
SCRIPT = """echo "$HDRIVE_RUN_NUMBER|$*|${AZUREML_SWEEP_momentum-none}|${AZUREML_SWEEP_eps-none}|$HDRIVE_PARAMETERS" >> "$RECORD"
hdrive log loss "$AZUREML_SWEEP_size"
"""


def exist(parameters):
    """The names a set must have, by its own values."""
    names = ["optimizer"]
    if parameters["optimizer"] == "sgd":
        names += ["momentum", "lr"]
    if parameters["optimizer"] == "adam":
        names += ["lr", "amsgrad"] + (["eps"] if parameters["amsgrad"] else [])
    return names + ["size"]


class Conditional(HdriveTest):
    def space(self, script=SCRIPT, sampler="random", space=SPACE, **keys):
        return self.config(script, sampling={"type": sampler, "parameter_space": space}, **keys)

    def test_a_run_gets_what_exists_and_nothing_else(self):
        self.space(max_total_runs=12)
        self.hdrive("run", "hdconfig.yml")
        seen = set()
        for line in self.record():
            _, arguments, momentum, eps, text = line.split("|", 4)
            parameters = json.loads(text)
            self.assertEqual(exist(parameters), list(parameters))
            self.assertEqual(["--" + name for name in parameters], arguments.split()[::2])
            self.assertEqual("momentum" in parameters, momentum != "none")
            self.assertEqual("eps" in parameters, eps != "none")
            seen.add(tuple(parameters))
        self.assertGreater(len(seen), 2)

        runs = json.loads(self.hdrive("export", "last", "--format", "json").out)
        table = list(csv.DictReader(io.StringIO(self.hdrive("export", "last", "--format", "csv").out)))
        for run, row in zip(runs, table):
            for name in ("optimizer", "momentum", "lr", "amsgrad", "eps", "size"):
                self.assertEqual(name not in run["hyperparameters"], row.get(name, "") == "", (name, row))

    def test_every_sampler_takes_it_and_a_resumed_sweep_goes_on(self):
        samplers = [row["name"] for row in self.algorithms("sampling") if row["name"] != "grid"]
        self.assertGreater(len(samplers), 6)
        for sampler in samplers:
            with self.subTest(sampler):
                self.space(sampler=sampler, max_total_runs=14, max_concurrent_runs=1)
                self.hdrive("run", "hdconfig.yml")
                whole = [run["hyperparameters"] for run in self.runs()]
                self.space(sampler=sampler, max_total_runs=14, max_concurrent_runs=1)
                self.hdrive("run", "hdconfig.yml", "--set", "max_total_runs=12")
                self.hdrive("resume", "last", "--set", "max_total_runs=14")
                parts = [run["hyperparameters"] for run in self.runs()]
                for parameters in whole + parts:
                    self.assertEqual(exist(parameters), list(parameters))
                # The designs of these do not depend on the budget.
                if sampler in ("random", "sobol", "cmaes"):
                    self.assertEqual(whole, parts)
                self.hdrive("show", "last")

    def test_a_grid_tries_each_different_set_once(self):
        space = json.loads(json.dumps(SPACE))
        space[0]["values"][0]["parameters"] = [{"name": "nesterov", "expression": "choice", "values": [True, False]}]
        space[0]["values"][1]["parameters"] = []
        self.space(sampler="grid", space=space, max_total_runs=100)
        self.hdrive("run", "hdconfig.yml")
        sets = [json.dumps(run["hyperparameters"]) for run in self.runs()]
        self.assertEqual(3 * (2 + 1 + 1), len(sets))
        self.assertEqual(len(sets), len(set(sets)))

    def test_points_of_ones_own(self):
        self.space(max_total_runs=2, start_points=[{"eps": 0.5, "size": 2}, {"optimizer": "lion"}])
        self.hdrive("run", "hdconfig.yml")
        first, second = (run["hyperparameters"] for run in self.runs())
        self.assertEqual(["adam", True, 0.5, 2], [first[name] for name in ("optimizer", "amsgrad", "eps", "size")])
        self.assertEqual(["optimizer", "size"], list(second))
        self.hdrive("update", "last", "--set", "max_total_runs=4")
        self.hdrive("enqueue", "last", "momentum=0.25")
        for values, said in ((["optimizer=sgd", "eps=0.1"], '"eps": exists only where "optimizer" is "adam" and'),
                             (["lr=0.5"], '"lr": belongs to several options ("optimizer" is "sgd", or "optimizer" is "adam")'),
                             (["optimizer=adam", "lr=0.5"], "0.5 is not a value of uniform(2, 3)")):
            self.assertIn(said, self.hdrive("enqueue", "last", *values, code=2).err)
        self.hdrive("resume", "last")
        third = self.runs()[2]["hyperparameters"]
        self.assertEqual(("sgd", 0.25), (third["optimizer"], third["momentum"]))

    def test_a_placed_value_that_does_not_exist_takes_its_option_along(self):
        self.space(command="sh train.sh --opt ${{search_space.optimizer}} --m ${{search_space.momentum}} "
                           "--eps=${{search_space.eps}} end", max_total_runs=12)
        self.hdrive("run", "hdconfig.yml")
        for line in self.record():
            _, arguments, momentum, eps, text = line.split("|", 4)
            optimizer = json.loads(text)["optimizer"]
            words = ["--opt", optimizer] + (["--m", momentum] if momentum != "none" else [])
            words += ([f"--eps={eps}"] if eps != "none" else []) + ["end"]
            self.assertEqual(words, arguments.split())

    def test_sample_and_validate_know_them(self):
        path = self.space()
        self.assertIn("7 parameters, 5 of them conditional", self.hdrive("validate", path).out)
        rows = list(csv.DictReader(io.StringIO(self.hdrive("sample", path, "-n", "20", "--format", "csv").out)))
        self.assertEqual(20, len(rows))
        names = ("optimizer", "momentum", "lr", "amsgrad", "eps", "size")
        self.assertEqual(list(names), list(rows[0])[1:7])
        for row in rows:
            self.assertEqual(row["optimizer"] != "sgd", row["momentum"] == "")
            self.assertEqual("--momentum" in row["command"], row["momentum"] != "")
        self.assertIn("hdconfig.yml has no options with parameters", self.hdrive("validate", "--azure", path).err)

    def test_a_session_and_what_it_learned(self):
        self.space(command=None, max_total_runs=40)
        process = subprocess.Popen([str(BINARY), "session", "hdconfig.yml"], cwd=self.folder,
                                   env=self.environment, text=True, bufsize=1, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.started.append(process)

        def call(**request):
            print(json.dumps(request), file=process.stdin, flush=True)
            return json.loads(process.stdout.readline())

        while "run" in (asked := call(op="ask")):
            parameters = asked["parameters"]
            self.assertEqual(exist(parameters), list(parameters))
            value = {"sgd": 2, "adam": 0, "lion": 1}[parameters["optimizer"]] + parameters["size"] / 10
            self.assertEqual({"ok": True}, call(op="tell", run=asked["run"], value=value))
        process.communicate(timeout=DEADLINE)
        shown = json.loads(self.hdrive("show", "last", "--importance", "--format", "json").out)
        self.assertEqual({"optimizer", "momentum", "lr (optimizer sgd)", "lr (optimizer adam)", "amsgrad", "eps",
                          "size"}, {one["parameter"] for one in shown})
        self.assertEqual("optimizer", shown[0]["parameter"])
        self.assertIn("lr (optimizer adam)", self.hdrive("show", "last", "--model").out)


if __name__ == "__main__":
    unittest.main()
