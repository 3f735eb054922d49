# SPDX-License-Identifier: Apache-2.0
"""Pipelines of steps, the widget, interactive runs, models, and the modules under their old names."""

import importlib
import subprocess
import sys
import types

import hdrive
import pytest
from azure_scripts import config
from hdrive import azureml
from hdrive.azureml import (Dataset, Experiment, Model, NotBuiltError, Pipeline, PipelineData, PythonScriptStep, Run,
                            RunDetails, ScriptRunConfig, TrainingOutput, UserErrorException, Workspace, quniform,
                            randint)



def test_steps_are_ordered_by_their_data_and_circles_refused(source):
    workspace, data = Workspace(), PipelineData("model")
    writes = PythonScriptStep("train.py", "writes", outputs=[data], source_directory=".")
    reads = PythonScriptStep("train.py", "reads", inputs=[data], source_directory=".")
    assert [step.name for step in Pipeline(workspace, [reads, writes])._steps] == ["writes", "reads"]
    with pytest.raises(UserErrorException, match="no step writes 'model', which 'reads' reads"):
        Pipeline(workspace, [reads])
    writes.run_after(reads)
    with pytest.raises(UserErrorException, match="wait for each other: reads, writes"):
        Pipeline(workspace, [reads, writes])
    with pytest.raises(UserErrorException, match="is no step"):
        Pipeline(workspace, [3])
    with pytest.raises(UserErrorException, match="allowed: Metrics, Model"):
        TrainingOutput("Curve")


def test_a_step_that_fails_ends_the_pipeline(source, own_folder):
    (own_folder / "bad.py").write_text("raise SystemExit(3)")
    bad = PythonScriptStep("bad.py", "bad", source_directory=".")
    after = PythonScriptStep("train.py", "after", source_directory=".")
    after.run_after(bad)
    run = Pipeline(Workspace(), [bad, after]).submit("x")
    with pytest.raises(azureml.ActivityFailedException, match="failed in bad"):
        run.wait_for_completion()
    assert [each.get_status() for each in run.get_steps()] == ["Failed", "NotStarted"]
    with pytest.raises(UserErrorException, match="has not begun, so it has no get_metrics"):
        run.find_step_run("after")[0].get_metrics()


def test_names_that_programs_import_are_there_and_say_what_to_do_when_used():
    azureml.install()
    for module, names in (("azureml.train.hyperdrive.run", ["PrimaryMetricGoal"]), ("azureml.train.widgets", ["RunDetails"]),
                          ("azureml.pipeline.core", ["PublishedPipeline", "PipelineEndpoint", "PipelineParameter"]),
                          ("azureml.pipeline.core.schedule", ["Schedule", "ScheduleRecurrence"]),
                          ("azure.ai.ml.constants", ["InputOutputModes"]), ("azure.ai.ml.dsl", ["pipeline"]),
                          ("azure.ai.ml.entities", ["ManagedIdentityConfiguration", "UserIdentityConfiguration"])):
        for name in names:
            assert getattr(importlib.import_module(module), name) is not None
    from azure.ai.ml.dsl import pipeline
    from azureml.pipeline.core.schedule import Schedule
    with pytest.raises(NotBuiltError, match="write the steps into a pipeline's file"):
        pipeline()
    with pytest.raises(NotBuiltError, match="let cron, or a timer of systemd"):
        Schedule.create(None, name="nightly")


MEET = """
import pathlib, sys, time
mine, other = map(pathlib.Path, sys.argv[1:3])
mine.touch()
until = time.monotonic() + 60
while not other.exists():
    if time.monotonic() > until:
        raise SystemExit("alone")
    time.sleep(0.01)
"""


def meeting(folder, mine, other, **given):
    (folder / "meet.py").write_text(MEET)
    return PythonScriptStep("meet.py", mine, [str(folder / mine), str(folder / other)], source_directory=".", **given)


