# SPDX-License-Identifier: Apache-2.0
import json
import os
import subprocess
import sys
import textwrap

import hdrive
import numpy
import pytest


@pytest.fixture(params=[":memory:", None], ids=["memory", "disk"])
def finished(make, request):
    def train(run, params):
        if run.number == 4:
            raise RuntimeError("broken")
        run.log({"loss": params["x"] ** 2, "size": run.number})

    return make({"x": hdrive.uniform(-1, 1), "kind": ["a", "b"]}, max_total_runs=10,
                directory=request.param).run(train)


def test_runs_are_a_sequence(finished):
    runs = finished.runs
    assert len(runs) == 10
    assert [run.number for run in runs[2:6]] == [2, 3, 4, 5]
    assert [run.number for run in runs[::-3]] == [9, 6, 3, 0]
    assert runs[-1].number == 9
    with pytest.raises(LookupError):
        runs[10]
    assert [run.number for run in runs.filter(status="Failed")] == [4]
    best = runs.sort("best")
    assert best[0].number == finished.best.number
    values = [run.value for run in best if run.value is not None]
    assert values == sorted(values)
    assert [run.params["x"] for run in runs.sort("parameter", "x")] == sorted(run.params["x"] for run in runs)
    assert [run.number for run in runs.sort("number", descending=True)] == list(range(9, -1, -1))


def test_a_run_tells_its_facts(finished):
    run = finished.runs[1]
    assert run.id == f"{finished.id}_1"
    assert run.created <= run.started <= run.ended
    assert run.duration.total_seconds() >= 0
    assert run.cause == "exited"
    assert run.metrics["size"].tolist() == [1]
    with pytest.raises(KeyError, match="it has: loss, size"):
        run.metrics["nothing"]


def test_a_data_frame_has_a_row_a_run(finished):
    pandas = pytest.importorskip("pandas")
    table = finished.to_dataframe()
    assert len(table) == 10
    assert table["params_x"].dtype == float
    assert table["status"].tolist().count("Failed") == 1
    assert numpy.isnan(table["value"][4])
    assert table["metrics_size"][3] == 3
    assert isinstance(table["created"].dtype, pandas.DatetimeTZDtype)


def test_arrow_reads_the_same_table(finished):
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(finished.to_arrow())
    assert table.num_rows == 10
    assert table["params_kind"].to_pylist() == [run.params["kind"] for run in finished.runs]
    assert table["value"].null_count == 1
    assert table["created"].type == pyarrow.timestamp("us", "UTC")


def test_what_results_say_about_parameters(make):
    sweep = make({"x": hdrive.uniform(-1, 1), "idle": hdrive.uniform(0, 1)}, max_total_runs=40).run(
        lambda x, idle: x * x)
    shares = sweep.importance()
    assert next(iter(shares)) == "x"
    assert sum(shares.values()) == pytest.approx(1)
    assert sweep.model()["shares"]["x"] > 0.5
    assert abs(sweep.best_by_model().params["x"]) < 0.3


@pytest.mark.parametrize("directory", [":memory:", None])
def test_the_controller_log_tells_what_was_done(make, directory):
    def train(run, params):
        for _ in range(3):
            run.log("loss", 0 if run.number == 0 else 9)

    sweep = make(directory=directory, max_total_runs=2, policy=hdrive.Bandit(slack_amount=1)).run(train)
    told = sweep.controller_log().splitlines()
    assert all(line.startswith("<START>[") and line.endswith("<END>") for line in told)
    units = [line.split("][")[1] for line in told]
    assert units.count("ENFORCER") == 1
    assert units[0] == "API"
    assert sum("Successfully scheduled a job" in line for line in told) == 2
    assert f"id='{sweep.id}_1', status='Canceled'" in told[-2] + told[-3]
    assert "'Completed'" in told[-1]


def test_before_there_is_a_best_asking_for_it_says_so(make):
    with pytest.raises(hdrive.NotFoundError, match="loss"):
        make().best  # noqa: B018


def test_a_sweep_shows_itself(finished, make):
    assert "Completed" in repr(finished)
    assert "not begun" in repr(make())
    assert "refused" in repr(hdrive.Sweep.__new__(hdrive.Sweep))
    page = finished._repr_html_()
    assert "<table>" in page
    assert "<script" not in make({"<script>": [1]}).run(lambda run, params: 1.0)._repr_html_()


