# SPDX-License-Identifier: Apache-2.0
"""Sweeps and runs of real scripts through hdrive.azureml."""

import json
import os
import pathlib
import subprocess
import sys
import warnings

import hdrive
import pytest
from azure_scripts import CLASSIFIER, LOGGER
from hdrive.azureml import (BanditPolicy, BayesianParameterSampling, Experiment, GridParameterSampling,
                            HyperDriveConfig, HyperDriveRun, PrimaryMetricGoal, RandomParameterSampling, Run,
                            ScriptRunConfig, Workspace, choice, install, uniform)
from hdrive.azureml import _live
from hdrive.azureml._errors import ActivityFailedException, ExperimentExecutionException, UserErrorException


@pytest.fixture
def experiment(own_folder):
    (own_folder / "src").mkdir()
    (own_folder / "src" / "train.py").write_text(CLASSIFIER)
    (own_folder / "src" / "log.py").write_text(LOGGER)
    return Experiment(Workspace.from_config(), "shapes")


def config_of(sampling, script="train.py", arguments=(), total=4, **given):
    source = ScriptRunConfig(source_directory="src", script=script, arguments=list(arguments))
    settings = {"primary_metric_name": "Accuracy", "primary_metric_goal": PrimaryMetricGoal.MAXIMIZE,
                "max_concurrent_runs": 2}
    return HyperDriveConfig(run_config=source, hyperparameter_sampling=sampling, max_total_runs=total,
                            **{**settings, **given})


@pytest.fixture
def grid(experiment):
    """A finished 2 x 2 grid."""
    space = {"--kernel": choice("linear", "rbf"), "--penalty": choice(1.0, 3.0)}
    run = experiment.submit(config_of(GridParameterSampling(space), arguments=["--epochs", 2]))
    run.wait_for_completion()
    return run


def test_a_grid_gives_all_results_in_hyperdrives_shapes(grid):
    assert grid.get_status() == "Completed"
    ranked = grid.get_children_sorted_by_primary_metric()
    assert [set(each) for each in ranked] == [{"run_id", "hyperparameters", "best_primary_metric", "status"}] * 4
    assert json.loads(ranked[0]["hyperparameters"]) == {"--kernel": "linear", "--penalty": 1.0}
    assert ranked[0]["best_primary_metric"] == pytest.approx(0.95)
    assert len(grid.get_children_sorted_by_primary_metric(top=2)) == 2
    assert grid.get_children_sorted_by_primary_metric(reverse=True)[0]["best_primary_metric"] == \
        ranked[-1]["best_primary_metric"]
    metrics = grid.get_metrics()
    assert set(metrics) == {f"{grid.id}_{number}" for number in range(4)}
    assert metrics[f"{grid.id}_0"]["Accuracy"] == pytest.approx([0.9, 0.95])
    assert metrics[f"{grid.id}_0"]["Kernel type"] == "linear"
    assert metrics[f"{grid.id}_0"]["Penalty"] == 1.0
    assert json.loads(grid.get_hyperparameters()[f"{grid.id}_3"]) == {"--kernel": "rbf", "--penalty": 3.0}
    assert [child.id for child in grid.get_children()] == list(metrics)


def test_the_best_run_gives_its_arguments_metrics_and_files(grid, own_folder):
    best = grid.get_best_run_by_primary_metric()
    assert best.id == f"{grid.id}_0" and best.parent.id == grid.id
    details = best.get_details()
    assert details["runDefinition"]["arguments"] == ["--epochs", "2", "--kernel", "linear", "--penalty", "1.0"]
    assert details["runDefinition"]["script"] == "train.py"
    assert details["status"] == "Completed" and details["startTimeUtc"] <= details["endTimeUtc"]
    assert json.loads(best.get_tags()["hyperparameters"]) == {"--kernel": "linear", "--penalty": 1.0}
    assert "outputs/model.json" in best.get_file_names()
    best.download_file(name="outputs/model.json", output_file_path="models/best.json")
    assert json.loads((own_folder / "models" / "best.json").read_text())["kernel"] == "linear"
    best.download_file("user_logs/std_log.txt")
    assert (own_folder / "std_log.txt").read_text() == "done with linear\n"
    best.download_files(prefix="outputs", output_directory="all")
    assert os.listdir("all/outputs") == ["model.json"]
    with pytest.raises(UserErrorException, match="outputs/model.json"):
        best.download_file("outputs/model.jsn")


