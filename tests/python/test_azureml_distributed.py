# SPDX-License-Identifier: Apache-2.0
"""Runs of several processes in hdrive.azureml: what the configurations of both SDKs amount to."""

import json
import sys

import pytest
from hdrive.azureml import (Experiment, MpiConfiguration, NotBuiltError, PyTorchConfiguration, RunConfiguration,
                            ScriptRunConfig, TensorflowConfiguration, UserErrorException, Workspace)
from hdrive.azureml.v2 import Choice, MLClient, MpiDistribution, command

RANKS = """
import json, os, time
from azureml.core import Run
os.makedirs("outputs", exist_ok=True)
names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "NODE_RANK", "TF_CONFIG")
mine = f"{os.environ.get('HDRIVE_RANK', 'alone')}.json"
with open(mine, "w") as file:
    json.dump({name: os.environ[name] for name in names if name in os.environ}, file)
os.rename(mine, f"outputs/{mine}")
print("I am", os.environ.get("HDRIVE_RANK"))
Run.get_context().log("rank", float(os.environ.get("HDRIVE_RANK", -1)))
# Parameter servers are ended when the last worker is done, however far they are: a worker waits for all of them, as
# TensorFlow's do.
tasks = sum(len(each) for each in json.loads(os.environ.get("TF_CONFIG", "{}")).get("cluster", {}).values())
while len(os.listdir("outputs")) < tasks:
    time.sleep(0.01)
"""
CLUSTER = "targets:\n  cluster: {type: slurm, partition: gpu}\n"


@pytest.fixture
def ranks(own_folder):
    (own_folder / "ranks.py").write_text(RANKS)
    return own_folder


def told(run):
    """What the processes wrote, by the names of their files."""
    names = [name for name in run.get_file_names() if name.endswith(".json")]
    found = {}
    for name in names:
        run.download_file(name, "told.json")
        with open("told.json") as file:
            found[name.rpartition("/")[2]] = json.load(file)
    return found


@pytest.mark.parametrize("configuration, nodes, options", [
    (MpiConfiguration(), 1, {}),
    (MpiConfiguration(4), 1, {"distribution": {"type": "mpi"}, "processes_per_node": 4, "nodes_per_run": 1}),
    (MpiConfiguration(4, 2), 1, {"distribution": {"type": "mpi"}, "processes_per_node": 4, "nodes_per_run": 2}),
    (PyTorchConfiguration(), 1, {}),
    (PyTorchConfiguration(process_count=6, node_count=3), 1,
     {"distribution": {"type": "pytorch"}, "processes_per_node": 2, "nodes_per_run": 3}),
    (PyTorchConfiguration(), 2, {"distribution": {"type": "pytorch"}, "processes_per_node": 1, "nodes_per_run": 2}),
    (TensorflowConfiguration(), 1, {}),
    (TensorflowConfiguration(2, 1), 1, {"distribution": {"type": "tensorflow", "worker_count": 2,
                                                         "parameter_server_count": 1},
                                        "processes_per_node": 1, "nodes_per_run": 1}),
])
def test_a_configuration_says_what_starts_the_processes_and_how_many(configuration, nodes, options):
    assert configuration._options(nodes) == options


def test_each_process_of_pytorch_knows_who_it_is_and_the_first_one_logs(ranks):
    script = ScriptRunConfig(".", "ranks.py", distributed_job_config=PyTorchConfiguration(process_count=2))
    run = Experiment(Workspace(), "x").submit(script)
    run.wait_for_completion()
    assert run.get_metrics() == {"rank": 0.0}
    assert told(run) == {f"{rank}.json": {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2",
                                          "NODE_RANK": "0"} for rank in (0, 1)}
    assert [name for name in run.get_file_names() if name.startswith("user_logs")] == \
        ["user_logs/std_log.txt", "user_logs/std_log_process_1.txt"]
    run.download_file("user_logs/std_log_process_1.txt", "log.txt")
    assert (ranks / "log.txt").read_text() == "I am 1\n"


def test_workers_and_parameter_servers_of_tensorflow_have_their_tasks(ranks):
    config = RunConfiguration()
    config.framework, config.communicator = "TensorFlow", "ParameterServer"
    config.tensorflow = TensorflowConfiguration(2, 1)
    run = Experiment(Workspace(), "x").submit(ScriptRunConfig(".", "ranks.py", run_config=config))
    run.wait_for_completion()
    tasks = [json.loads(each["TF_CONFIG"])["task"] for each in told(run).values()]
    assert sorted((task["type"], task["index"]) for task in tasks) == [("ps", 0), ("worker", 0), ("worker", 1)]


def test_mpi_starts_its_processes_by_mpirun(ranks, monkeypatch):
    (ranks / "bin").mkdir()
    (ranks / "bin" / "mpirun").write_text("#!/bin/sh\necho mpirun $1 $2\nshift 2\nexec \"$@\"\n")
    (ranks / "bin" / "mpirun").chmod(0o700)
    monkeypatch.setenv("PATH", str(ranks / "bin"), prepend=":")
    job = command(code=".", command=f"{sys.executable} ranks.py && echo ${{{{inputs.x}}}}", inputs={"x": 1},
                  distribution=MpiDistribution(process_count_per_instance=2))
    client = MLClient()
    started = client.jobs.create_or_update(job(x=Choice([3, 4])).sweep(
        primary_metric="rank", goal="maximize", sampling_algorithm="grid"))
    client.jobs.stream(started.name)
    best = started.run.get_best_run_by_primary_metric()
    best.download_file("user_logs/std_log.txt", "log.txt")
    assert (ranks / "log.txt").read_text().splitlines()[0] == "mpirun -n 2"


def test_a_machine_is_one_node_and_a_cluster_several(ranks):
    script = ScriptRunConfig(".", "ranks.py", distributed_job_config=PyTorchConfiguration(process_count=4, node_count=2))
    with pytest.raises(UserErrorException, match="node_count is 2, but on this machine a run has one"):
        script._program("x")
    (ranks / "targets.yml").write_text(CLUSTER)
    script.run_config.target = "cluster"
    assert script._program("x").processes == {"distribution": {"type": "pytorch"}, "processes_per_node": 2,
                                              "nodes_per_run": 2}
    job = command(code=".", command="python ranks.py", compute="cluster", instance_count=3,
                  distribution={"type": "pytorch", "process_count_per_instance": 2})
    assert job._script({})._program("x").processes == {"distribution": {"type": "pytorch"}, "processes_per_node": 2,
                                                       "nodes_per_run": 3}
    job.set_resources(instance_count=1)
    assert job._script({})._program("x").processes["nodes_per_run"] == 1


@pytest.mark.parametrize("wrong, match", [
    (lambda: PyTorchConfiguration(process_count=3, node_count=2)._options(1), "3, which 2 nodes do not share evenly"),
    (lambda: PyTorchConfiguration("MPI"), "communication_backend"),
    (lambda: MpiConfiguration(0), "process_count_per_node"),
    (lambda: command(command="true", instance_count=0), "instance_count"),
])
def test_what_cannot_be_is_named(wrong, match):
    with pytest.raises(UserErrorException, match=match):
        wrong()


def test_processes_are_not_started_in_containers(ranks):
    script = ScriptRunConfig(".", "ranks.py", distributed_job_config=MpiConfiguration(2))
    script.run_config.environment.docker.base_image = "python:3.12"
    with pytest.raises(NotBuiltError, match="MpiConfiguration in a container"):
        script._program("x")
