#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The portal's API as programs use it: each address answers as its schema says; models, sizes and tables."""

import csv
import io
import json
import re

import support
from support import METRIC, QUICK, until
from ui_support import Portal

# Bends with x and lr, by parameters that only one optimizer has; stopped by the median rule where it is bad.
TRAINED = METRIC + '''
value() { awk -v x="$x" -v lr="$lr" -v n="$1" 'BEGIN { print (x - 0.3) ^ 2 + lr + 1 / n }'; }
x=0 lr=0.5
while [ $# -gt 0 ]; do case $1 in --x) x=$2;; --lr) lr=$2;; esac; shift 2; done
for n in 1 2 3 4; do metric loss "$(value $n)"; done
mkdir -p outputs; echo hello > outputs/a.txt
'''
SPACE = [{"name": "--x", "expression": "uniform", "values": [0, 1]},
         {"name": "--optimizer", "expression": "choice", "values": [
             {"value": "sgd", "parameters": [{"name": "--lr", "expression": "log_uniform_values", "values": [0.001, 1]}]}, "adam"]}]


def faults(answer, schema, schemas, at="answer"):
    """What is wrong with the answer by the JSON Schema, as far as the document uses it; members it does not name are, too."""
    if "$ref" in schema:
        return faults(answer, schemas[schema["$ref"].rpartition("/")[2]], schemas, at)
    if "anyOf" in schema:
        tried = [faults(answer, each, schemas, at) for each in schema["anyOf"]]
        return min(tried, key=len)
    if "enum" in schema:
        return [] if answer in schema["enum"] else [f"{at}: {answer!r} is none of {schema['enum']}"]
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int, "number": (int, float)}
    kind = schema.get("type")
    if kind and (not isinstance(answer, kinds[kind]) or (isinstance(answer, bool) and kind in ("integer", "number"))):
        return [f"{at}: {answer!r} is no {kind}"]
    found = []
    if schema.get("format") == "date-time" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", answer):
        found.append(f"{at}: {answer!r} is no moment")
    if isinstance(answer, list) and "items" in schema:
        for i, each in enumerate(answer):
            found += faults(each, schema["items"], schemas, f"{at}[{i}]")
    if isinstance(answer, dict):
        known = schema.get("properties", {})
        found += [f"{at}: {name} is missing" for name in schema.get("required", []) if name not in answer]
        for name, value in answer.items():
            if name in known:
                found += faults(value, known[name], schemas, f"{at}.{name}")
            elif "additionalProperties" in schema:
                found += faults(value, schema["additionalProperties"], schemas, f"{at}.{name}")
            elif known:
                found.append(f"{at}: {name} is not described")
    return found