def test_the_sweeps_details_name_the_best_run(grid):
    details = grid.get_details()
    assert details["runId"] == grid.id and details["status"] == "Completed"
    properties = details["properties"]
    assert json.loads(properties["primary_metric_config"]) == {"name": "Accuracy", "goal": "maximize"}
    assert properties["space_size"] == "4"
    assert properties["best_child_run_id"] == f"{grid.id}_0"
    assert float(properties["score"]) == pytest.approx(0.95)
    assert properties["runTemplate"] == "HyperDrive" and properties["azureml.runsource"] == "hyperdrive"


def test_a_sweep_is_an_ordinary_one_and_is_found_again(grid, experiment):
    assert hdrive.load("last").best.value == pytest.approx(0.95)
    _live._handles.clear()
    again = HyperDriveRun(experiment, grid.id)
    assert again.get_best_run_by_primary_metric().id == f"{grid.id}_0"
    assert again.wait_for_completion()["status"] == "Completed"
    assert [run.id for run in experiment.get_runs()] == [grid.id]
    assert experiment.workspace.get_run(grid.id) == grid
    assert Run(experiment, f"{grid.id}_2").get_metrics()["Penalty"] == 1.0
    assert list(experiment.workspace.experiments) == ["shapes"]
    with pytest.raises(UserErrorException, match="no sweep"):
        HyperDriveRun(experiment, "HD_none")


def test_random_sampling_goes_with_a_bandit(experiment):
    space = RandomParameterSampling({"--penalty": choice(1.0, 50.0)})
    config = config_of(space, arguments=["--epochs", "4"], total=2, max_concurrent_runs=1,
                       policy=BanditPolicy(slack_factor=0.1, evaluation_interval=1))
    config.seed = 1
    run = experiment.submit(config)
    run.wait_for_completion()
    assert repr(run.get_termination_policy()) == repr(BanditPolicy(slack_factor=0.1))
    statuses = {json.loads(each["hyperparameters"])["--penalty"]: each["status"]
                for each in run.get_children_sorted_by_primary_metric()}
    assert statuses[1.0] == "Completed"
    assert run.get_status() == "Completed"


def test_bayesian_sampling_runs(experiment):
    run = experiment.submit(config_of(BayesianParameterSampling({"--penalty": uniform(0, 4)}), total=3))
    run.wait_for_completion()
    assert len(run.get_metrics()) == 3


def test_a_single_script_gives_back_all_it_logged(experiment, capsys):
    run = experiment.submit(ScriptRunConfig(source_directory="src", script="log.py"), tags={"mine": "1"})
    run.wait_for_completion(show_output=True)
    assert run.id in capsys.readouterr().out
    assert run.get_metrics() == {
        "loss": 2.5, "series": [1.0, 2.0, 3.0], "table": {"x": [1, 2], "y": ["a", "b"]},
        "wave": {"angle": [0, 1], "sine": [0.0, 0.84]}, "matrix": {"data": {"matrix": [[1, 0], [0, 1]]}},
        "picture": "outputs/images/picture_0.png"}
    assert run.get_metrics(name="loss") == {"loss": 2.5}
    assert run.get_tags() == {"mine": "1", "stage": "trained"}
    assert {"outputs/images/picture_0.png", "outputs/copy.png"} <= set(run.get_file_names())
    assert run.get_details()["runDefinition"]["arguments"] == []
    assert run.parent is None and run.type == "azureml.scriptrun"
    run.tag("stage", "looked at")
    assert experiment.workspace.get_run(run._sweep.id).get_tags()["stage"] == "looked at"


def test_a_child_logs_to_its_sweep(experiment):
    run = experiment.submit(config_of(RandomParameterSampling({"x": uniform(0, 1)}), "log.py", total=1,
                                      primary_metric_name="loss"))
    run.wait_for_completion()
    assert run.get_own_metrics() == {"from a child": 7.0}


