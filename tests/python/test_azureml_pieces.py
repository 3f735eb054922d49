# SPDX-License-Identifier: Apache-2.0
"""The pieces of hdrive.azureml by themselves: what they take, what they refuse, and by which name."""

import os
import subprocess
import sys
import zipfile

import hdrive
import numpy
import pytest
from azure_scripts import config
from hdrive import azureml
from hdrive.azureml import (BanditPolicy, BayesianParameterSampling, CondaDependencies, Environment, Estimator,
                            Experiment, GridParameterSampling, MedianStoppingPolicy,
                            NoTerminationPolicy, NotBuiltError, PrimaryMetricGoal,
                            PyTorchConfiguration, RandomParameterSampling, Run, RunConfiguration, ScriptRunConfig,
                            SKLearn, TruncationSelectionPolicy, UserErrorException, Workspace,
                            choice, loguniform, uniform)
from hdrive.azureml._context import OfflineRun, gather
from hdrive.azureml._requirements import missing, read_conda_file, read_pip_file


# ---- spaces, policies ---------------------------------------------------------------------------------------


def test_a_single_iterable_is_the_list_of_options():
    assert choice(range(1, 4)) == choice(1, 2, 3) == choice([1, 2, 3]) == choice(numpy.arange(1, 4))
    assert choice("abc").options == ["abc"]
    assert choice([1, 2], [3]).options == [[1, 2], [3]]
    assert choice([[1, 2], [3]]).options == [[1, 2], [3]]


def test_the_wire_form_of_expressions_is_taken():
    sampling = RandomParameterSampling({"a": ["uniform", [0, 1]], "b": ["choice", [["x", "y"]]],
                                        "c": ["qnormal", [1, 2, 3]], "d": ["choice", [1, 2]]})
    assert sampling.parameter_space == {"a": uniform(0, 1), "b": choice("x", "y"), "c": hdrive.qnormal(1, 2, 3),
                                        "d": choice(1, 2)}


def test_what_a_sampling_does_not_take_is_named():
    with pytest.raises(UserErrorException, match="GridParameterSampling takes choice alone; x is uniform"):
        GridParameterSampling({"x": uniform(0, 1)})
    with pytest.raises(UserErrorException, match=r"x: a bare list .* choice\(\[...\]\)"):
        RandomParameterSampling({"x": [1, 2, 3]})
    with pytest.raises(UserErrorException, match="not empty"):
        RandomParameterSampling({})
    with pytest.raises(UserErrorException, match="x: a object is no parameter"):
        RandomParameterSampling({"x": object()})
    with pytest.warns(UserWarning, match="BayesianParameterSampling: depth has no effect"):
        BayesianParameterSampling({"x": loguniform(-3, 0)}, properties={"depth": 3})


def test_policies_have_azures_defaults_and_names():
    assert vars(BanditPolicy(slack_factor=0.2)) == {"evaluation_interval": 1, "delay_evaluation": 0,
                                                    "slack_factor": 0.2, "slack_amount": None}
    assert MedianStoppingPolicy(2, 6)._native() == hdrive.MedianStopping(2, 6)
    assert TruncationSelectionPolicy(20, exclude_finished_jobs=True)._native() == \
        hdrive.TruncationSelection(20, 1, 0, True)
    assert NoTerminationPolicy()._native() is None
    for wrong, match in (({}, "neither is given"), ({"slack_factor": 1, "slack_amount": 1}, "not both"),
                         ({"slack_factor": -1}, "from 0 on"), ({"slack_factor": 1, "evaluation_interval": -1},
                                                               "evaluation_interval")):
        with pytest.raises(UserErrorException, match=match):
            BanditPolicy(**wrong)
    for percentage in (0, 100, 2.5):
        with pytest.raises(UserErrorException, match="truncation_percentage"):
            TruncationSelectionPolicy(percentage)


