# SPDX-License-Identifier: Apache-2.0
"""v2's YAML files as jobs, components and environments of Python."""

import json
import warnings

import hdrive
import pytest
from hdrive.azureml import UserErrorException
from hdrive.azureml.v2 import (BanditPolicy, BuildContext, Choice, Environment, Input, MLClient, Uniform,
                               load_component, load_environment, load_job)

TRAIN = """
import os, sys
from azureml.core import Run
Run.get_context().log("accuracy", float(sys.argv[1]) + len(open(sys.argv[2]).read()))
open(os.path.join(sys.argv[3], "weights.txt"), "w").write(sys.argv[1])
"""
SWEEP = """
type: sweep
experiment_name: from-file
trial:
  code: src
  command: python train.py ${{search_space.x}} ${{inputs.data}} ${{outputs.model}}
inputs:
  data: {type: uri_file, path: data.csv}
outputs:
  model: {type: uri_folder}
sampling_algorithm: grid
search_space:
  x: {type: choice, values: [1, 2, 3]}
objective: {primary_metric: accuracy, goal: maximize}
limits: {max_total_trials: 3, max_concurrent_trials: 1}
"""
COMPONENT = """
name: train
type: command
inputs:
  x: {type: number, default: 2}
  data: {type: uri_file}
outputs:
  model: {type: uri_folder}
code: ./src
command: python train.py ${{inputs.x}} ${{inputs.data}} ${{outputs.model}}
"""


@pytest.fixture
def files(own_folder):
    """The files, in a folder that is not the working directory."""
    folder = own_folder / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "train.py").write_text(TRAIN)
    (folder / "data.csv").write_text("12345")
    (folder / "sweep.yml").write_text(SWEEP)
    (folder / "train.yml").write_text(COMPONENT)
    return folder


def test_the_sweep_of_a_file_is_begun_and_its_best_found(files):
    client = MLClient()
    started = client.jobs.create_or_update(load_job(files / "sweep.yml"))
    client.jobs.stream(started.name)
    assert (started.type, started.status, started.experiment_name) == ("sweep", "Completed", "from-file")
    best = client.jobs.get(started.properties["best_child_run_id"])
    assert best.run.get_metrics() == {"accuracy": 8.0}
    assert len(hdrive.load(started.name).runs) == 3


def test_what_is_assigned_takes_the_place_of_the_files_keys(files):
    other = files / "other.csv"
    other.write_text("1")
    job = load_job(str(files / "sweep.yml"), params_override=[{"sampling_algorithm": "random"}])
    assert job.limits.max_total_trials == 3 and job.objective.goal == "maximize" and job.name is None
    job.name = "mine"
    job.display_name = "shown"
    job.limits.max_total_trials = 2
    job.set_limits(max_concurrent_trials=2, timeout=600)
    job.set_objective(goal="minimize")
    job.search_space["x"] = Uniform(0.5, 0.75)
    job.inputs["data"] = Input(type="uri_file", path=str(other))
    job.early_termination = BanditPolicy(slack_factor=0.5, evaluation_interval=3)
    job.tags["who"] = "me"
    client = MLClient()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the command keeps no tags of a file
        started = client.jobs.create_or_update(job, experiment_name="elsewhere")
    client.jobs.stream("mine")
    sweep = hdrive.load("mine")
    assert (sweep.goal, len(sweep.runs), started.experiment_name) == ("minimize", 2, "elsewhere")
    assert all(1.5 <= run.value <= 1.75 for run in sweep.runs)
    policy = sweep._spec.to_hdconfig().partition("policy:")[2]
    assert "andit" in policy and "slack_factor: 0.5" in policy and "evaluation_interval: 3" in policy
    assert (started.display_name, started.tags["who"]) == ("shown", "me")