def test_a_script_that_fails_is_told_with_what_it_said(experiment, own_folder):
    (own_folder / "src" / "bad.py").write_text("raise SystemExit('no data there')")
    run = experiment.submit(ScriptRunConfig("src", "bad.py"))
    with pytest.raises(ActivityFailedException, match="no data there"):
        run.wait_for_completion()
    assert run.get_status() == "Failed"
    assert "no data there" in run.get_details()["error"]["error"]["message"]
    assert run.wait_for_completion(raise_on_error=False)["status"] == "Failed"


def test_fail_in_a_script_makes_its_run_fail(experiment, own_folder):
    (own_folder / "src" / "fail.py").write_text(
        "from azureml.core import Run\nRun.get_context().fail('out of data')\nprint('goes on')")
    run = experiment.submit(ScriptRunConfig("src", "fail.py"))
    run.wait_for_completion(raise_on_error=False)
    assert run.get_status() == "Failed"
    assert "out of data" in run.get_details()["error"]["error"]["message"]


def test_what_a_script_puts_in_the_place_of_its_files_is_not_waited_for(experiment, own_folder):
    (own_folder / "src" / "hostile.py").write_text(
        "import os\nfolder = os.environ['HDRIVE_RUN_DIR']\nos.mkfifo(folder + '/azureml.jsonl')\n"
        "os.mkfifo(folder + '/outputs/pipe')\nos.remove(folder + '/run.json')\nos.mkdir(folder + '/run.json')\n")
    run = experiment.submit(ScriptRunConfig("src", "hostile.py"))
    run.wait_for_completion(show_output=True)
    assert run.get_metrics() == {} and run.get_tags() == {}
    assert run.get_details()["runDefinition"]["arguments"] == []
    with pytest.raises(OSError):
        run.download_file("outputs/pipe")


def test_a_sweep_can_be_cancelled(experiment, own_folder):
    (own_folder / "src" / "long.py").write_text("import signal\nprint('waits', flush=True)\nsignal.pause()")
    run = experiment.submit(config_of(RandomParameterSampling({"x": uniform(0, 1)}), "long.py"))
    assert run.cancel() is True
    assert run.wait_for_completion()["status"] == "Canceled"
    assert run.cancel() is True
    assert run.get_best_run_by_primary_metric() is None


def test_a_single_run_can_be_cancelled(experiment, own_folder):
    (own_folder / "src" / "long.py").write_text("import signal\nsignal.pause()")
    run = experiment.submit(ScriptRunConfig("src", "long.py"))
    run.cancel()
    assert run.wait_for_completion()["status"] == "Canceled"


def test_a_command_finds_values_in_the_environment(experiment):
    source = ScriptRunConfig("src", command=["python3", "train.py", "--penalty", "$AZUREML_SWEEP_penalty"])
    run = experiment.submit(HyperDriveConfig(
        run_config=source, hyperparameter_sampling=GridParameterSampling({"penalty": choice(1.0, 2.0)}),
        primary_metric_name="Accuracy", primary_metric_goal="maximize", max_total_runs=2))
    run.wait_for_completion()
    assert sorted(each["Penalty"] for each in run.get_metrics().values()) == [1.0, 2.0]


def test_a_sweep_that_is_resumed_from_an_earlier_one_has_taken_its_runs_over(grid, experiment):
    run = experiment.submit(config_of(RandomParameterSampling({"penalty": uniform(5, 9)}), total=1, resume_from=grid))
    run.wait_for_completion()
    assert "warm start from " + grid.id in run.get_diagnostics()
    assert len(list(run.get_children())) == 1
    # The grid has the better value; both are asked for.
    assert run.get_best_run_by_primary_metric().id.startswith(grid.id)
    assert run.get_best_run_by_primary_metric(include_resume_from_runs=False).id == f"{run.id}_0"


