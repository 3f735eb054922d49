# SPDX-License-Identifier: Apache-2.0
"""Environments that are images: with an engine that is a script, and with podman where it runs."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest
from hdrive.azureml import (ContainerRegistry, DockerBuildContext, DockerConfiguration, Environment, Estimator,
                            Experiment, GridParameterSampling, HyperDriveConfig, NotBuiltError, PrimaryMetricGoal,
                            PyTorchConfiguration, RunConfiguration, ScriptRunConfig, UserErrorException, Workspace,
                            choice, v2)

SCRIPT = """
import argparse, os
from azureml.core import Run
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float, default=1)
parser.add_argument("--data")
known = parser.parse_args()
run = Run.get_context()
run.log("Accuracy", known.x + len(open(known.data).read()))
run.log("colour", len(os.environ["COLOUR"]))
open("outputs/model", "w").write("done")
"""


@pytest.fixture
def engine(own_folder, monkeypatch):
    """A podman that keeps what it was called with, and runs on this machine what is to run in a container."""
    folder = own_folder / "bin"
    folder.mkdir()
    program = folder / "podman"
    program.write_text(f"""#!/bin/bash
echo "$*" >> {own_folder}/calls
case "$1" in
image) [ "$3" = me/train ] || [[ "$3" = localhost/* && -e {own_folder}/built ]] ;;
build) cp "$5" {own_folder}/dockerfile; touch {own_folder}/built ;;
pull) echo no network >&2; exit 1 ;;
run) while [[ "$1" != me/train && "$1" != localhost/hdrive-image:* && "$1" != r.example/me/train ]]; do shift; done
     shift; [ "$1" != python ] || set -- {sys.executable} "${{@:2}}"; exec "$@" ;;
esac""")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HDRIVE_ENVIRONMENTS", str(own_folder / "cache"))
    monkeypatch.delenv("PYTHONPATH", raising=False)  # scripts have the stand-in alone, as in a container
    return lambda: (own_folder / "calls").read_text().splitlines()


@pytest.fixture
def source(own_folder):
    (own_folder / "src").mkdir()
    (own_folder / "src" / "train.py").write_text(SCRIPT)
    (own_folder / "data.csv").write_text("1,2,3")
    given = ScriptRunConfig("src", "train.py", ["--data", own_folder / "data.csv"])
    given.run_config.environment_variables["COLOUR"] = "red"
    return given


def submit(config):
    run = Experiment(Workspace.from_config(), "images").submit(config)
    run.wait_for_completion()
    return run


def test_a_script_runs_in_its_image(engine, source, own_folder):
    source.run_config.environment = Environment.from_docker_image("mine", "me/train")
    source.run_config.docker = DockerConfiguration(use_docker=True, arguments=["--cap-drop", "ALL"], shm_size="2g")
    run = submit(source)
    assert run.get_metrics() == {"Accuracy": 6.0, "colour": 3.0}
    assert "outputs/model" in run.get_file_names()
    [line] = [line for line in engine() if line.startswith("run ")]
    data = own_folder / "data.csv"
    for part in (f"--volume {data}:{data}", "--env COLOUR", "--shm-size 2g", "--cap-drop ALL me/train python train.py"):
        assert part in line


def test_a_sweep_runs_in_an_image_that_is_built_once(engine, source, own_folder):
    source.run_config.environment = Environment.from_dockerfile("mine", "FROM python:3.12\n")
    config = HyperDriveConfig(run_config=source, hyperparameter_sampling=GridParameterSampling({"--x": choice(1, 2)}),
                              primary_metric_name="Accuracy", primary_metric_goal=PrimaryMetricGoal.MAXIMIZE,
                              max_total_runs=2)
    for _ in range(2):
        assert submit(config).get_best_run_by_primary_metric().get_metrics()["Accuracy"] == 7.0
    assert sum(line.startswith("build ") for line in engine()) == 1
    assert (own_folder / "dockerfile").read_text() == "FROM python:3.12\n"


def test_images_are_of_folders_and_registries_too(engine, source, own_folder):
    (own_folder / "docker").mkdir()
    (own_folder / "docker" / "Own").write_text("FROM a\n")
    context = DockerBuildContext.from_local_directory(None, "docker", "Own")
    built = Environment.from_docker_build_context("mine", context)
    built.build().wait_for_completion()
    assert engine()[-1].endswith(str(own_folder / "docker"))
    registry = ContainerRegistry()
    registry.address = "r.example"
    with pytest.raises(UserErrorException, match="image r.example/me/train: cannot be fetched.*\n*no network"):
        Environment.from_docker_image("mine", "me/train", registry).build()
    registry.username = "me"
    with pytest.raises(NotBuiltError, match="podman login r.example"):
        Environment.from_docker_image("mine", "me/train", registry).build()


def test_a_v2_job_runs_in_the_image_of_its_environment(engine, source):
    job = v2.command(code="src", command="python train.py --data ${{inputs.data}}",
                     environment_variables={"COLOUR": "red"},
                     inputs={"data": v2.Input(type="uri_file", path="data.csv")},
                     environment=v2.Environment(image="me/train"))
    started = v2.MLClient().jobs.create_or_update(job)
    started.run.wait_for_completion()
    assert started.run.get_metrics() == {"Accuracy": 6.0, "colour": 3.0}
    [line] = [line for line in engine() if line.startswith("run ")]
    data = os.path.abspath("data.csv")
    assert " me/train /bin/sh -c " in line and f"--volume {data}:{data}" in line


def test_a_command_sees_the_paths_among_its_words(engine, own_folder, source):
    source.run_config.environment = Environment.from_docker_image("mine", "me/train")
    submit(ScriptRunConfig("src", command=["python", "train.py", "--data", own_folder / "data.csv"],
                           run_config=source.run_config))
    [line] = [line for line in engine() if line.startswith("run ")]
    assert f"--volume {own_folder}/data.csv:{own_folder}/data.csv" in line


def test_an_estimators_image_is_taken_to_have_its_framework(engine, source):
    from hdrive.azureml import SKLearn
    estimator = SKLearn("src", entry_script="train.py", custom_docker_image="me/train", shm_size="1g",
                        script_params={"--data": source.arguments[1]}, environment_variables={"COLOUR": "red"})
    assert submit(estimator).get_metrics()["Accuracy"] == 6.0
    assert "--shm-size 1g" in engine()[-1]


def test_what_an_image_cannot_be_is_named(source, own_folder, monkeypatch):
    def refused(environment, match, **given):
        source.run_config.environment = environment
        with pytest.raises(UserErrorException, match=match):
            ScriptRunConfig("src", "train.py", run_config=source.run_config, **given)._program("x")

    (own_folder / "pip.txt").write_text("numpy")
    refused(Environment.from_docker_image("mine", "me/train", pip_requirements="pip.txt"), "not installed into images")
    refused(Environment.from_dockerfile("mine", "none/Dockerfile"), "there is no Dockerfile .*none/Dockerfile")
    both = Environment.from_dockerfile("mine", "FROM a\n")
    both.docker.base_image = "me/train"
    refused(both, "one is wanted")
    refused(Environment.from_docker_image("mine", "me/train"), "PyTorchConfiguration in a container",
            distributed_job_config=PyTorchConfiguration(process_count=2))
    monkeypatch.setenv("PATH", str(own_folder))
    source.run_config.environment = Environment.from_docker_image("mine", "me/train")
    with pytest.raises(UserErrorException, match="wants the image me/train, and neither podman nor docker nor "
                                                 "apptainer is in PATH; install one, or leave the image out"):
        submit(source)


def test_without_an_image_of_its_own_a_docker_section_changes_nothing(source):
    source.run_config.docker = DockerConfiguration(use_docker=True)
    assert source._program("x").image is None
    source.run_config.environment.docker.base_image = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04"
    with pytest.warns(UserWarning, match="conda and MPI alone"):
        assert source._program("x").image is None


def test_an_image_is_kept_with_its_environment(own_folder):
    environment = Environment.from_docker_image("mine", "me/train")
    environment.docker.shm_size = "2g"
    environment.register()
    kept = Environment.get(None, "mine").docker
    assert (kept.base_image, kept.shm_size) == ("me/train", "2g")
    Environment.from_docker_build_context("other", DockerBuildContext("docker")).register()
    assert Environment.get(None, "other").docker.build_context.path == "docker"


@pytest.fixture
def podman(own_folder, monkeypatch):
    """The real engine, in a private mount namespace with this machine's files as its image."""
    real = shutil.which("podman")
    if not real or not shutil.which("runc") or os.geteuid() != 0:
        pytest.skip("needs podman and runc, and to be root")
    place = pathlib.Path(tempfile.mkdtemp(prefix="hdrive-podman-"))
    for name in ("rootfs", "root", "run"):
        (place / name).mkdir()
    flags = (f"--root {place}/root --runroot {place}/run --storage-driver vfs --cgroup-manager cgroupfs "
             "--events-backend file --runtime runc")
    (own_folder / "bin").mkdir()
    program = own_folder / "bin" / "podman"
    program.write_text(f"""#!/bin/bash
case "$1 $2" in "image inspect"|"info ") exit 0;; esac
if [ "$1" = run ]; then
  shift; words=(run --ulimit nofile=1024:1024 --ulimit nproc=1024:1024)
  while [ "$1" != me/train ]; do words+=("$1"); shift; done; shift
  exec unshare -m bash -c 'mount --bind / {place}/rootfs; exec {real} {flags} "$@"' x \\
    "${{words[@]}}" --rootfs {place}/rootfs "$@"
fi
exec {real} {flags} "$@" """)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{own_folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    probe = subprocess.run([program, "run", "--rm", "--network", "host", "--entrypoint", "", "me/train", "true"],
                           capture_output=True, text=True, timeout=100)
    if probe.returncode != 0:
        pytest.skip(f"podman does not run here: {probe.stderr}")
    yield
    shutil.rmtree(place, ignore_errors=True)


def test_podman_runs_a_script(podman, source):
    source.run_config.environment = Environment.from_docker_image("mine", "me/train")
    source.run_config.environment.python.interpreter_path = sys.executable
    assert submit(source).get_metrics() == {"Accuracy": 6.0, "colour": 3.0}


def test_run_configurations_and_estimators_have_their_own(own_folder):
    first, second = RunConfiguration(), RunConfiguration()
    first.environment.docker.arguments.append("--cap-drop")
    assert second.environment.docker.arguments == []
    (own_folder / "train.py").write_text("")
    with pytest.warns(UserWarning, match="shm_size"):
        Estimator(".", entry_script="train.py", shm_size="2g")
