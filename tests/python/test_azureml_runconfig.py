# SPDX-License-Identifier: Apache-2.0
"""RunConfiguration.load and .save: files of Azure's, as the command reads them."""

import json
import os
import subprocess

import hdrive
import pytest
from hdrive import _core
from hdrive._surroundings import command_path
from hdrive.azureml import (Environment, Experiment, RunConfiguration, ScriptRunConfig,
                            UserErrorException, Workspace)

FILE = """\
script: train.py
arguments: [--epochs, 3, --data, $AZUREML_DATAREFERENCE_digits]
target: cpu-cluster
framework: PyTorch
communicator: Nccl
autoPrepareEnvironment: true
maxRunDurationSeconds: 600
nodeCount: 1
environment:
  name: mine
  version: "3"
  environmentVariables: {COLOUR: red, SHAPE: round}
  python:
    userManagedDependencies: true
    interpreterPath: python3
    condaDependenciesFile: conda.yml
  docker: {enabled: false, baseImage: me/train, arguments: [--cap-drop, ALL], shmSize: 2g, sharedVolumes: true}
environmentVariables: {SHAPE: square}
history: {outputCollection: true, snapshotProject: true, directoriesToWatch: [logs]}
pytorch: {communicationBackend: Gloo, processCount: 2}
mpi: {processCountPerNode: 1}
dataReferences:
  digits: {dataStoreName: store, pathOnDataStore: digits, mode: Mount}
batchAi: {something: 1}
sourceDirectory: ..
"""

SCRIPT = """
import os, sys
from azureml.core import Run
run = Run.get_context()
if os.environ.get("RANK", "0") == "0":
    run.log("epochs", int(sys.argv[2]))
    run.log("size", len(open(os.path.join(sys.argv[4], "a.csv")).read()))
    run.log("shape", os.environ["SHAPE"])
    run.log("processes", int(os.environ.get("WORLD_SIZE", 1)))
"""


@pytest.fixture
def project(own_folder):
    (own_folder / ".azureml").mkdir()
    (own_folder / ".azureml" / "train.runconfig").write_text(FILE)
    (own_folder / "conda.yml").write_text("dependencies: [python=3]\n")
    (own_folder / "train.py").write_text(SCRIPT)
    (own_folder / "store" / "digits").mkdir(parents=True)
    (own_folder / "store" / "digits" / "a.csv").write_text("1,2,3")
    (own_folder / "azureml.yml").write_text("datastores: {store: store}\n")
    return own_folder


def load(path=".", name="train"):
    with pytest.warns(UserWarning, match="target"):
        return RunConfiguration.load(path, name)


def within(wanted, given):
    """Whether all that was said is said still; defaults may be written out besides."""
    if isinstance(wanted, dict):
        return all(key in given and within(value, given[key]) for key, value in wanted.items())
    return wanted == given


def test_every_key_is_an_attribute(project):
    config = load()
    assert (config.script, config.arguments) == \
        ("train.py", ["--epochs", 3, "--data", "$AZUREML_DATAREFERENCE_digits"])
    assert (config.target, config.framework, config.communicator) == ("cpu-cluster", "PyTorch", "Nccl")
    assert (config.max_run_duration_seconds, config.auto_prepare_environment) == (600, True)
    assert (config.pytorch.process_count, config.pytorch.communication_backend) == (2, "Gloo")
    environment = config.environment
    assert (environment.name, environment.version) == ("mine", "3")
    assert environment.environment_variables == {"COLOUR": "red", "SHAPE": "round"}
    assert config.environment_variables == {"SHAPE": "square"}
    assert environment.python.user_managed_dependencies and environment.python.interpreter_path == "python3"
    assert environment.python.conda_dependencies_file == str(project / "conda.yml")
    docker = environment.docker
    assert (docker.enabled, docker.base_image, docker.arguments, docker.shm_size) == \
        (False, "me/train", ["--cap-drop", "ALL"], "2g")
    assert config.data_references == {"digits": {"dataStoreName": "store", "pathOnDataStore": "digits",
                                                 "mode": "Mount"}}


def test_what_was_loaded_runs_as_the_file_says(project):
    config = load()
    config.environment.python.interpreter_path = "python"
    run = Experiment(Workspace.from_config(), "loaded").submit(ScriptRunConfig(".", run_config=config))
    run.wait_for_completion()
    assert run.get_metrics() == {"epochs": 3.0, "size": 5.0, "shape": "square", "processes": 2.0}


