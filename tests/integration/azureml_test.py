# SPDX-License-Identifier: Apache-2.0
"""Scripts that log with azureml.core, started by the command where neither hdrive nor Azure's SDK is installed."""

import json
import sys
import unittest

from support import HdriveTest

# As the tutorials have it.
TRAIN = """
import argparse, os
from azureml.core import Run, Dataset, Workspace
from azureml.core.run import Run as SameRun

run = Run.get_context()
assert run is SameRun.get_submitted_run() and not hasattr(run, "nothing_such")
parser = argparse.ArgumentParser()
parser.add_argument("--penalty", type=float)
known = parser.parse_args()
for epoch in range(3):
    run.log("Accuracy", 0.5 + 0.1 * epoch - known.penalty)
run.log_list("curve", [1, 2.5])
run.log("note", "a text")
run.log_row("table", x=1, y="a")
run.log_table("columns", {"x": [1, 2]})
run.log_confusion_matrix("confusion", {"schema_type": "confusion_matrix", "data": {}})
with open("model.txt", "w") as file:
    file.write("model")
run.upload_file("outputs/model.txt", "model.txt")
run.log_image("plot", path="model.txt")
run.tag("stage", "test")
run.parent.log("seen", run.number)
print(run.id, run.get_tags(), run.input_datasets["digits"])
run.flush()
run.complete()
"""

# What they ask their run for.
SEEN = """
import argparse, json, os
from azureml.core import Dataset, Model, Run
from azureml.data.dataset_factory import TabularDatasetFactory

parser = argparse.ArgumentParser()
parser.add_argument("--penalty", type=float)
known = parser.parse_args()
run = Run.get_context()
run.log("Accuracy", 0.5)
run.log("Accuracy", 0.5 + known.penalty)
run.log("loss", 2)
run.log("note", "a text")
run.log_row("table", x=1)
run.log_row("table", x=2)
os.makedirs("outputs", exist_ok=True)
with open("outputs/model.txt", "w") as file:
    file.write("model")
workspace = run.experiment.workspace
digits = Dataset.get_by_name(workspace, name="digits")
run.register_model(model_name="digits", model_path="outputs/model.txt", tags={"kind": "test"})
if known.penalty:
    Model.register(workspace=workspace, model_path="outputs/model.txt", model_name="other")
same = TabularDatasetFactory.from_delimited_files(path=str(digits))
print(json.dumps({
    "id": run.id, "number": run.number, "name": run.name, "display_name": run.display_name, "status": run.status,
    "type": run.type, "experiment": run.experiment.name, "store": workspace.directory, "metrics": run.get_metrics(),
    "one": run.get_metrics("loss"), "files": run.get_file_names(), "data": run.input_datasets["digits"],
    "same": same == digits == workspace.datasets["digits"], "copied": digits.download("copies"),
    "parent": [run.parent.id, run.parent.type, run.parent.experiment.name]}))
"""


