# SPDX-License-Identifier: Apache-2.0
"""Pipelines of v2's YAML files, begun from Python."""

import os
import subprocess
import sys

import hdrive
import pytest
from hdrive.azureml import ActivityFailedException, UserErrorException
from hdrive.azureml.v2 import MLClient, load_job

PIPELINE = """
type: pipeline
experiment_name: iris
display_name: tune and report
inputs:
  raw: {type: uri_file, path: data.csv}
  trials: 3
outputs:
  report: {type: uri_folder}
jobs:
  report:
    type: command
    command: cp ${{inputs.model}}/model.txt ${{outputs.report}}/report.txt
    inputs: {model: "${{parent.jobs.tune.outputs.model}}"}
    outputs: {report: "${{parent.outputs.report}}"}
  tune:
    type: sweep
    trial:
      command: >-
        echo ${{search_space.c}} of $(cat ${{inputs.raw}}) > ${{outputs.model}}/model.txt &&
        echo '{"name": "score", "value": '${{search_space.c}}'}' >> $HDRIVE_METRICS_FILE
    inputs: {raw: "${{parent.inputs.raw}}"}
    outputs: {model: {type: uri_folder}}
    sampling_algorithm: grid
    search_space:
      c: {type: choice, values: [1, 3, 2]}
    objective: {primary_metric: score, goal: maximize}
    limits: {max_total_trials: "${{parent.inputs.trials}}", max_concurrent_trials: 1}
"""


@pytest.fixture
def file(own_folder):
    """The pipeline, in a folder that is not the working directory."""
    folder = own_folder / "project"
    folder.mkdir()
    (folder / "data.csv").write_text("12345")
    (folder / "pipeline.yml").write_text(PIPELINE)
    return folder / "pipeline.yml"


def test_its_steps_run_and_its_output_is_the_best_trials(file, own_folder, capsys):
    client = MLClient()
    job = load_job(file)
    assert (job.display_name, list(job.jobs), job.jobs["tune"].limits.max_concurrent_trials) == \
        ("tune and report", ["report", "tune"], 1)
    job.name = "mine"
    started = client.jobs.create_or_update(job, tags={"who": "me"})
    client.jobs.stream("mine")
    told = capsys.readouterr().out.splitlines()
    assert told.index("step tune: Completed") < told.index("step report: Completed")
    assert (started.type, started.name, started.status, started.experiment_name, started.display_name) == \
        ("pipeline", "mine", "Completed", "iris", "tune and report")
    assert started.tags == {"who": "me"}
    assert [(each.type, each.name) for each in client.jobs.list(parent_job_name="mine")] == \
        [("command", "mine.report"), ("sweep", "mine.tune")][::-1]
    assert [each.name for each in client.jobs.list()] == ["mine"]
    assert hdrive.load("mine.tune").best.params == {"c": 3}
    client.jobs.download("mine", download_path="got", output_name="report")
    assert (own_folder / "got/named-outputs/report/report.txt").read_text() == "3 of 12345\n"
    client.jobs.download("mine", download_path="all", all=True)
    assert (own_folder / "all/artifacts/tune/outputs/model/model.txt").exists()
    assert (own_folder / "all/named-outputs/report/report.txt").exists()
    with pytest.raises(UserErrorException, match="no output 'reports'; did you mean 'report'"):
        client.jobs.download("mine", output_name="reports")


def test_what_is_assigned_counts_for_the_steps(file):
    job = load_job(file, params_override=[{"jobs.tune.objective.goal": "minimize"}])
    job.jobs["tune"].limits.max_total_trials = 2
    job.inputs["trials"] = 7
    with pytest.warns(UserWarning, match="only the first 2 of them"):
        started = MLClient().jobs.create_or_update(job, experiment_name="elsewhere")
    MLClient().jobs.stream(started.name)
    sweep = hdrive.load(f"{started.name}.tune")
    assert (sweep.goal, len(sweep.runs), sweep._spec.experiment) == ("minimize", 2, "elsewhere")
    assert started.name.startswith("tune and report-")


def test_all_of_it_is_checked_before_anything_begins(file):
    job = load_job(file)
    job.jobs["tune"].limits.max_total_trails = 2
    assert "max_total_trails" in MLClient().jobs.validate(job)[0]
    with pytest.raises(UserErrorException, match="max_total_trails.*max_total_trials") as caught:
        MLClient().jobs.create_or_update(job)
    assert "--set" not in str(caught.value) and hdrive.sweeps() == []
    with pytest.raises(UserErrorException, match="its steps are sweeps"):
        job(x=1)
    for name in ("a/b", "..", "a\nb", 3):
        named = load_job(file)
        named.name = name
        with pytest.raises(UserErrorException, match="name"):
            MLClient().jobs.create_or_update(named)
    assert hdrive.sweeps() == []
    (file.parent / "empty.yml").write_text("type: pipeline\njobs: {}\n")
    with pytest.raises(UserErrorException, match='"jobs" is empty'):
        MLClient().jobs.create_or_update(load_job(file.parent / "empty.yml"))