def test_saving_writes_a_file_that_reads_back_equal(project):
    config = load()
    config.save(".", "again")
    config.save("copy.json")
    path = project / ".azureml" / "again.runconfig"
    before, after = json.loads(_core.file_as_json(".azureml/train.runconfig")), json.loads(path.read_text())
    before["environment"]["python"]["condaDependenciesFile"] = str(project / "conda.yml")
    before["arguments"][1] = "3"
    assert within(before, after)
    again = load(name="again")
    again.arguments[1] = 3
    assert repr(again) == repr(config)

    def spec(file):
        return _core.load_run_configuration(str(file), str(project), "", False)[0]
    assert spec(path).differences(spec(".azureml/train.runconfig")) == []
    assert spec("copy.json").command == spec(path).command


def test_the_command_runs_what_was_saved(project):
    config = load()
    config.pytorch.process_count = None
    config.save(name="mine")
    done = subprocess.run([os.path.join(command_path(), "hdrive"), "submit-script", "-c", "mine"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    [sweep] = hdrive.sweeps()
    assert sweep.runs[0].metrics["size"].tolist() == [5.0]


def test_a_changed_configuration_is_saved_as_it_is_now(own_folder):
    config = RunConfiguration(script="train.py", arguments=["--x", 1])
    config.environment = Environment.from_docker_image("mine", "me/train")
    config.environment_variables["A"] = "1"
    config.mpi.process_count_per_node = 2
    config.communicator = "OpenMpi"
    config.save("mine.runconfig")
    loaded = RunConfiguration.load("mine.runconfig")
    assert loaded.environment.docker.enabled and loaded.environment.docker.base_image == "me/train"
    assert (loaded.mpi.process_count_per_node, loaded.environment_variables) == (2, {"A": "1"})
    loaded.environment_variables.clear()
    loaded.environment = Environment("other")
    loaded.save("mine.runconfig")
    document = json.loads((own_folder / "mine.runconfig").read_text())
    assert "environmentVariables" not in document and "baseImage" not in document["environment"]["docker"]


def test_packages_and_curated_names_come_from_the_reader(own_folder):
    (own_folder / "a.runconfig").write_text("script: a.py\nenvironment: {name: AzureML-sklearn-0.24}\n")
    assert "scikit-learn" in RunConfiguration.load(".", "a").environment.python.conda_dependencies.pip_packages
    (own_folder / "b.runconfig").write_text(
        "script: a.py\nenvironment: {python: {condaDependencies: {dependencies: [numpy=1, {pip: [tqdm]}]}}}\n")
    config = RunConfiguration.load("b.runconfig")
    packages = config.environment.python.conda_dependencies
    assert (packages.conda_packages, packages.pip_packages) == (["numpy=1"], ["tqdm"])
    config.save("c.runconfig")
    assert RunConfiguration.load("c.runconfig").environment.python.conda_dependencies.pip_packages == ["tqdm"]


def test_what_is_wrong_is_told_with_its_line(project):
    (project / "bad.runconfig").write_text("script: a.py\nframework: PyTorhc\nnodeCount: -2\n")
    with pytest.raises(UserErrorException, match=r'bad.runconfig:2:12: unknown framework "PyTorhc"(.|\n)*:3:12: '
                                                 '"nodeCount" is'):
        RunConfiguration.load("bad.runconfig")
    with pytest.raises(UserErrorException, match="no run configuration \"trian\".*did you mean \"train\""):
        RunConfiguration.load(".", "trian")
    with pytest.raises(UserErrorException, match="give the name"):
        RunConfiguration.load(".")
    with pytest.raises(UserErrorException, match="is a folder"):
        RunConfiguration().save(".")
    (project / "azureml.yml").unlink()
    config = load()
    with pytest.raises(UserErrorException, match="\"digits\" is data of Azure's.*azureml.yml"):
        ScriptRunConfig(".", run_config=config)._program("x")
    config.target = "gpu-cluster"
    with pytest.warns(UserWarning, match="compute target 'gpu-cluster': the runs are processes on this machine"), \
            pytest.raises(UserErrorException, match="is data of Azure's"):
        ScriptRunConfig(".", run_config=config)._program("x")