def test_failed_children_go_on_with_their_own_values_and_outputs(experiment, own_folder):
    (own_folder / "src" / "again.py").write_text(
        "import argparse, os, sys\n"
        "from azureml.core import Run\n"
        "parser = argparse.ArgumentParser()\n"
        "parser.add_argument('--penalty', type=float)\n"
        "parser.add_argument('--resume-from')\n"
        "known = parser.parse_args()\n"
        "assert known.resume_from == os.environ.get('AZUREML_DATAREFERENCE_MODEL_LOCATION')\n"
        "if not known.resume_from:\n"
        "    open('outputs/model', 'w').write(str(known.penalty))\n"
        "    sys.exit(3)\n"
        "Run.get_context().log('Accuracy', float(open(known.resume_from + '/model').read()))\n")
    source = ScriptRunConfig("src", "again.py")
    first = experiment.submit(HyperDriveConfig(
        run_config=source, hyperparameter_sampling=GridParameterSampling({"penalty": choice(1.0, 2.0)}),
        primary_metric_name="Accuracy", primary_metric_goal=PrimaryMetricGoal.MAXIMIZE, max_total_runs=2))
    first.wait_for_completion(raise_on_error=False)
    failed = [child for child in first.get_children() if child.get_status() == "Failed"]
    again = experiment.submit(HyperDriveConfig(
        run_config=source, hyperparameter_sampling=GridParameterSampling({"penalty": choice(1.0, 2.0)}),
        primary_metric_name="Accuracy", primary_metric_goal=PrimaryMetricGoal.MAXIMIZE, max_total_runs=2,
        resume_child_runs=failed))
    again.wait_for_completion()
    assert sorted(each["Accuracy"] for each in again.get_metrics().values()) == [1.0, 2.0]


def test_a_script_goes_on_from_an_earlier_run(experiment, own_folder):
    (own_folder / "src" / "model.py").write_text(
        "import os, sys\n"
        "from azureml.core import Run\n"
        "earlier = os.environ.get('AZUREML_DATAREFERENCE_MODEL_LOCATION')\n"
        "assert sys.argv[1:] == (['--resume-from', earlier] if earlier else [])\n"
        "Run.get_context().log('found', float(open(earlier + '/model').read()) if earlier else -1)\n"
        "open('outputs/model', 'w').write('7')\n")
    first = experiment.submit(ScriptRunConfig("src", "model.py"))
    first.wait_for_completion()
    for earlier in (first, os.path.join(first._directory, "outputs"), pathlib.Path(first._directory, "outputs")):
        again = experiment.submit(ScriptRunConfig("src", "model.py", resume_from=earlier))
        again.wait_for_completion()
        assert again.get_metrics() == {"found": 7.0}


def test_scripts_find_a_context_without_hdrive_in_their_interpreter(experiment, own_folder):
    """As an interpreter without site-packages has it: -S and -E leave the folder on the path alone."""
    (own_folder / "src" / "bare.py").write_text(
        "import os, subprocess, sys\n"
        "code = '''import sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from azureml.core import Run\n"
        "Run.get_context().log(\"Accuracy\", 0.5)\n"
        "assert \"hdrive\" not in sys.modules\n"
        "from azureml.core import Workspace\n"
        "try:\n"
        "    Workspace.from_config()\n"
        "except ImportError as error:\n"
        "    print(error)\n'''\n"
        "folder = [p for p in os.environ['PYTHONPATH'].split(os.pathsep) if p.endswith('_script')][0]\n"
        "sys.exit(subprocess.run([sys.executable, '-I', '-S', '-c', code, folder]).returncode)\n")
    run = experiment.submit(ScriptRunConfig("src", "bare.py"))
    run.wait_for_completion()
    assert run.get_metrics() == {"Accuracy": 0.5}
    run.download_file("user_logs/std_log.txt", "log.txt")
    assert "Workspace.from_config: Run.get_context() and all it gives are there" in (own_folder / "log.txt").read_text()