def test_steps_that_do_not_need_each_other_run_at_once(source, own_folder):
    steps = [meeting(own_folder, "a", "b"), meeting(own_folder, "b", "a")]
    pipeline = Pipeline(Workspace(), steps)
    pipeline.max_concurrent_steps = 2
    run = pipeline.submit("x")
    assert run.wait_for_completion() == "Completed"
    for wrong in (0, 1.5, True, "2"):
        pipeline.max_concurrent_steps = wrong
        with pytest.raises(UserErrorException, match="max_concurrent_steps.*an integer above 0"):
            pipeline.submit("x")


def test_one_step_at_a_time_where_that_is_asked_for(source, own_folder):
    (own_folder / "seen.py").write_text("import pathlib, sys\nprint(sorted(p.name for p in pathlib.Path(sys.argv[1])."
                                        "iterdir()))\npathlib.Path(sys.argv[1], sys.argv[2]).touch()\n")
    (own_folder / "done").mkdir()
    pipeline = Pipeline(Workspace(), [PythonScriptStep("seen.py", name, [str(own_folder / "done"), name],
                                                       source_directory=".") for name in "abc"])
    pipeline.max_concurrent_steps = 1
    run = pipeline.submit("x")
    assert run.wait_for_completion() == "Completed"
    logs = [each.run.get_details_with_logs()["logFiles"] for each in run.get_steps()]
    said = [next(text for name, text in each.items() if "std_log" in name or "stdout" in name) for each in logs]
    assert [text.strip().splitlines()[-1] for text in said] == ["[]", "['a']", "['a', 'b']"]


def test_a_failure_interrupts_the_other_steps_unless_the_pipeline_goes_on(source, own_folder):
    (own_folder / "bad.py").write_text(MEET + "raise SystemExit(3)")
    (own_folder / "long.py").write_text("import pathlib, sys, time\npathlib.Path(sys.argv[1]).touch()\ntime.sleep(600)\n")
    steps = [PythonScriptStep("bad.py", "bad", [str(own_folder / "x"), str(own_folder / "long")], source_directory="."),
             PythonScriptStep("long.py", "long", [str(own_folder / "long")], source_directory=".")]
    pipeline = Pipeline(Workspace(), steps)
    pipeline.max_concurrent_steps = 2
    run = pipeline.submit("x")
    with pytest.raises(azureml.ActivityFailedException, match="failed in bad"):
        run.wait_for_completion()
    assert [each.get_status() for each in run.get_steps()] == ["Failed", "Canceled"]

    (own_folder / "long.py").write_text("import pathlib, sys\npathlib.Path(sys.argv[1]).touch()\n")
    after = PythonScriptStep("long.py", "after", [str(own_folder / "after")], source_directory=".")
    after.run_after(steps[0])
    run = Pipeline(Workspace(), [*steps, after]).submit("x", continue_on_step_failure=True)
    with pytest.raises(azureml.ActivityFailedException, match="failed in bad"):
        run.wait_for_completion()
    assert {each.name: each.get_status() for each in run.get_steps()} == \
        {"bad": "Failed", "long": "Completed", "after": "NotStarted"}


def test_the_widget_shows_text_and_html(source, capsys):
    run = Experiment(Workspace(), "x").submit(source)
    run.wait_for_completion()
    run.log("accuracy", 0.5)
    RunDetails(run).show()
    assert capsys.readouterr().out.splitlines() == [f"{run.id}: Completed", "metric    value", "accuracy  0.5"]
    assert "<td>accuracy</td><td>0.5</td>" in RunDetails(run)._repr_html_()
    assert RunDetails(run).get_widget_data()["run_metrics"] == {"accuracy": 0.5}


def test_in_a_notebook_the_widget_is_displayed(source, monkeypatch):
    shown = []
    ipython, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=True)
    display.display = lambda what, display_id: shown.append(what._repr_html_())
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    run = Experiment(Workspace(), "x").submit(config(source))
    run.wait_for_completion()
    RunDetails(run).show()
    assert len(shown) == 1 and "minimize loss" in shown[0]