def test_what_is_assigned_wrongly_is_named_before_anything_begins(files):
    job = load_job(files / "sweep.yml")
    job.limits.max_total_trails = 4
    assert "max_total_trails" in MLClient().jobs.validate(job)[0]
    with pytest.raises(UserErrorException, match="max_total_trails.*max_total_trials") as caught:
        MLClient().jobs.create_or_update(job)
    assert "--set" not in str(caught.value)
    with pytest.raises(AttributeError, match="'limit'.*did you mean 'limits'"):
        job.limit
    absent = load_job(files / "sweep.yml")
    absent.inputs.data = {"type": "uri_file", "path": "none.csv"}
    with pytest.raises(UserErrorException, match="none.csv"):
        MLClient().jobs.create_or_update(absent)
    assert hdrive.sweeps() == []
    with pytest.warns(UserWarning, match="compute target 'cpu-cluster': the runs are processes on this machine"):
        started = MLClient().jobs.create_or_update(load_job(files / "sweep.yml"), compute="cpu-cluster")
    MLClient().jobs.stream(started.name)
    assert hdrive.load(started.name)._spec.targets in ([], ["local"])


def test_a_command_job_of_a_file_runs_alone_and_can_be_swept(files):
    (files / "job.yml").write_text(COMPONENT.replace("name: train\n", "")
                                   .replace("x: {type: number, default: 2}", "x: 2")
                                   .replace("data: {type: uri_file}", "data: {type: uri_file, path: data.csv}"))
    client = MLClient()
    job = load_job(files / "job.yml")
    started = client.jobs.create_or_update(job)
    client.jobs.stream(started.name)
    assert (started.type, client.jobs.get(started.name).run.get_metrics()) == ("command", {"accuracy": 7.0})
    swept = client.jobs.create_or_update(job(x=Choice([3, 4])).sweep(
        primary_metric="accuracy", goal="maximize", sampling_algorithm="grid"))
    client.jobs.stream(swept.name)
    assert hdrive.load(swept.name).best.value == 9.0


def test_a_component_gives_commands(files):
    train = load_component(files / "train.yml")
    assert (train.name, list(train.inputs), list(train.outputs)) == ("train", ["x", "data"], ["model"])
    data = Input(type="uri_file", path=str(files / "data.csv"))
    client = MLClient()
    started = client.jobs.create_or_update(train(data=data))
    client.jobs.stream(started.name)
    assert client.jobs.get(started.name).run.get_metrics() == {"accuracy": 7.0}
    with pytest.raises(UserErrorException, match="no input 'y'"):
        train(y=1)
    with pytest.raises(UserErrorException, match="inputs.data has no value"):
        client.jobs.create_or_update(train(x=1))


def test_environments_come_from_files_too(files):
    (files / "conda.yml").write_text("dependencies:\n- python=3\n- pip:\n  - no-such-package\n")
    (files / "environment.yml").write_text("name: mine\nconda_file: conda.yml\n")
    assert load_environment(files / "environment.yml")._as_v1().python.conda_dependencies.pip_packages == \
        ["no-such-package"]
    (files / "built.yml").write_text("name: built\nbuild: {path: docker, dockerfile_path: Own}\n")
    (files / "docker").mkdir()
    context = load_environment(files / "built.yml")._as_v1().docker.build_context
    assert (context.path, context.dockerfile_path) == (str(files / "docker"), "Own")
    same = Environment(name="b", build=BuildContext(path=files / "docker"))._as_v1().docker.build_context
    assert (same.path, same.dockerfile_path) == (str(files / "docker"), "Dockerfile")
    (files / "wrong.yml").write_text("name: mine\nconda_flie: conda.yml\n")
    with pytest.raises(UserErrorException, match="conda_flie.*did you mean 'conda_file'"):
        load_environment(files / "wrong.yml")
    with pytest.raises(UserErrorException, match="image and build"):
        Environment(image="python:3.12", build=BuildContext(path="docker"))


def test_what_cannot_be_loaded_says_so(files):
    with pytest.raises(UserErrorException, match="there is no .*none.yml"):
        load_job("none.yml")
    (files / "bad.yml").write_text(json.dumps({"type": "schedule"}))
    with pytest.raises(UserErrorException, match="type 'schedule' is none; allowed: sweep, command, pipeline"):
        load_job(files / "bad.yml")
    with pytest.raises(NotImplementedError, match="sweep"):
        load_component(files / "sweep.yml")