# ---- on disk --------------------------------------------------------------------------------------------------


def test_a_sweep_on_disk_is_found_again(make):
    sweep = make(directory=None, name="mine").run(lambda x: x)
    for which in ("mine", "last", sweep.id, sweep.id[:8], sweep.directory):
        assert hdrive.load(which).best.params == sweep.best.params
    assert [each.id for each in hdrive.sweeps()] == [sweep.id]
    with pytest.raises(hdrive.NotFoundError, match="mine"):
        hdrive.load("mime")
    with pytest.raises(hdrive.ConfigError, match="already"):
        make(directory=None, name="mine").run(lambda x: x)


def test_a_hundred_sweeps_may_be_read_with_few_files_open(make):
    for number in range(100):
        with make(name=f"s{number}", directory=None, max_total_runs=1) as sweep:
            sweep.tell(sweep.ask(), number)
    before = len(os.listdir("/proc/self/fd"))
    found = hdrive.sweeps()
    for _ in range(2):
        assert [each.best.value for each in found] == list(range(100))
    assert len(os.listdir("/proc/self/fd")) - before <= 100  # three each of the last ones


@pytest.mark.skipif(not os.path.exists(os.path.join(os.path.dirname(hdrive.__file__), "bin", "hdrive")),
                    reason="built without the command")
def test_the_command_reads_what_python_made(make):
    sweep = make(directory=None).run(lambda x: x)
    shown = subprocess.run([sys.executable, "-m", "hdrive", "best", "-f", "json"], capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["number"] == sweep.best.number


@pytest.mark.skipif(not os.path.exists(os.path.join(os.path.dirname(hdrive.__file__), "bin", "hdrive")),
                    reason="built without the command")
def test_a_sweep_has_a_description_and_tags_by_which_the_command_finds_it(make):
    tagged = make(directory=None, name="tagged", description="the first try", tags={"team": "vision"}).run(lambda x: x)
    make(directory=None, name="other", tags={"team": "audio"}).run(lambda x: x)
    listed = subprocess.run([sys.executable, "-m", "hdrive", "list", "--tag", "team=vision", "-f", "json"],
                            capture_output=True, text=True)
    assert [each["sweep_id"] for each in json.loads(listed.stdout)] == [tagged.id], listed.stderr
    with pytest.raises(hdrive.ConfigError, match="tags: .*a dict from names to texts"):
        make(tags="vision")


def test_a_budget_that_grew_is_gone_on_with(make):
    for directory in (":memory:", None):
        sweep = make(directory=directory).run(lambda x: x)
        assert "max_total_runs: 8 -> 12" in sweep.update(max_total_runs=12)
        sweep.run(lambda x: x)
        assert len(sweep.runs) == 12
        with pytest.raises(hdrive.ConfigError):
            sweep.update(seed=3)


def test_a_script_is_run_as_the_command_does(make, own_folder):
    (own_folder / "train.py").write_text("import hdrive_run\n"
                                         "hdrive_run.log('loss', hdrive_run.params['x'] ** 2)\n")
    sweep = make(directory=None, max_total_runs=3, max_concurrent_runs=2).run_command([sys.executable, "train.py"])
    assert sweep.status == "Completed", sweep.runs[0].error
    assert sweep.best.value == pytest.approx(sweep.best.params["x"] ** 2)
    with pytest.raises(hdrive.ConfigError, match="directory"):
        make().run_command(["true"])


def test_a_configuration_file_is_read(own_folder):
    (own_folder / "hdconfig.yml").write_text(textwrap.dedent("""
        sampling:
          type: random
          parameter_space:
          - {name: x, expression: uniform, values: [0, 1]}
        primary_metric_name: loss
        primary_metric_goal: minimize
        max_total_runs: 4
        """))
    sweep = hdrive.Sweep.from_config("hdconfig.yml", max_total_runs=3).run(lambda x: x)
    assert len(sweep.runs) == 3
    (own_folder / "wrong.yml").write_text("primary_metric: loss\n")
    with pytest.raises(hdrive.ConfigError, match=r"wrong.yml:1:1"):
        hdrive.Sweep.from_config("wrong.yml")
    with pytest.raises(hdrive.ConfigError, match="nowhere.yml"):
        hdrive.Sweep.from_config("nowhere.yml")