def test_a_script_that_prints_nothing_has_an_empty_log(own_folder):
    (own_folder / "quiet.py").write_text("pass")
    run = Experiment(Workspace(), "x").submit(ScriptRunConfig(".", "quiet.py"))
    run.wait_for_completion()
    run.download_file("azureml-logs/70_driver_log.txt", "log.txt")
    assert (own_folder / "log.txt").read_text() == ""
    assert run.get_details_with_logs()["logFiles"] == {"user_logs/std_log.txt": ""}


def test_what_is_not_there_can_be_imported_and_says_so_when_used():
    with pytest.raises(NotBuiltError, match="Datastore.get is not there"):
        azureml.Datastore.get(None, "digits")
    with pytest.raises(UserErrorException, match="there is no dataset 'digits' here; set AZUREML_DATAREFERENCE_"):
        Dataset.get_by_name(None, "digits")
    with pytest.raises(NotBuiltError, match="Workspace.get_default_datastore"):
        Workspace().get_default_datastore()


def test_install_gives_every_name_under_its_old_module():
    azureml.install()
    azureml.install()
    modules = azureml._modules
    for module, names in {**modules.MODULES, **modules.MODULES_V2}.items():
        for name in names:
            assert getattr(importlib.import_module(module), name.partition(":")[0]) is not None
    from azureml.core import Run as Same
    assert Same is Run
    with pytest.raises(ImportError, match="Nothing"):
        importlib.import_module("azureml.core")
        from azureml.core import Nothing  # noqa: F401


def test_importing_hdrive_imports_nothing_of_azure():
    code = "import hdrive, sys; print([name for name in sys.modules if 'azure' in name])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_an_interactive_run_logs_and_ends(own_folder):
    experiment = Experiment(Workspace(), "notebook")
    with experiment.start_logging(display_name="by hand") as run:
        run.log("accuracy", 0.5)
        run.log("accuracy", 0.75)
        run.log_row("table", x=1)
        (own_folder / "model.pkl").write_text("model")
        run.upload_file("outputs/model.pkl", "model.pkl")
        assert run.get_status() == "Running"
    found = Run.get(experiment.workspace, run._sweep.id)
    assert (found.get_status(), found.name) == ("Completed", "by hand")
    assert found.get_metrics() == {"accuracy": [0.5, 0.75], "table": {"x": 1}}
    assert found.get_file_names() == ["outputs/model.pkl"]
    with pytest.raises(ZeroDivisionError), experiment.start_logging() as failing:
        1 / 0
    assert failing.get_status() == "Failed"
    assert [each.get_status() for each in Run.list(experiment)] == ["Failed", "Completed"]


def test_models_are_kept_by_name_and_version(own_folder):
    workspace = Workspace()
    with Experiment(workspace, "notebook").start_logging() as run:
        (own_folder / "model.pkl").write_text("model")
        run.upload_file("outputs/model.pkl", "model.pkl")
    model = run.register_model("digits", "outputs/model.pkl", tags={"area": "test"})
    assert (model.id, model.run_id, model.tags) == ("digits:1", run.id, {"area": "test"})
    assert Model.register(workspace, "model.pkl", "digits").version == 2
    assert [each.id for each in Model.list(workspace)] == ["digits:2", "digits:1"]
    assert workspace.models["digits"].version == 2
    assert Model(workspace, "digits", 1).download("got") == "got/model.pkl"
    with pytest.raises(UserErrorException, match="exist_ok"):
        Model(workspace, "digits").download("got")
    with open(Model.get_model_path("digits")) as file:
        assert file.read() == "model"
    with pytest.raises(UserErrorException, match="did you mean 'digits'"):
        Model(workspace, "digit")
    with pytest.raises(UserErrorException, match="did you mean 'outputs/model.pkl'"):
        run.register_model("digits", "outputs/model.pk")


def test_names_of_expressions_are_hdrives_own():
    assert quniform(1, 10, 2) == hdrive.quniform(1, 10, 2) and randint(3) == hdrive.randint(3)
