# SPDX-License-Identifier: Apache-2.0
"""Compute targets of hdrive.azureml: the targets of targets.yml, and the words for what there is not."""

import os
import stat
import sys

import hdrive
import pytest
from azure_scripts import config
from hdrive.azureml import (AmlCompute, BatchCompute, ComputeTarget, ComputeTargetException, CondaDependencies,
                            DockerConfiguration, Environment, Estimator, Experiment, HDInsightCompute, NotBuiltError,
                            PyTorchConfiguration, RandomParameterSampling, RemoteCompute, ScriptRunConfig,
                            UserErrorException, Workspace, choice)
from hdrive.azureml.v2 import AmlCompute as Described
from hdrive.azureml.v2 import Choice, MLClient, command, load_job

TARGETS = """# mine
targets:
  lab: {type: ssh, hosts: [node1], slots: 3}   # under the desk
  cluster: {type: slurm, partition: gpu, slots: 40}
  grid: {type: command, system: sge, slots: 7}
"""


@pytest.fixture(autouse=True)
def nobody_has_targets(monkeypatch, tmp_path):
    """But the tests themselves."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nothing"))


@pytest.fixture
def lab(own_folder, monkeypatch):
    """A machine by SSH that is this one, whichever is asked for, and has a Python of its own."""
    (own_folder / "bin").mkdir()
    client = own_folder / "bin" / "ssh"
    client.write_text("#!/bin/sh\nfor last; do :; done\nexec /bin/sh -c \"$last\"\n")
    client.chmod(client.stat().st_mode | stat.S_IXUSR)
    (own_folder / "there").mkdir()
    (own_folder / "there" / "python").write_text(f"#!/bin/sh\nexport THERE=yes\nexec {sys.executable} \"$@\"\n")
    (own_folder / "there" / "python").chmod(0o700)
    monkeypatch.setenv("PATH", str(own_folder / "bin"), prepend=":")
    (own_folder / "targets.yml").write_text(
        f"targets:\n  lab: {{type: ssh, hosts: [node1], slots: 2, directory: {own_folder}/kept, "
        f"python: {own_folder}/there}}\n")


def test_targets_are_found_by_their_names(own_folder):
    (own_folder / "targets.yml").write_text(TARGETS)
    workspace = Workspace.from_config()
    assert {name: (type(each), each.type) for name, each in workspace.compute_targets.items()} == {
        "lab": (RemoteCompute, "ssh"), "cluster": (AmlCompute, "slurm"),
        "grid": (AmlCompute, "command")}
    found = ComputeTarget(workspace=workspace, name="cluster")
    assert (type(found), found.name, found.properties["partition"]) == (AmlCompute, "cluster", "gpu")
    assert found.get_status().serialize()["slots"] == 40 and found.provisioning_state == "Succeeded"
    assert type(AmlCompute(workspace, "lab")) is AmlCompute  # whatever it is, it is a target
    assert [each.name for each in ComputeTarget.list(workspace)] == ["lab", "cluster", "grid"]
    assert ComputeTarget(workspace, "local").type == "local"


def test_what_is_wrong_with_a_target_is_told_and_the_others_are_there(own_folder):
    (own_folder / "targets.yml").write_text("targets:\n  bad: {type: shh}\n  lab: {type: ssh, hosts: [node1]}\n")
    with pytest.warns(UserWarning, match='did you mean "ssh"'):
        assert list(Workspace().compute_targets) == ["lab"]
    with pytest.raises(ComputeTargetException, match="bad"):
        ComputeTarget(None, "bad")


@pytest.mark.parametrize("kind", [ComputeTarget, AmlCompute, RemoteCompute, HDInsightCompute, BatchCompute])
def test_what_there_is_not_says_how_to_make_it(kind, source, own_folder):
    (own_folder / "targets.yml").write_text(TARGETS)
    with pytest.raises(ComputeTargetException, match='allowed: local, lab, cluster, grid; did you mean "cluster"') as caught:
        kind(workspace=None, name="clusters")
    assert "hdrive target create clusters --host HOST" in str(caught.value)
    description = kind.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=4)
    assert ComputeTarget.create(None, "cluster", description).name == "cluster"


def test_a_cluster_of_azures_is_this_machine_which_is_warned_of(source, own_folder):
    workspace = Workspace()
    try:  # as programs have it
        cluster = ComputeTarget(workspace=workspace, name="cpu-cluster")
    except ComputeTargetException:
        with pytest.warns(UserWarning, match="AmlCompute 'cpu-cluster': hdrive makes no clusters: the runs are processes on this "
                                             "machine(.|\n)*hdrive target create cpu-cluster --host HOST"):
            cluster = ComputeTarget.create(workspace, "cpu-cluster", AmlCompute.provisioning_configuration(vm_size="X"))
    cluster.wait_for_completion(show_output=True)
    cluster.refresh_state()
    assert (cluster.name, cluster.type) == ("cpu-cluster", "local")
    assert "cpu-cluster" not in workspace.compute_targets
    with pytest.warns(UserWarning, match="compute target 'gpu': the runs are processes on this machine"):
        assert workspace.compute_targets["gpu"].type == "local"
    source.run_config.target = cluster
    Experiment(workspace, "x").submit(source).wait_for_completion()
    for target in ("cpu-cluster", "azureml-cpu"):
        source.run_config.target = target
        with pytest.warns(UserWarning, match=f"compute target '{target}': the runs are processes on this machine"):
            run = Experiment(workspace, "x").submit(source)
        assert run.wait_for_completion() and run.get_status() == "Completed"
    (own_folder / "targets.yml").write_text(TARGETS)
    with pytest.warns(UserWarning, match='allowed: local, lab, cluster, grid; did you mean "cluster"'):
        ScriptRunConfig(".", "train.py", compute_target="clusters")._program("x")


def test_nothing_is_begun_where_something_is_refused(source, own_folder):
    (own_folder / "targets.yml").write_text("targets:\n  cluster: {type: slurrm}\n")
    source.run_config.target = "cluster"
    with pytest.raises(ComputeTargetException, match='did you mean "slurm"'):
        Experiment(Workspace.from_config(), "x").submit(config(source))
    assert hdrive.sweeps() == []


def test_a_machine_is_attached_and_detached(own_folder):
    (own_folder / "targets.yml").write_text(TARGETS)
    workspace = Workspace()
    description = RemoteCompute.attach_configuration("ada", "node7", 2201, private_key_file="id")
    attached = ComputeTarget.attach(workspace, "desk", description)
    assert (type(attached), attached.name) == (RemoteCompute, "desk")
    text = (own_folder / "targets.yml").read_text()
    assert "# under the desk" in text and "node7" in text and "2201" in text and str(own_folder / "id") in text
    assert ComputeTarget.attach(workspace, "desk", description) is not None  # the same again
    assert (own_folder / "targets.yml").read_text() == text
    with pytest.raises(ComputeTargetException, match="another target 'desk'"):
        ComputeTarget.attach(workspace, "desk", RemoteCompute.attach_configuration("ada", "node8"))
    attached.detach()
    assert (own_folder / "targets.yml").read_text() == TARGETS
    with pytest.raises(ComputeTargetException, match="desk"):
        attached.refresh_state()


@pytest.mark.parametrize("description, match", [
    (RemoteCompute.attach_configuration("ada", "node7", password="secret"), "keeps no secrets"),
    (RemoteCompute.attach_configuration("ada"), "address"),
    (BatchCompute.attach_configuration(resource_group="g", account_name="a"), "BatchCompute 'x' cannot be attached"),
    (HDInsightCompute.attach_configuration(username="a", address="b"), "RemoteCompute.attach_configuration"),
])
def test_what_cannot_be_attached_says_why(description, match, own_folder):
    with pytest.raises(ComputeTargetException, match=match):
        ComputeTarget.attach(Workspace(), "x", description)
    assert not os.path.exists("targets.yml")


def test_a_sweep_goes_to_its_target_with_the_python_there(lab, own_folder):
    (own_folder / "train.py").write_text(
        "import os, sys\nfrom azureml.core import Run\nrun = Run.get_context()\n"
        "run.log('loss', float(sys.argv[2]))\nrun.log('there', os.environ.get('THERE') == 'yes')\n"
        "os.makedirs('outputs', exist_ok=True)\nopen('outputs/model', 'w').write(sys.argv[2])\n")
    source = ScriptRunConfig(".", "train.py", compute_target=ComputeTarget(None, "lab"))
    swept = config(source, RandomParameterSampling({"--x": choice(1, 2, 3)}), max_total_runs=3)
    run = Experiment(Workspace(), "x").submit(swept)
    run.wait_for_completion()
    assert {child.get_metrics()["there"] for child in run.get_children()} == {1.0}
    best = run.get_best_run_by_primary_metric()
    assert (best.get_details()["target"], run.get_details()["target"]) == ("lab", "lab")
    best.download_file("outputs/model", "model")
    assert float((own_folder / "model").read_text()) == best.get_metrics()["loss"]
    assert run._sweep._spec.targets == ["lab"] and run._sweep._spec.max_concurrent_runs == 2


def test_several_processes_of_a_run_are_started_on_its_machine(lab, own_folder):
    (own_folder / "train.py").write_text("import os\nfrom azureml.core import Run\n"
                                         "Run.get_context().log('size', int(os.environ['WORLD_SIZE']))\n")
    script = ScriptRunConfig(".", "train.py", compute_target="lab",
                             distributed_job_config=PyTorchConfiguration(process_count=2))
    run = Experiment(Workspace(), "x").submit(script)
    run.wait_for_completion()
    assert run.get_metrics() == {"size": 2.0}


@pytest.mark.parametrize("change, match", [
    (lambda c: setattr(c.run_config.environment.python, "conda_dependencies", CondaDependencies.create(["numpy"])),
     "packages are installed on this machine alone, and the runs go to target 'lab'"),
    (lambda c: setattr(c, "distributed_job_config", PyTorchConfiguration(process_count=2, node_count=2)),
     "node_count is 2, but on target 'lab' a run has one"),
    (lambda c: setattr(c.run_config, "docker", DockerConfiguration(use_docker=True)), "container on target 'lab'"),
])
def test_what_a_machine_by_ssh_cannot_be_given_is_refused(change, match, source, own_folder):
    (own_folder / "targets.yml").write_text(TARGETS)
    source.run_config.target = "lab"
    source.run_config.environment = Environment("mine")
    if "container" in match:
        source.run_config.environment.docker.base_image = "python:3.12"
    change(source)
    with pytest.raises((NotBuiltError, UserErrorException), match=match):
        Experiment(Workspace(), "x").submit(source)
    assert hdrive.sweeps() == []


def test_a_runconfigs_target_is_the_one_of_its_name(lab, own_folder):
    from hdrive.azureml import RunConfiguration
    (own_folder / "train.py").write_text("print('trained')")
    (own_folder / "a.runconfig").write_text("script: train.py\ntarget: lab\n")
    loaded = RunConfiguration.load("a.runconfig")
    assert ScriptRunConfig(".", run_config=loaded)._program("x").target == "lab"
    (own_folder / "b.runconfig").write_text("script: train.py\ntarget: nowhere\n")
    with pytest.warns(UserWarning, match="nowhere"):
        loaded = RunConfiguration.load("b.runconfig")
    assert ScriptRunConfig(".", run_config=loaded)._program("x").target is None
    loaded.target = ComputeTarget(None, "lab")
    loaded.save("c.runconfig")
    assert RunConfiguration.load("c.runconfig").target == "lab"
    assert Estimator(".", entry_script="train.py", compute_target="lab")._script()._program("x").target == "lab"


def test_v2_has_the_same_targets(lab, own_folder):
    client = MLClient()
    assert [each.name for each in client.compute.list()] == ["lab"]
    assert client.compute.get("lab").type == "ssh"
    assert client.compute.begin_create_or_update(Described(name="lab", size="small")).result().name == "lab"
    with pytest.warns(UserWarning, match="'cpu-cluster': hdrive makes no clusters"):
        assert client.compute.begin_create_or_update(Described(name="cpu-cluster")).result().type == "local"
    job = command(command="python -c \"import hdrive_run, os; hdrive_run.log('loss', ${{inputs.x}}); "
                          "hdrive_run.log('there', os.environ['THERE'] == 'yes')\"",
                  inputs={"x": 1}, compute="azureml:lab")
    started = client.jobs.create_or_update(job(x=Choice([4, 5])).sweep(
        primary_metric="loss", goal="minimize", sampling_algorithm="grid"))
    client.jobs.stream(started.name)
    sweep = hdrive.load(started.name)
    assert (sweep._spec.targets, sweep.best.value) == (["lab"], 4.0)
    (own_folder / "job.yml").write_text("type: command\ncommand: echo here\n")
    begun = client.jobs.create_or_update(load_job("job.yml"), compute="lab")
    client.jobs.stream(begun.name)
    assert begun.run._sweep._spec.targets == ["lab"]