# ---- configurations -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong, match", [
    ({"run_config": None}, "exactly one of run_config, estimator and pipeline is wanted, not none"),
    ({"estimator": object()}, "not estimator and run_config"),
    ({"pipeline": object(), "run_config": None}, "HyperDriveConfig: pipeline is not there"),
    ({"hyperparameter_sampling": {"x": 1}}, "hyperparameter_sampling"),
    ({"primary_metric_goal": "best"}, "PrimaryMetricGoal.MAXIMIZE"),
    ({"primary_metric_name": ""}, "primary_metric_name"),
    ({"max_total_runs": 0}, "max_total_runs: 0 is not allowed"),
    ({"max_concurrent_runs": 1.5}, "max_concurrent_runs: a whole number"),
    ({"max_duration_minutes": 0}, "max_duration_minutes"),
    ({"policy": "bandit"}, "policy: 'bandit' is none"),
    ({"resume_child_runs": [1]}, "resume_child_runs"),
    ({"resume_from": ["x"]}, "a HyperDriveRun is wanted"),
    ({"resume_from": [1, 2, 3, 4, 5, 6]}, "up to 5"),
])
def test_a_wrong_argument_of_a_sweep_is_named(source, wrong, match):
    with pytest.raises(UserErrorException, match=match):
        config(source, **wrong)


def test_goals_are_taken_in_any_case(source):
    assert config(source, primary_metric_goal="Minimize").primary_metric_goal is PrimaryMetricGoal.MINIMIZE


def test_settings_of_the_service_alone_are_warned_of(source):
    with pytest.warns(UserWarning, match="custom_run_id"):
        config(source, custom_run_id="mine")


def test_a_misspelt_attribute_is_an_error_that_names_the_nearest():
    environment = Environment("mine")
    with pytest.raises(AttributeError, match="did you mean 'user_managed_dependencies'"):
        environment.python.user_managed_dependency = True
    with pytest.raises(AttributeError, match="did you mean 'environment'"):
        RunConfiguration().enviroment = environment


@pytest.mark.parametrize("change, match", [
    (lambda c: setattr(c, "node_count", 2), "node_count is 2, but on this machine a run has one"),
    (lambda c: setattr(c, "framework", "PySpark"), "framework='PySpark'"),
    (lambda c: setattr(c, "communicator", "Nccl"), "does not go with framework"),
    (lambda c: setattr(c, "data_references", {"digits": 1}), "data reference \"digits\" has no dataStoreName"),
    (lambda c: setattr(c, "spark", {}), "spark"),
    (lambda c: setattr(c.environment.python, "conda_dependencies", CondaDependencies.create(["no-such-package"])),
     "lacks no-such-package"),
    (lambda c: setattr(c.environment.python, "interpreter_path", "/no/python"), "no interpreter '/no/python'"),
])
def test_what_a_run_cannot_be_given_is_an_error_when_it_is_submitted(source, change, match, monkeypatch, tmp_path):
    _build_offline(monkeypatch, tmp_path)
    change(source.run_config)
    with pytest.raises(UserErrorException, match=match):
        source._program("x")


def test_what_scripts_are_submitted_with_is_checked(source, own_folder):
    with pytest.raises(UserErrorException, match="there is no none.py"):
        ScriptRunConfig(".", "none.py")._program("x")
    with pytest.raises(UserErrorException, match="there is no folder"):
        ScriptRunConfig("nowhere", "train.py")._program("x")
    with pytest.raises(UserErrorException, match="arguments: a dict is none"):
        ScriptRunConfig(".", "train.py", [{}])._program("x")
    with pytest.raises(UserErrorException, match="give one"):
        ScriptRunConfig(".", "train.py", command="python train.py")
    with pytest.raises(UserErrorException, match="distributed_job_config"):
        ScriptRunConfig(".", "train.py", distributed_job_config=3)
    with pytest.raises(UserErrorException, match="resume_from: there is no none"):
        ScriptRunConfig(".", "train.py", resume_from="none")._program("x")
    with pytest.raises(UserErrorException, match="node_count is 2"):
        ScriptRunConfig(".", "train.py", distributed_job_config=PyTorchConfiguration(node_count=2))._program("x")
    arguments = ScriptRunConfig(".", "train.py", ["--n", numpy.int64(3), own_folder, True, 0.5])._program("x").arguments
    assert arguments == ["--n", "3", str(own_folder), "True", "0.5"]


