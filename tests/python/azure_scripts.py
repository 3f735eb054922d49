# SPDX-License-Identifier: Apache-2.0
"""Training scripts and notebooks, as people write them for Azure ML, for the tests of hdrive.azureml, and a
configuration around them."""

from hdrive.azureml import HyperDriveConfig, PrimaryMetricGoal, RandomParameterSampling, uniform


def config(source, sampling=None, **given):
    """A sweep of one run, with whatever else is given."""
    settings = {"hyperparameter_sampling": sampling or RandomParameterSampling({"x": uniform(0, 1)}),
                "primary_metric_name": "loss", "primary_metric_goal": PrimaryMetricGoal.MINIMIZE,
                "max_total_runs": 1, "run_config": source}
    return HyperDriveConfig(**{**settings, **given})


# scikit-learn's shape: arguments, a series of the metric, a model in outputs/.
CLASSIFIER = """
import argparse, json, os
from azureml.core.run import Run

parser = argparse.ArgumentParser()
parser.add_argument("--kernel", type=str, default="linear")
parser.add_argument("--penalty", type=float, default=1.0)
parser.add_argument("--epochs", type=int, default=3)
arguments = parser.parse_args()

run = Run.get_context()
run.log("Kernel type", str(arguments.kernel))
run.log("Penalty", float(arguments.penalty))
for epoch in range(arguments.epochs):
    run.log("Accuracy", 1 / (1 + abs(arguments.penalty - 1)) - 0.1 / (epoch + 1))
os.makedirs("outputs", exist_ok=True)
with open("outputs/model.json", "w") as file:
    json.dump(vars(arguments), file)
print("done with", arguments.kernel)
"""

# Everything that a run can log.
LOGGER = """
import os, sys
from azureml.core import Run
run = Run.get_context()
run.log("loss", 2.5)
run.log_list("series", [1, 2, 3])
run.log_row("table", x=1, y="a")
run.log_row("table", x=2, y="b")
run.log_table("wave", {"angle": [0, 1], "sine": [0.0, 0.84]})
run.log_confusion_matrix("matrix", {"data": {"matrix": [[1, 0], [0, 1]]}})
with open("picture.png", "wb") as file:
    file.write(b"png")
run.log_image("picture", path="picture.png")
run.tag("stage", "trained")
run.upload_file("outputs/copy.png", "picture.png")
if len(sys.argv) > 1:
    run.parent.log("from a child", 7)
print(run.id, run.experiment.name)
run.complete()
"""