class Scripts(HdriveTest):
    def azure(self, script, **keys):
        self.write("train.py", script)
        self.config(command=[sys.executable, "-S", "-s", "train.py"], primary_metric_name="Accuracy",
                    primary_metric_goal="Maximize", max_total_runs=None, sampling={"type": "grid", "parameter_space": [
                        {"name": "--penalty", "expression": "choice", "values": [0, 0.25]}]}, **keys)

    def test_a_script_logs_to_its_run_without_a_package_installed(self):
        self.azure(TRAIN, environment_variables={"AZUREML_DATAREFERENCE_digits": "/data/digits"})
        self.hdrive("run", "hdconfig.yml", "--quiet")
        self.assertEqual([0.7, 0.45], [round(run["best_primary_metric"], 9) for run in self.runs()])
        rows = json.loads(self.hdrive("export", "--metrics", "-f", "json").out)
        self.assertEqual([1, 2.5], [row["value"] for row in rows if row["name"] == "curve" and row["number"] == 0])
        directory = self.sweep_directory()
        run = directory / "runs" / "1"
        facts = {(fact["kind"], fact["name"]): fact["value"]
                 for fact in map(json.loads, (run / "azureml.jsonl").read_text().splitlines())}
        self.assertEqual({"x": 1, "y": "a"}, facts["row", "table"])
        self.assertEqual({"x": [1, 2]}, facts["table", "columns"])
        self.assertEqual("a text", facts["text", "note"])
        self.assertEqual("test", facts["tag", "stage"])
        self.assertEqual("model", (run / "outputs" / "model.txt").read_text())
        self.assertEqual("model", (run / facts["document", "plot"]).read_text())
        self.assertIn('"seen"', (directory / "azureml.jsonl").read_text())
        self.assertIn("{'stage': 'test'} /data/digits", (run / "stdout.log").read_text())

    def test_a_script_sees_what_its_run_is_and_keeps_its_model(self):
        self.azure(SEEN, environment_variables={"AZUREML_DATAREFERENCE_digits": str(self.folder / "digits.csv")})
        self.write("digits.csv", "a,b\n1,2\n")
        done = self.hdrive("run", "hdconfig.yml", "-e", "tutorial", "--quiet")
        self.assertEqual("", done.err)
        sweep = self.sweep_directory()
        seen = json.loads((sweep / "runs" / "1" / "stdout.log").read_text())
        self.assertEqual({"Accuracy": [0.5, 0.75], "loss": 2.0, "note": "a text", "table": {"x": [1, 2]}},
                         seen.pop("metrics"))
        self.assertEqual({
            "id": sweep.name + "_1", "number": 1, "name": "run 1", "display_name": "run 1", "status": "Running",
            "type": "azureml.scriptrun", "experiment": "tutorial", "store": str(sweep.parent), "one": {"loss": 2.0},
            "files": ["outputs/model.txt"], "data": str(self.folder / "digits.csv"), "same": True,
            "copied": ["copies/digits.csv"], "parent": [sweep.name, "hyperdrive", "tutorial"]}, seen)
        models = sweep.parent / "azureml" / "models"
        self.assertEqual(["1", "2"], sorted(each.name for each in (models / "digits").iterdir()))
        self.assertEqual("model", (models / "other" / "1" / "files" / "model.txt").read_text())

    def test_what_only_azure_has_is_an_error_where_it_is_used(self):
        for line, said in (
                ("Workspace.from_config()", "Workspace.from_config: Run.get_context() and all it gives are there; the "
                 "rest of azureml"),
                ("Dataset.get_by_name(None, 'digit')", "there is no dataset 'digit' here; did you mean 'digits'?; set "
                 "AZUREML_DATAREFERENCE_digit to its path"),
                ("run.experiment.workspace.get_default_keyvault()", "set environment_variables")):
            self.azure("from azureml.core import Run, Dataset, Workspace\n"
                       "run = Run.get_context()\n"
                       "run.log('Accuracy', 1)\n" + line + "\n",
                       environment_variables={"AZUREML_DATAREFERENCE_digits": "/x"})
            self.hdrive("run", "hdconfig.yml", "--quiet", code=None)
            latest = max(self.folder.glob(".hdrive/HD_*"), key=lambda sweep: sweep.stat().st_mtime)
            self.assertIn(said, (latest / "runs" / "0" / "stderr.log").read_text())

    def test_where_azures_own_is_installed_the_key_decides(self):
        self.write("installed/azureml/core/__init__.py", "class Run:\n    is_real = True\n")
        self.write("installed/azureml/extra.py", "there = True\n")
        script = ("import json, os\n"
                  "from azureml.core import Run\n"
                  "kind = 'real' if hasattr(Run, 'is_real') else 'stand_in'\n"
                  "import azureml.extra\n"
                  "with open(os.environ['HDRIVE_METRICS_FILE'], 'a') as file:\n"
                  "    file.write(json.dumps({'name': 'Accuracy', 'value': 1}) + '\\n')\n"
                  "open(os.environ['RECORD'], 'a').write(kind + '\\n')\n")
        for key, expected in ((None, "stand_in"), ("stand_in", "stand_in"), ("real", "real"), ("auto", "real")):
            self.record_file.unlink(missing_ok=True)
            self.azure(script, azureml_sdk=key, environment_variables={"PYTHONPATH": str(self.folder / "installed")})
            self.hdrive("run", "hdconfig.yml", "--quiet")
            self.assertEqual({expected}, set(self.record()), key)

    def test_without_azures_own_auto_is_the_stand_in_and_real_is_not_found(self):
        self.azure("from azureml.core import Run\nRun.get_context().log('Accuracy', 1)\n", azureml_sdk="auto")
        self.hdrive("run", "hdconfig.yml", "--quiet")
        self.azure("from azureml.core import Run\nRun.get_context().log('Accuracy', 1)\n", azureml_sdk="real")
        self.hdrive("run", "hdconfig.yml", "--quiet", code=None)
        latest = max(self.folder.glob(".hdrive/HD_*"), key=lambda sweep: sweep.stat().st_mtime)
        self.assertIn("No module named 'azureml.core'", (latest / "runs" / "0" / "stderr.log").read_text())
        done = self.hdrive("validate", "hdconfig.yml", "--set", "azureml_sdk=reel", code=None)
        self.assertIn("allowed: stand_in, real, auto", done.all)


if __name__ == "__main__":
    unittest.main()
