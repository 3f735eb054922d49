# SPDX-License-Identifier: Apache-2.0
"""docs/azure-compatibility.md says of each item what the code does with it, and of no item nothing."""

import inspect
import json
import pathlib
import re
import sys
import types

import hdrive
import hdrive.azureml
import pytest

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "azure-compatibility.md"
ROWS = dict(re.findall(r"^\| `([^`]+)` \| (\w+) \|", PAGE.read_text(), re.MULTILINE))
METHODS = {name: use for name, use in ROWS.items() if re.fullmatch(r"\w+\.\w+", name) and name[0].isupper()
           and not name.startswith("hdconfig")}
ARGUMENTS = {name: use for name, use in ROWS.items() if name.endswith("=)")}
VARIABLES = {name: use for name, use in ROWS.items() if re.fullmatch(r"(AZUREML|MLFLOW|AZ_BATCH)\w*(<name>)?", name)}


def function(name):
    owner, _, attribute = name.partition(".")
    found = inspect.getattr_static(getattr(hdrive.azureml, owner), attribute)
    return found.fget if isinstance(found, property) else getattr(found, "__func__", found)


def is_refused(name):
    said = inspect.getdoc(function(name)) or ""
    return said.startswith("Not there")


@pytest.mark.parametrize("name", METHODS)
def test_a_method_does_what_the_page_says(name):
    if name in ("HyperDriveRun.resume", "HyperDriveRun.fail"):  # refused by a word of their own
        with pytest.raises((NotImplementedError, hdrive.azureml.UserErrorException)):
            function(name)(types.SimpleNamespace(id="HD_1"))
        assert METHODS[name] == "refused"
    else:
        assert (METHODS[name] == "refused") == is_refused(name)


@pytest.mark.parametrize("owner", ["Run", "HyperDriveRun"])
def test_every_method_of_a_run_is_on_the_page(owner):
    names = {name for name in dir(getattr(hdrive.azureml, owner)) if not name.startswith("_")}
    if owner == "HyperDriveRun":
        names -= set(dir(hdrive.azureml.Run))
    assert {f"{owner}.{name}" for name in names} <= METHODS.keys()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_is_there(name):
    owner, argument = re.fullmatch(r"(\w+)\((\w+)=\)", name).groups()
    assert argument in inspect.signature(getattr(hdrive.azureml, owner).__init__).parameters


@pytest.mark.parametrize("owner", ["HyperDriveConfig", "ScriptRunConfig"])
def test_every_documented_argument_is_on_the_page(owner):
    given = set(inspect.signature(getattr(hdrive.azureml, owner).__init__).parameters)
    missing = {f"{owner}({name}=)" for name in given if not name.startswith("_")} - ARGUMENTS.keys()
    assert missing == {f"{owner}({name}=)" for name in given & {"self", "debug_flag", "custom_run_id"}} - ARGUMENTS.keys()


def test_a_script_finds_the_variables_that_the_page_names(own_folder):
    (own_folder / "data.csv").write_text("1")
    (own_folder / "job.yml").write_text(f"""
        type: sweep
        experiment_name: variables
        trial:
          command: >-
            {sys.executable} script.py ${{{{search_space.x}}}} ${{{{inputs.epochs}}}} ${{{{inputs.data}}}}
        inputs:
          epochs: 3
          data: {{type: uri_file, path: data.csv}}
        sampling_algorithm: random
        search_space: {{x: {{type: uniform, min_value: 0, max_value: 1}}}}
        objective: {{primary_metric: loss, goal: minimize}}
        limits: {{max_total_trials: 1}}
        """)
    (own_folder / "script.py").write_text("""
import hdrive_run, json, os
hdrive_run.log("loss", 1)
with open("outputs/names.json", "w") as file:
    json.dump(sorted(os.environ), file)
""")
    sweep = hdrive.Sweep.from_config("job.yml").run_command()
    assert sweep.runs[0].status == "Completed", sweep.runs[0].reason
    names = json.loads((pathlib.Path(sweep.directory) / "runs/0/outputs/names.json").read_text())
    for name, use in VARIABLES.items():
        stem = name.replace("<name>", "")
        there = any(each.startswith(stem) if stem != name else each == name for each in names)
        assert there == (use == "honoured"), name


def test_the_tables_were_found():
    assert len(METHODS) > 60
    assert len(ARGUMENTS) > 20
    assert len(VARIABLES) > 18