def test_a_step_that_fails_skips_what_needs_it(file):
    job = load_job(file)
    job.name = "broken"
    job.jobs["tune"].trial.command = "exit 3"
    job.jobs["alone"] = {"type": "command", "command": "echo alone"}
    client = MLClient()
    started = client.jobs.create_or_update(job)
    with pytest.raises(ActivityFailedException, match="broken: failed in tune"):
        client.jobs.stream("broken")
    assert started.status == "Failed"
    assert started.run._steps() == {"tune": "Failed", "report": "Skipped", "alone": "Completed"}
    with pytest.raises(UserErrorException, match="no output 'report' yet: step report did not complete"):
        client.jobs.download("broken", output_name="report")


def test_with_its_name_it_goes_on_and_what_is_complete_stays(file, own_folder):
    job = load_job(file)
    job.name = "mine"
    job.jobs["report"].command = "test -e " + str(own_folder / "go") + " && echo > ${{outputs.report}}/done; sleep 60"
    client = MLClient()
    client.jobs.create_or_update(job)
    run = client.jobs.get("mine").run
    deadline = 200
    while run._steps()["report"] != "Running" and deadline:
        run._thread.join(0.05)
        deadline -= 1
    with pytest.raises(UserErrorException, match="'mine' is running already"):
        client.jobs.create_or_update(job)
    client.jobs.begin_cancel("mine")
    assert run.wait_for_completion() == "Canceled"
    complete = hdrive.load("mine.tune").id
    assert run._steps() == {"tune": "Completed", "report": "Canceled"}
    assert client.jobs.get("mine").status == "Canceled"
    changed = load_job(file)
    changed.name = "mine"
    changed.jobs["tune"].limits.max_concurrent_trials = 2
    client.jobs.create_or_update(changed)
    with pytest.raises(UserErrorException, match="already, and this configuration is another one"):
        client.jobs.stream("mine")
    assert hdrive.load("mine.tune").id == complete


def test_it_is_found_by_its_name_in_another_process_which_began_it_and_ended(file, own_folder):
    code = (f"from hdrive.azureml.v2 import MLClient, load_job\njob = load_job({str(file)!r})\njob.name = 'theirs'\n"
            "client = MLClient()\nclient.jobs.create_or_update(job)\nclient.jobs.stream('theirs')\n"
            "job.name = 'cut'\nclient.jobs.create_or_update(job)\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    client = MLClient()
    assert (client.jobs.get("theirs").type, client.jobs.get("theirs").status) == ("pipeline", "Completed")
    client.jobs.stream("theirs")
    # The one that was begun last ended with its process.
    assert client.jobs.get("cut").status == "Canceled"
    assert [each.name for each in client.jobs.list()] == ["cut", "theirs"]
    job = load_job(file)
    job.name = "cut"
    client.jobs.create_or_update(job)
    client.jobs.stream("cut")
    assert client.jobs.get("cut").status == "Completed"
    assert os.path.exists(hdrive.load("cut.report")._run_directory(0))


MEET = "touch {0}; for i in $(seq 600); do test -e {1} && exit 0; sleep 0.1; done; exit 1"


def test_steps_that_do_not_need_each_other_run_at_once(file, own_folder):
    job = load_job(file)
    for mine, other in (("one", "two"), ("two", "one")):
        job.jobs[mine] = {"type": "command", "command": MEET.format(own_folder / mine, own_folder / other)}
    job.max_concurrent_steps = 2
    started = MLClient().jobs.create_or_update(job)
    assert started.run.wait_for_completion() == "Completed"
    assert set(started.run._steps().values()) == {"Completed"}
    with pytest.raises(UserErrorException, match="max_concurrent_steps: 0 is none"):
        job.max_concurrent_steps = 0


def test_a_failure_interrupts_the_other_steps_where_the_file_says_so(file, own_folder):
    job = load_job(file)
    job.jobs["tune"].trial.command = f"while ! test -e {own_folder / 'began'}; do sleep 0.05; done; exit 3"
    job.jobs["tune"].limits.max_total_trials = 1
    job.jobs["long"] = {"type": "command", "command": f"touch {own_folder / 'began'}; exec sleep 600"}
    job.settings = {"continue_on_step_failure": False}
    job.max_concurrent_steps = 2
    started = MLClient().jobs.create_or_update(job)
    with pytest.raises(ActivityFailedException, match="failed in tune"):
        started.run.wait_for_completion()
    assert started.run._steps() == {"report": "NotStarted", "tune": "Failed", "long": "Canceled"}