class Api(Portal):
    def check(self, document, path, operation, answer, data):
        content = document["paths"][path][operation]["responses"]["200"]["content"]
        kind = "*/*" if "*/*" in content else answer.getheader("Content-Type").partition(";")[0]
        self.assertIn(kind, content, path)
        if kind == "application/json":
            self.assertEqual([], faults(json.loads(data), content[kind]["schema"], document["components"]["schemas"]), path)

    def test_every_address_answers_by_its_schema(self):
        # Twelve runs of a model, stopped ones among them; ten make an importance.
        self.config(TRAINED, max_total_runs=14, max_concurrent_runs=2, tags={"a": "b"},
                    sampling={"type": "bayesian", "parameter_space": SPACE, "initial_points": 4},
                    policy={"type": "MedianStoppingPolicy", "delay_evaluation": 2})
        self.hdrive("run", "--name", "modelled")
        self.config("exit 3\n", max_total_runs=1)
        self.hdrive("run", "--name", "failed", code=None)
        self.write("targets.yml", "targets:\n  cluster: {type: slurm, slots: 7}\n")
        self.serve()
        document = json.loads(self.ask("GET", "/openapi.json")[1])
        self.assertNotIn("post", document["paths"].get("/api/v1/sweeps", {}))
        # The list has each sweep's size as soon as it is measured.
        until(lambda: all(each["size_bytes"] for each in self.get("sweeps")["sweeps"]), "the sweeps are measured")
        asked = set()
        for sweep in self.get("sweeps")["sweeps"]:
            for path, operations in document["paths"].items():
                if "get" not in operations or path.endswith("/events"):
                    continue
                modelled = sweep["name"] == "modelled"
                query = {"file": "?path=outputs/a.txt", "series": "?runs=0"}.get(path.rpartition("/")[2], "")
                answer, data = self.ask("GET", path.format(sweep=sweep["id"], run=0) + query)
                # One run tells not what mattered, and wrote no file.
                missing = not modelled and path.endswith(("/importance", "/file"))
                self.assertEqual((404 if path.endswith("/file") else 409) if missing else 200, answer.status, (path, data))
                if missing:
                    self.assertEqual([], faults(json.loads(data), {"$ref": "Error"}, document["components"]["schemas"]), path)
                else:
                    self.check(document, path, "get", answer, data)
                asked.add(path)
            for run in range(sweep["runs"]):
                self.check(document, "/api/v1/sweeps/{sweep}/runs/{run}", "get", *self.ask("GET", f"/api/v1/sweeps/{sweep['id']}/runs/{run}"))
        self.assertGreater(len(asked), 16)
        config, folder = (self.folder / "hdconfig.yml").read_text(), str(self.folder)
        for path, body in (("validate", {"config": config, "folder": folder}), ("validate", {"config": "x: 1", "folder": folder}),
                           ("preview", {"config": config, "folder": folder}), ("commands", {"arguments": ["stop", "modelled"]})):
            self.check(document, f"/api/v1/{path}", "post", *self.ask("POST", f"/api/v1/{path}", body))

    def test_the_model_is_told_along_each_parameter_and_where_there_is_none_why(self):
        self.config(TRAINED, max_total_runs=14, sampling={"type": "bayesian", "parameter_space": SPACE, "initial_points": 4})
        self.hdrive("run", "--name", "modelled")
        self.config(QUICK, max_total_runs=2)
        self.hdrive("run", "--name", "plain")
        self.serve()
        ids = {each["name"]: each["id"] for each in self.get("sweeps")["sweeps"]}
        model = self.get(f"sweeps/{ids['modelled']}/model")
        self.assertEqual((None, 14), (model["why"], model["results"]))
        self.assertEqual(["x", "optimizer", "lr"], [each["name"] for each in model["parameters"]])
        x = model["parameters"][0]
        self.assertEqual((0, 1, 61), (x["values"][0], x["values"][-1], len(x["values"])))
        for low, mean, high in zip(x["low"], x["mean"], x["high"]):
            self.assertTrue(low <= mean <= high)
        self.assertEqual(["sgd", "adam"], model["parameters"][1]["values"])
        # From the cache it is the same.
        self.assertEqual(model, self.get(f"sweeps/{ids['modelled']}/model"))
        self.assertIn("random has no model", self.get(f"sweeps/{ids['plain']}/model")["why"])

    def test_runs_and_values_are_tables_with_the_filters_of_the_rows(self):
        self.config(TRAINED, max_total_runs=4, sampling={"type": "random", "parameter_space": SPACE})
        self.hdrive("run")
        self.serve()
        sweep = self.get("sweeps")["sweeps"][0]["id"]

        def table(path, **headers):
            answer, data = self.ask("GET", f"/api/v1/sweeps/{sweep}/{path}", headers=headers)
            self.assertEqual((200, "text/csv; charset=utf-8"), (answer.status, answer.getheader("Content-Type")), data)
            return list(csv.DictReader(io.StringIO(data.decode())))
        rows = self.get(f"sweeps/{sweep}/runs?order=-best&status=completed")["runs"]
        for told in (table("runs?order=-best&status=completed&format=csv"), table("runs?order=-best&status=completed", Accept="text/csv")):
            self.assertEqual([str(row["number"]) for row in rows], [row["number"] for row in told])
            self.assertEqual([row["created"] for row in rows], [row["created"] for row in told])
            self.assertEqual([row["hyperparameters"].get("--lr", "") for row in rows], [float(row["lr"]) if row["lr"] else "" for row in told])
        values = table("series?format=csv&order=-best&limit=2")
        self.assertEqual([str(rows[0]["number"])] * 4 + [str(rows[1]["number"])] * 4, [row["run"] for row in values])
        self.assertEqual(["0", "1", "2", "3"] * 2, [row["place"] for row in values])
        self.assertEqual(4 * 4, len(table("series?format=csv")))
        self.assertEqual(2, len(table("series?format=csv&runs=1&from=2")))
        self.assertIn("json, csv, arrow", self.get(f"sweeps/{sweep}/runs?format=xml", 400)["error"]["message"])


if __name__ == "__main__":
    support.main_at_once()
