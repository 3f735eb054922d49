# SPDX-License-Identifier: Apache-2.0
"""Programs in the shapes of public notebooks run unchanged after hdrive.azureml.install()."""

import os
import subprocess
import sys

import azure_notebooks
import pytest
from azure_scripts import CLASSIFIER

REGISTER = """
import argparse, json
from azureml.core import Run
parser = argparse.ArgumentParser()
parser.add_argument("--model")
with open(parser.parse_args().model) as file:
    Run.get_context().log("penalty", json.load(file)["penalty"])
"""


@pytest.fixture
def notebook(own_folder):
    (own_folder / "src").mkdir()
    (own_folder / "src" / "train.py").write_text(CLASSIFIER)
    (own_folder / "src" / "register.py").write_text(REGISTER)

    def run(program, *expected):
        (own_folder / "notebook.py").write_text("import hdrive.azureml\nhdrive.azureml.install()\n" + program)
        done = subprocess.run([sys.executable, "-W", "error::UserWarning", *(
            word for warning in expected for word in ("-W", f"ignore:{warning}:UserWarning")), "notebook.py"],
                              capture_output=True, text=True, timeout=50)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
    return run


def test_random_sampling_with_a_bandit(notebook, own_folder):
    told = notebook(azure_notebooks.RANDOM_WITH_BANDIT)
    assert "'--kernel'" in told and told.count("Completed, best Accuracy") == 4
    assert (own_folder / "best.json").exists()


def test_grid_sampling_with_median_stopping(notebook):
    notebook(azure_notebooks.GRID)


def test_bayesian_sampling(notebook):
    assert "Accuracy" in notebook(azure_notebooks.BAYESIAN)


def test_an_estimator_alone_and_in_a_sweep(notebook):
    assert "done with linear" in notebook(azure_notebooks.ESTIMATOR)


def test_a_sweep_as_a_step_of_a_pipeline(notebook):
    told = notebook(azure_notebooks.PIPELINE)
    assert told.index("step tune: Completed") < told.index("step register: Completed")


def test_a_v2_sweep(notebook):
    notebook(azure_notebooks.V2_SWEEP, "the environment 'AzureML-Minimal@latest' is not on this machine")
    assert os.path.exists("best/artifacts/outputs/model.json")
