# SPDX-License-Identifier: Apache-2.0
"""The shape of azure.ai.ml, with real scripts."""

import json
import os

import hdrive
import pytest
from hdrive.azureml import ComputeTargetException, UserErrorException, v2
from hdrive.azureml.v2 import (BanditPolicy, Choice, Environment, Input, MLClient, MpiDistribution, Normal, Output,
                               QUniform, Randint, RandomSamplingAlgorithm, TruncationSelectionPolicy, Uniform, command)
from hdrive.azureml.v2._distributions import as_distribution, as_policy

TRAIN = """
import argparse, os
from azureml.core import Run
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
parser.add_argument("--data")
parser.add_argument("--model")
parser.add_argument("--note", default="none")
arguments = parser.parse_args()
run = Run.get_context()
run.log("size", len(open(arguments.data).read()))
run.log("note", arguments.note)
run.log("accuracy", 1 - abs(arguments.x - 0.5))
with open(os.path.join(arguments.model, "weights.txt"), "w") as file:
    file.write(str(arguments.x))
"""


@pytest.fixture
def job(own_folder):
    (own_folder / "src").mkdir()
    (own_folder / "src" / "train.py").write_text(TRAIN)
    (own_folder / "data.csv").write_text("1,2,3")
    return command(code="src", display_name="tuned", experiment_name="v2", inputs={
        "x": 0.1, "data": Input(type="uri_file", path="data.csv"), "note": None}, outputs={
        "model": Output(type="uri_folder")}, command="python train.py --x ${{inputs.x}} --data ${{inputs.data}} "
        "--model ${{outputs.model}} $[[--note ${{inputs.note}}]]")


def test_a_command_is_swept_streamed_and_its_best_downloaded(job, own_folder, capsys):
    sweep = job(x=Choice([0.0, 0.5, 1.0])).sweep(sampling_algorithm="grid", primary_metric="accuracy",
                                                 goal="maximize")
    sweep.set_limits(max_total_trials=3, max_concurrent_trials=2, timeout=600)
    sweep.early_termination = BanditPolicy(slack_factor=0.9, evaluation_interval=2)
    client = MLClient.from_config()
    started = client.jobs.create_or_update(sweep)
    client.jobs.stream(started.name)
    assert "Completed, best accuracy 1" in capsys.readouterr().out
    found = client.jobs.get(started.name)
    assert (found.status, found.type, found.display_name, found.experiment_name) == \
        ("Completed", "sweep", "tuned", "v2")
    best = client.jobs.get(found.properties["best_child_run_id"])
    assert best.run.get_metrics() == {"accuracy": 1.0, "size": 5.0, "note": "none"}
    client.jobs.download(started.name, download_path="got", all=True)
    assert (own_folder / "got/named-outputs/model/weights.txt").read_text() == "0.5"
    assert (own_folder / "got/artifacts/outputs/model/weights.txt").read_text() == "0.5"
    client.jobs.download(started.name, download_path="one", output_name="model")
    assert os.listdir("one") == ["named-outputs"]
    assert [each.name for each in client.jobs.list()] == [started.name]
    assert len(list(client.jobs.list(parent_job_name=started.name))) == 3
    assert hdrive.load(started.name).best.params == {"x": 0.5}


def test_a_command_runs_by_itself(job):
    client = MLClient()
    started = client.create_or_update(job(x=0.25, note="alone"))
    client.jobs.stream(started.name)
    assert client.jobs.get(started.name).run.get_metrics() == {"accuracy": 0.75, "size": 5.0, "note": "alone"}


def test_a_job_is_found_by_the_name_it_was_given(job):
    client = MLClient()
    sweep = job(x=Choice([0.5])).sweep(sampling_algorithm="grid", primary_metric="accuracy", goal="maximize")
    sweep.name = "mine"
    started = client.jobs.create_or_update(sweep)
    assert started.name == "mine"
    client.jobs.stream("mine")
    assert client.jobs.get("mine").status == "Completed"
    assert hdrive.load("mine").best.value == 1.0


def test_a_seed_gives_the_same_draws_again(job):
    def drawn():
        sweep = job(x=Uniform(0, 1)).sweep(sampling_algorithm=RandomSamplingAlgorithm(seed=3, rule="sobol"),
                                           primary_metric="accuracy", goal="maximize", max_total_trials=2)
        started = MLClient().jobs.create_or_update(sweep)
        started.run.wait_for_completion()
        return [json.loads(text) for text in started.run.get_hyperparameters().values()]
    assert drawn() == drawn()


def test_a_dict_in_a_choice_has_members_of_its_own(job, own_folder):
    (own_folder / "src" / "nested.py").write_text(
        "import os\nfrom azureml.core import Run\n"
        "Run.get_context().log('accuracy', float(os.environ.get('AZUREML_SWEEP_lr', -1)))")
    nested = command(code="src", command="python nested.py ${{search_space.model}} ${{search_space.lr}}")
    sweep = nested.sweep(primary_metric="accuracy", goal="maximize", sampling_algorithm="random", search_space={
        "model": Choice([{"name": "small", "lr": Uniform(0.1, 0.2)}])}, max_total_trials=1)
    started = MLClient().jobs.create_or_update(sweep)
    started.run.wait_for_completion()
    params = json.loads(started.run.get_hyperparameters()[started.name + "_0"])
    assert params["model"] == {"name": "small"} and 0.1 <= params["lr"] <= 0.2


