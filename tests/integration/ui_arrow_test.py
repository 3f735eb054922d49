#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables of the portal's API as Arrow, judged by pyarrow.

scripts/test installs the package pyarrow from PyPI into build/venv-pyarrow; without it all of this is skipped.
"""

import datetime
import os
import subprocess
import sys

from support import METRIC, ROOT
from ui_support import Portal

PYTHON = ROOT / "build" / "venv-pyarrow" / "bin" / "python"
TYPE = "application/vnd.apache.arrow.stream"


class Arrow(Portal):
    def table(self, sweep, path, headers=None):
        import pyarrow.ipc
        answer, data = self.ask("GET", f"/api/v1/sweeps/{sweep}/{path}", headers=headers)
        self.assertEqual((200, TYPE), (answer.status, answer.getheader("Content-Type")), data)
        table = pyarrow.ipc.open_stream(data).read_all()
        table.validate(full=True)
        return table

    def sweep(self):
        space = [{"name": "--x", "expression": "uniform", "values": [0, 1]},
                 {"name": "--layers", "expression": "int_uniform", "values": [1, 4]},
                 {"name": "--opt", "expression": "choice", "values": [
                     {"value": "sgd", "parameters": [{"name": "--momentum", "expression": "uniform", "values": [0, 1]}]}, "adam", "été"]},
                 {"name": "--deep", "expression": "choice", "values": [True, False]},
                 {"name": "--shape", "expression": "choice", "values": [[64, 64], "flat", 8]}]
        self.config(METRIC + "metric loss 0.5; metric loss 0.25; metric odd nan; [ $HDRIVE_RUN_NUMBER != 3 ] || exit 7\n", max_total_runs=12,
                    sampling={"type": "random", "parameter_space": space})
        self.hdrive("run", code=None)
        self.serve()
        return self.get("sweeps")["sweeps"][0]["id"]

    def test_runs_have_the_types_and_values_of_their_rows(self):
        sweep = self.sweep()
        rows = self.get(f"sweeps/{sweep}/runs")["runs"]
        for table in (self.table(sweep, "runs?format=arrow"), self.table(sweep, "runs", {"Accept": TYPE})):
            types = {field.name: str(field.type) for field in table.schema}
            self.assertEqual(("int64", "large_string", "double", "timestamp[us, tz=UTC]"),
                             tuple(types[name] for name in ("number", "status", "best_primary_metric", "created")))
            self.assertEqual(("double", "int64", "large_string", "bool", "large_string", "double", "double"),
                             tuple(types[name] for name in ("x", "layers", "opt", "deep", "shape", "momentum", "metrics.loss")))
            told = table.to_pylist()
            self.assertEqual(len(rows), len(told))
            for row, one in zip(rows, told):
                drawn = row["hyperparameters"]
                self.assertEqual((row["number"], row["run_id"], row["status"], row["exit_code"], row["reason"]),
                                 (one["number"], one["run_id"], one["status"], one["exit_code"], one["reason"]))
                self.assertEqual((drawn["--x"], drawn["--layers"], drawn["--opt"], drawn["--deep"], drawn.get("--momentum")),
                                 (one["x"], one["layers"], one["opt"], one["deep"], one["momentum"]))
                self.assertIn(one["shape"], ("[64,64]", '"flat"', "8"))
                moment = datetime.datetime.fromisoformat(row["started"].replace("Z", "+00:00"))
                self.assertEqual(moment, one["started"].replace(tzinfo=datetime.timezone.utc))
                self.assertEqual((0.25, 0.25), (one["best_primary_metric"], one["metrics.loss"]))
                self.assertNotEqual(one["metrics.odd"], one["metrics.odd"])
        self.assertEqual({7, 0}, {one["exit_code"] for one in told})

    def test_filters_and_values_are_those_of_the_other_forms(self):
        sweep = self.sweep()
        failed = self.table(sweep, "runs?status=failed&format=arrow")
        self.assertEqual([3], failed["number"].to_pylist())
        none = self.table(sweep, "runs?text=nothing-has-this&format=arrow")
        self.assertEqual((0, "double"), (none.num_rows, str(none.schema.field("metrics.loss").type)))
        values = self.table(sweep, "series?format=arrow&runs=1,2")
        self.assertEqual(["run", "attempt", "place", "step", "value", "time"], values.column_names)
        self.assertEqual(([1, 1, 2, 2], [0, 1, 0, 1], [0.5, 0.25, 0.5, 0.25], [None] * 4),
                         tuple(values[name].to_pylist() for name in ("run", "place", "value", "step")))
        self.assertEqual(24, self.table(sweep, "series?format=arrow").num_rows)


def lacking():
    """Why there is nothing to judge with; empty: there is."""
    if not PYTHON.exists():
        return f"there is no {PYTHON}"
    found = subprocess.run([PYTHON, "-c", "import pyarrow.ipc"], capture_output=True, text=True, check=False)
    return found.stderr.strip() if found.returncode else ""


if __name__ == "__main__":
    if why := lacking():
        print(f"SKIP: pyarrow is not in build/venv-pyarrow; scripts/test installs it: {why}")
        sys.exit(77)
    if sys.prefix != str(PYTHON.parents[1]):
        os.execv(PYTHON, [str(PYTHON), "-B", *sys.argv])
    import unittest
    unittest.main()