def test_the_users_own_sitecustomize_is_left_alone(experiment, own_folder, monkeypatch):
    (own_folder / "mine").mkdir()
    (own_folder / "mine" / "sitecustomize.py").write_text("import builtins\nbuiltins.mine = 42")
    monkeypatch.setenv("PYTHONPATH", f"{own_folder / 'mine'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    (own_folder / "src" / "own.py").write_text("from azureml.core import Run\nRun.get_context().log('mine', mine)")
    run = experiment.submit(ScriptRunConfig("src", "own.py"))
    run.wait_for_completion()
    assert run.get_metrics() == {"mine": 42.0}


def test_packages_of_azures_that_hdrive_lacks_are_found_where_they_are(experiment, own_folder, monkeypatch):
    (own_folder / "real" / "azureml").mkdir(parents=True)
    (own_folder / "real" / "azureml" / "opendatasets.py").write_text("size = 3")
    monkeypatch.setenv("PYTHONPATH", f"{own_folder / 'real'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    program = "import azureml.opendatasets\nfrom azureml.core import Run\n" \
        "Run.get_context().log('size', azureml.opendatasets.size)\n"
    (own_folder / "src" / "open.py").write_text(program)
    install()
    run = experiment.submit(ScriptRunConfig("src", "open.py"))
    run.wait_for_completion()
    assert run.get_metrics() == {"size": 3.0}
    program = "import hdrive.azureml\nhdrive.azureml.install()\n" + program
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "size: 3.0\n"


def test_submitting_warns_of_nothing_by_itself(experiment):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        experiment.submit(ScriptRunConfig("src", "log.py")).wait_for_completion()


@pytest.mark.parametrize("line", ["from azureml.core import Run, Workspace", "from hdrive.azureml import Run",
                                  "from azureml.core.run import Run, _OfflineRun\nfrom azureml.core import Experiment",
                                  "import azureml.core\nRun = azureml.core.run.Run"])
def test_scripts_import_run_from_wherever_they_are_used_to(experiment, own_folder, line):
    (own_folder / "src" / "imports.py").write_text(
        line + "\nrun = Run.get_context()\nassert isinstance(run, Run) or True\nrun.log('a', 1)\n"
        "import hdrive.azureml\nassert type(hdrive.azureml.Run.get_context()) is type(run)\n")
    run = experiment.submit(ScriptRunConfig("src", "imports.py"))
    run.wait_for_completion()
    assert run.get_metrics() == {"a": 1.0}


def test_a_script_finds_the_store_that_its_run_is_in(experiment, own_folder):
    (own_folder / "src" / "store.py").write_text(
        "from azureml.core import Run\nrun = Run.get_context()\nprint(run.experiment.workspace.directory)")
    run = experiment.submit(ScriptRunConfig("src", "store.py"))
    run.wait_for_completion()
    run.download_file("user_logs/std_log.txt")
    assert (own_folder / "std_log.txt").read_text() == experiment.workspace.directory + "\n"


def test_a_sweep_of_functions_is_read_as_any_other(own_folder):
    sweep = hdrive.Sweep({"--x": choice(1, 2)}, metric="y", goal="minimize", sampler="grid", experiment="functions")
    sweep.run(lambda x: x)
    run = HyperDriveRun(Experiment(Workspace.from_config(), "functions"), sweep.id)
    assert run.get_children_sorted_by_primary_metric()[0]["hyperparameters"] == '{"--x": 1}'
    assert run.get_metrics() == {f"{sweep.id}_0": {"y": 1.0}, f"{sweep.id}_1": {"y": 2.0}}
    best = run.get_best_run_by_primary_metric()
    assert best.get_details()["runDefinition"]["arguments"] == [] and best.get_file_names() == []


def test_a_sweep_that_lost_its_engine_is_not_waited_for(experiment, own_folder):
    """As a kill leaves it: begun, and nobody there."""
    (own_folder / "killed.py").write_text(
        "import os\nfrom hdrive.azureml import *\n"
        "open('src/long.py', 'w').write('pass')\n"
        "config = HyperDriveConfig(RandomParameterSampling({'x': uniform(0, 1)}), 'y', 'maximize', 2,\n"
        "                          run_config=ScriptRunConfig('src', 'long.py'))\n"
        "print(Experiment(Workspace(), 'killed').submit(config).id, flush=True)\nos._exit(0)\n")
    done = subprocess.run([sys.executable, "killed.py"], capture_output=True, text=True, timeout=50)
    run = HyperDriveRun(Experiment(Workspace(), "killed"), done.stdout.strip())
    with pytest.raises(ExperimentExecutionException, match="hdrive resume"):
        run.wait_for_completion()