def test_estimators_come_to_scripts(source):
    words = Estimator(".", entry_script="train.py", script_params={"--flag": "", "--list": [1, 2], "--x": 3})._script()
    assert words.arguments == ["--flag", "--list", 1, 2, "--x", 3]
    with pytest.raises(UserErrorException, match="entry_script"):
        Estimator(".")
    with pytest.raises(NotBuiltError, match="inputs"):
        Estimator(".", entry_script="train.py", inputs=[1])
    with pytest.warns(UserWarning, match="use_gpu"):
        Estimator(".", entry_script="train.py", use_gpu=True)
    with pytest.raises(UserErrorException, match="scikit-learn==0.0.1"):
        SKLearn(".", entry_script="train.py", framework_version="0.0.1")._script()._program("x")
    mpi = Estimator(".", entry_script="train.py", distributed_backend="mpi", process_count_per_node=2)._script()
    assert mpi.distributed_job_config.process_count_per_node == 2


# ---- workspaces --------------------------------------------------------------------------------------------


def test_names_of_experiments_are_checked():
    for wrong in ("", "a b", "-a", "a" * 256):
        with pytest.raises(UserErrorException, match="is no name"):
            Experiment(Workspace(), wrong)
    with pytest.raises(UserErrorException, match="a dict is nothing to run"):
        Experiment(Workspace(), "x").submit({})
    with pytest.raises(TypeError, match="did you mean 'tags'"):
        Experiment(Workspace(), "x").submit({}, tag={})


def test_a_workspace_takes_its_names_from_azures_file(own_folder):
    assert Workspace.from_config().name == "local"
    Workspace("sub", "group", "mine").write_config()
    found = Workspace.from_config()
    assert (found.name, found.resource_group, found.subscription_id) == ("mine", "group", "sub")
    assert found.directory == str(own_folder / ".hdrive")
    with pytest.raises(UserErrorException, match="no other.json"):
        Workspace.from_config("elsewhere", _file_name="other.json")
    with pytest.warns(UserWarning, match="sku"):
        Workspace.create("mine", sku="basic", exist_ok=True)


# ---- environments -------------------------------------------------------------------------------------------


def test_packages_are_held_against_what_the_interpreter_has(own_folder):
    version = numpy.__version__
    assert missing(["python=3", f"numpy={version}"], ["numpy>=1.0,<99", "pip", "azureml-defaults"],
                   sys.executable) == []
    assert missing(["python=2.7"], ["numpy==0.1", "no-such-package[all]~=1.2 ; x"], sys.executable) == [
        f"python=2.7 (it has {'.'.join(map(str, sys.version_info[:3]))})", f"numpy==0.1 (it has {version})",
        "no-such-package[all]~=1.2 ; x"]


def test_conda_and_pip_files_are_read(own_folder):
    (own_folder / "env.yml").write_text("name: mine\nchannels:\n  - conda-forge\ndependencies:\n  # comment\n"
                                        "  - python=3.8\n  - conda-forge::numpy>=1  # why\n  - pip:\n"
                                        "    - 'scipy'\n    - pandas==2\n  - pillow\n")
    assert read_conda_file("env.yml") == (["python=3.8", "numpy>=1", "pillow"], ["scipy", "pandas==2"])
    (own_folder / "more.txt").write_text("torch\n")
    (own_folder / "requirements.txt").write_text("# them\nnumpy>=1  # it\n-r more.txt\n--index-url x\n")
    assert read_pip_file("requirements.txt") == ["numpy>=1", "torch"]
    with pytest.raises(UserErrorException, match="none.yml: No such file"):
        Environment.from_conda_specification("mine", "none.yml")