def test_distributions_are_the_expressions():
    assert as_distribution("x", QUniform(1, 9, 2)) == hdrive.quniform(1, 9, 2)
    assert as_distribution("x", Randint(upper=4)) == hdrive.randint(4)
    assert as_distribution("x", Normal(mu=1, sigma=2)) == hdrive.normal(1, 2)
    with pytest.raises(UserErrorException, match="x: Uniform wants min_value, max_value"):
        as_distribution("x", Uniform(min_value=1))
    with pytest.raises(UserErrorException, match="allowed: Choice, Randint"):
        as_distribution("x", 3)
    with pytest.raises(TypeError):
        Uniform(minimum=1)


def test_policies_take_azures_zeros_for_none_given():
    assert BanditPolicy(slack_amount=0.1).slack_factor is None
    assert as_policy("median_stopping").evaluation_interval == 1
    with pytest.raises(UserErrorException, match="neither is given"):
        BanditPolicy()
    with pytest.raises(UserErrorException, match="truncation_percentage"):
        TruncationSelectionPolicy()
    with pytest.raises(UserErrorException, match="bandit"):
        as_policy("bandit")


def test_what_a_job_lacks_is_named(job, own_folder):
    with pytest.raises(UserErrorException, match="no input 'y'"):
        job(y=1)
    with pytest.raises(UserErrorException, match="Inputs to job does not contain 'rate' referenced in command"):
        MLClient().jobs.create_or_update(command(command="python train.py ${{inputs.rate}}"))
    with pytest.raises(UserErrorException, match="there is no .*none.csv"):
        MLClient().jobs.create_or_update(job(data=Input(path="none.csv")))
    with pytest.raises(UserErrorException, match="azureml:data:1"):
        MLClient().jobs.create_or_update(job(data=Input(path="azureml:data:1")))
    with pytest.raises(ComputeTargetException, match="cpu-cluster"):
        MLClient().compute.get("cpu-cluster")
    with pytest.raises(UserErrorException, match="did you mean 'bayesian'"):
        job(x=Uniform(0, 1)).sweep(sampling_algorithm="bayesan", primary_metric="a", goal="maximize")._config()
    with pytest.raises(UserErrorException, match="MLClient.data"):
        MLClient().data
    with pytest.warns(UserWarning, match="instance_type"):
        command(command="true", instance_type="Standard_D2")
    assert hdrive.sweeps() == []
    with pytest.warns(UserWarning, match="compute target 'cpu-cluster': the runs are processes on this machine"):
        started = MLClient().jobs.create_or_update(job(x=1), compute="cpu-cluster")
    MLClient().jobs.stream(started.name)


def test_a_job_is_validated_without_being_begun(job):
    jobs = MLClient().jobs
    assert jobs.validate(job) == []
    assert jobs.validate(job(x=Uniform(0, 1)).sweep(primary_metric="a", goal="maximize")) == []
    assert "best" in jobs.validate(job(x=Uniform(0, 1)).sweep(primary_metric="a", goal="best"))[0]
    with pytest.raises(UserErrorException, match="a distribution; call .sweep"):
        jobs.validate(job(x=Uniform(0, 1)), raise_on_failure=True)
    with pytest.raises(NotImplementedError, match="hdrive delete"):
        jobs.archive("x")
    assert hdrive.sweeps() == []


def test_what_is_not_there_says_so_when_used():
    with pytest.raises(NotImplementedError, match="Data is not there"):
        v2.Data(path="data.csv")


def test_environments_tell_what_is_missing(own_folder, monkeypatch):
    packages = {"dependencies": ["python=3", "numpy", {"pip": ["no-such-package>=2", "numpy>=1.0"]}]}
    lacking = command(command="python -c 1", environment=Environment(
        name="mine", image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04", conda_file=packages))
    with pytest.warns(UserWarning, match="is not run"), pytest.raises(UserErrorException, match="no-such-package>=2"):
        lacking._script({})._program("x")
    curated = command(command="true", environment="azureml://registries/azureml/environments/minimal-py/labels/latest")
    with pytest.warns(UserWarning, match="minimal-py.* is not on this machine, so the program is found in PATH"):
        curated._script({})._program("x")
    MLClient().environments.create_or_update(Environment(name="kept", conda_file={"dependencies": ["no-such-one"]}))
    with pytest.raises(UserErrorException, match="no-such-one"):
        command(command="python -c 1", environment="azureml:kept@latest")._script({})._program("x")
    monkeypatch.setenv("PATH", str(own_folder))  # without podman, docker and apptainer
    with pytest.raises(UserErrorException, match="podman"):
        MLClient().jobs.create_or_update(command(command="true", environment=Environment(image="pytorch/pytorch")))


def test_several_processes_of_a_run_know_their_ranks(own_folder):
    (own_folder / "ranks.py").write_text(
        "import os\nfrom azureml.core import Run\n"
        "if os.environ['RANK'] == '0':\n"
        "    Run.get_context().log('size', int(os.environ['WORLD_SIZE']))")
    started = MLClient().jobs.create_or_update(command(
        command="python ranks.py", distribution={"type": "pytorch", "process_count_per_instance": 2}))
    started.run.wait_for_completion()
    assert started.run.get_metrics() == {"size": 2.0}
    assert MpiDistribution(process_count_per_instance=1).process_count_per_instance == 1