def test_environments_are_kept_and_found(own_folder):
    workspace = Workspace.from_config()
    environment = Environment("mine")
    environment.python.conda_dependencies = CondaDependencies.create(pip_packages=["numpy"])
    environment.environment_variables = {"A": "1"}
    environment.register(workspace)
    found = Environment.get(workspace, "mine")
    assert found.python.conda_dependencies.pip_packages == ["numpy"] and found.environment_variables == {"A": "1"}
    assert list(workspace.environments) == ["mine"]
    assert found.clone("other").name == "other"
    with pytest.raises(UserErrorException, match="did you mean 'mine'"):
        Environment.get(workspace, "mime")
    assert Environment.get(name="AzureML-Minimal")._interpreter() == sys.executable
    assert Environment.get(name="AzureML-sklearn-0.24")._facts()["pip"] == ["scikit-learn"]
    assert environment.build(workspace).interpreter == sys.executable  # it has numpy


def _build_offline(monkeypatch, folder):
    """What is built is kept in the folder, and nothing is fetched."""
    monkeypatch.setenv("HDRIVE_ENVIRONMENTS", str(folder / "environments"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    tools = ("micromamba", "mamba", "conda")  # they would want their channels
    monkeypatch.setenv("PATH", os.pathsep.join(
        each for each in os.environ["PATH"].split(os.pathsep)
        if not any(os.path.exists(os.path.join(each, tool)) for tool in tools)))


def test_an_environment_that_the_interpreter_lacks_is_built_once(monkeypatch, tmp_path, capfd):
    _build_offline(monkeypatch, tmp_path)
    wheel = tmp_path / "answers-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("answers.py", "ANSWER = 42\n")
        archive.writestr("answers-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: answers\nVersion: 1.0\n")
        archive.writestr("answers-1.0.dist-info/WHEEL",
                         "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("answers-1.0.dist-info/RECORD", "")
    environment = Environment("mine")
    environment.python.conda_dependencies = CondaDependencies.create(pip_packages=["answers"])
    environment.python.conda_dependencies.add_pip_package(f"--find-links {tmp_path}")
    built = environment.build()
    built.wait_for_completion(show_output=True)
    assert built.interpreter.startswith(str(tmp_path / "environments"))
    told = subprocess.run([built.interpreter, "-c", "import answers; print(answers.ANSWER)"], capture_output=True,
                          text=True)
    assert told.stdout == "42\n"
    assert environment.build().interpreter == built.interpreter
    assert capfd.readouterr().err.count("building it with") == 1


# ---- scripts ------------------------------------------------------------------------------------------------


def test_outside_a_run_what_is_logged_is_printed(capsys, monkeypatch, own_folder):
    monkeypatch.delenv("HDRIVE_METRICS_FILE", raising=False)
    monkeypatch.setattr(azureml._context, "_current", None)
    run = Run.get_context()
    assert isinstance(run, OfflineRun) and isinstance(run, azureml._context.Run)
    assert run.id.startswith("OfflineRun_") and Run.get_context() is run
    run.log("loss", numpy.float32(0.5), step=3)
    run.log_row("table", x=1)
    run.tag("a", 1)
    assert capsys.readouterr().out == "loss [3]: 0.5\ntable: {'x': 1}\n"
    assert run.get_tags() == {"a": "1"}
    with pytest.raises(TypeError, match="log_list"):
        run.log("loss", [1, 2])
    with pytest.raises(ValueError, match="one of path and plot"):
        run.log_image("picture")
    with pytest.raises(NotImplementedError, match="Run.child_run is not there"):
        run.child_run()
    with pytest.raises(ValueError, match="no name for a file"):
        run.upload_file("../x", "x")
    monkeypatch.setattr(azureml._context, "_current", None)
    with pytest.raises(azureml.RunEnvironmentException, match="no run of hdrive"):
        Run.get_context(allow_offline=False)


def test_rows_and_tables_add_up():
    assert gather([("row", "t", {"x": 1}), ("row", "t", {"x": 2}), ("text", "note", "a"), ("text", "note", "b"),
                   ("table", "one", {"a": [1], "b": 2})]) == {"t": {"x": [1, 2]}, "note": ["a", "b"],
                                                              "one": {"a": 1, "b": 2}}


def test_a_figure_is_logged_as_a_file(own_folder):
    class Figure:
        def savefig(self, path):
            with open(path, "wb") as file:
                file.write(b"png")
    OfflineRun().log_image("loss curve", plot=Figure())
    assert (own_folder / "outputs" / "images" / "loss curve_0.png").read_bytes() == b"png"
