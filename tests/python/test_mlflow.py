# SPDX-License-Identifier: Apache-2.0
"""Scripts as their users write them, with MLflow's own client, in runs of a sweep."""

import os
import pathlib
import sys
import textwrap

import hdrive
import pytest

mlflow = pytest.importorskip("mlflow")

# The client tells much, and asks its makers for news.
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "OMP_NUM_THREADS": "1"}
# Two classes that a line parts.
DATA = """
import numpy
random = numpy.random.default_rng(0)
X = random.normal(size=(100, 4))
y = (X[:, 0] > 0).astype(int)
"""


def sweep_of(script, tmp_path, metric="loss", runs=1, **given):
    """The sweep of a script that finds its `x` in sys.argv, in a folder of its own."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(textwrap.dedent(script))
    sweep = hdrive.Sweep({"x": hdrive.uniform(0, 1)}, metric=metric, goal="minimize", max_total_runs=runs, seed=7,
                         directory=tmp_path / "home", source_directory=str(source), environment_variables=QUIET,
                         **given)
    sweep.run_command([sys.executable, "train.py"])
    for run in sweep.runs:
        assert run.status == "Completed", complaints(sweep, run)
    return sweep


def folder(sweep, run):
    return pathlib.Path(sweep.directory, "runs", str(run.number))


def complaints(sweep, run):
    file = folder(sweep, run) / "stderr.log"
    return file.read_text() if file.exists() else ""


def test_the_fluent_api_logs_into_the_sweep(tmp_path):
    sweep = sweep_of("""
        import sys, mlflow
        x = float(sys.argv[2])
        with mlflow.start_run():
            mlflow.log_param("x", x)
            for step in range(5):
                mlflow.log_metric("loss", x / (step + 1), step=step)
            mlflow.log_metrics({"accuracy": 0.5, "bad": float("nan")})
            mlflow.set_tag("stage", "first")
            mlflow.log_text("hello", "notes/hello.txt")
            mlflow.log_dict({"a": 1}, "a.json")
        run = mlflow.last_active_run()
        assert run.data.params == {"x": str(x)} and run.data.tags["stage"] == "first", run.data
        assert run.info.status == "FINISHED"
        assert mlflow.artifacts.load_text(run.info.artifact_uri + "/notes/hello.txt") == "hello"
        history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
        assert [metric.step for metric in history] == [0, 1, 2, 3, 4]
        assert len(mlflow.search_runs(filter_string="metrics.loss < 1 and params.x LIKE '0.%'")) >= 1
    """, tmp_path, runs=2)
    for run in sweep.runs:
        x = run.params["x"]
        assert run.metrics["loss"].tolist() == [x / (step + 1) for step in range(5)]
        assert run.metrics.steps("loss").tolist() == [0, 1, 2, 3, 4]
        assert sorted(os.listdir(folder(sweep, run) / "outputs")) == ["a.json", "notes"]


def test_set_experiment_and_nested_runs_need_no_change(tmp_path):
    sweep = sweep_of("""
        import sys, mlflow
        mlflow.set_experiment("iris")
        with mlflow.start_run(run_name="whole") as parent:
            for fold in range(3):
                with mlflow.start_run(nested=True, run_name=f"fold {fold}"):
                    mlflow.log_metric("loss", -fold)
            mlflow.log_metric("loss", 1)
        found = mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'",
                                   order_by=["metrics.loss ASC"])
        assert found["tags.mlflow.runName"].tolist() == ["fold 2", "fold 1", "fold 0"], found
        # The last client for Python 3.9 leaves the name of a run that is there already.
        assert mlflow.get_run(parent.info.run_id).info.run_name == "whole" or sys.version_info < (3, 10)
        assert mlflow.get_experiment(parent.info.experiment_id).name == "iris"
        with mlflow.start_run():
            mlflow.log_metric("loss", -100)
    """, tmp_path, runs=2)
    # A second start, and nested ones, are runs of MLflow's, not the sweep's.
    assert [run.metrics["loss"].tolist() for run in sweep.runs] == [[1.0], [1.0]]


def test_the_client_logs_to_the_run_it_finds_in_its_environment(tmp_path):
    sweep = sweep_of("""
        import os, mlflow
        from mlflow.entities import Metric, Param, RunTag
        client = mlflow.MlflowClient()
        run_id = os.environ["MLFLOW_RUN_ID"]
        metrics = [Metric("loss", 1 / (i + 1), 1795000000000 + i, i) for i in range(1000)]
        for _ in range(2):
            client.log_batch(run_id, metrics, [Param("p", "1")], [RunTag("t", "1")])
        try:
            client.log_param(run_id, "p", "2")
            raise SystemExit("a param was changed")
        except mlflow.exceptions.MlflowException as error:
            assert error.error_code == "INVALID_PARAMETER_VALUE", error
        assert client.get_experiment_by_name("nothing") is None
        other = client.create_run(client.create_experiment("other"), run_name="mine")
        with open("large.bin", "wb") as file:
            file.write(os.urandom(5_000_000))
        client.log_artifact(other.info.run_id, "large.bin", "a folder")
        [entry] = client.list_artifacts(other.info.run_id, "a folder")
        assert (entry.path, entry.file_size) == ("a folder/large.bin", 5_000_000)
        with open(client.download_artifacts(other.info.run_id, "a folder/large.bin"), "rb") as file:
            assert file.read() == open("large.bin", "rb").read()
        client.delete_run(other.info.run_id)
        assert client.get_run(other.info.run_id).info.lifecycle_stage == "deleted"
        try:
            client.get_run("0" * 32)
            raise SystemExit("a run that is not there was found")
        except mlflow.exceptions.MlflowException as error:
            assert error.error_code == "RESOURCE_DOES_NOT_EXIST", error
    """, tmp_path)
    [run] = sweep.runs
    assert run.metrics["loss"].tolist() == [1 / (i + 1) for i in range(1000)]


def test_a_run_that_the_script_creates_itself_is_the_sweeps(tmp_path):
    sweep = sweep_of("""
        import os, mlflow
        client = mlflow.MlflowClient()
        run = client.create_run(client.create_experiment("own"), run_name="mine")
        client.log_metric(run.info.run_id, "loss", 0.5)
        client.set_terminated(run.info.run_id)
        assert run.info.run_id == os.environ["MLFLOW_RUN_ID"]
    """, tmp_path)
    assert sweep.runs[0].metrics["loss"].tolist() == [0.5]


def test_scikit_learn_logs_by_itself(tmp_path):
    pytest.importorskip("sklearn")
    sweep = sweep_of("""
        import mlflow
        mlflow.sklearn.autolog()
        from sklearn.linear_model import LogisticRegression
        """ + textwrap.indent(DATA, " " * 8) + """
        LogisticRegression().fit(X, y)
        run = mlflow.last_active_run()
        assert run.data.params["C"] == "1.0", run.data.params
        [model] = [one for one in mlflow.search_logged_models(output_format="list")] \\
            if hasattr(mlflow, "search_logged_models") else [None]
        uri = model.model_uri if model else f"runs:/{run.info.run_id}/model"
        assert mlflow.sklearn.load_model(uri).predict(X).shape == y.shape
    """, tmp_path, metric="training_log_loss")
    [run] = sweep.runs
    assert 0 < run.metrics["training_log_loss"].tolist()[-1] < 1
    assert any("MLmodel" in files for _, _, files in os.walk(folder(sweep, run) / "outputs"))


def test_lightgbm_logs_each_iteration_by_itself(tmp_path):
    pytest.importorskip("lightgbm")
    sweep = sweep_of("""
        import lightgbm, mlflow
        mlflow.lightgbm.autolog(log_models=False)
        """ + textwrap.indent(DATA, " " * 8) + """
        data = lightgbm.Dataset(X, y)
        lightgbm.train({"objective": "binary", "metric": "binary_logloss", "verbosity": -1}, data, 10,
                       valid_sets=[data], valid_names=["valid"])
    """, tmp_path, metric="valid-binary_logloss")
    losses = sweep.runs[0].metrics["valid-binary_logloss"].tolist()
    assert len(losses) == 10 and losses == sorted(losses, reverse=True)


def test_xgboost_logs_each_iteration_by_itself(tmp_path):
    pytest.importorskip("xgboost")
    sweep = sweep_of("""
        import mlflow, xgboost
        mlflow.xgboost.autolog(log_models=False)
        """ + textwrap.indent(DATA, " " * 8) + """
        data = xgboost.DMatrix(X, y)
        xgboost.train({"objective": "binary:logistic"}, data, 10, evals=[(data, "train")])
    """, tmp_path, metric="train-logloss")
    losses = sweep.runs[0].metrics["train-logloss"].tolist()
    assert len(losses) == 10 and losses == sorted(losses, reverse=True)


def test_models_are_registered_under_names(tmp_path):
    pytest.importorskip("sklearn")
    sweep = sweep_of(DATA + textwrap.dedent("""
        import sys, mlflow
        from sklearn.linear_model import LogisticRegression
        model = LogisticRegression().fit(X, y)
        with mlflow.start_run() as run:
            mlflow.sklearn.log_model(model, name="model", registered_model_name="credit", pip_requirements=[])
            again = mlflow.register_model(f"runs:/{run.info.run_id}/model", "credit", tags={"a": "b"})
            assert (again.version, again.run_id, again.tags) == ("2", run.info.run_id, {"a": "b"})
            client = mlflow.MlflowClient()
            client.set_registered_model_alias("credit", "champion", "1")
            client.transition_model_version_stage("credit", "2", "Production")
            for name in ("credit/1", "credit/latest", "credit@champion", "credit/Production"):
                assert (mlflow.sklearn.load_model("models:/" + name).coef_ == model.coef_).all(), name
            assert [each.name for each in mlflow.search_registered_models()] == ["credit"]
            found = mlflow.search_model_versions(filter_string="name='credit'", order_by=["version_number DESC"])
            assert [each.version for each in found] == [2, 1] or [each.version for each in found] == ["2", "1"]
            mlflow.log_metric("loss", float(sys.argv[2]))
    """), tmp_path)
    assert (pathlib.Path(sweep.directory) / "mlflow" / "registry.jsonl").exists()


def test_a_server_of_the_users_own_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mine:5000")
    with pytest.warns(UserWarning, match="http://mine:5000"):
        sweep_of("print(1)", tmp_path, stop_without_primary_metric=False)
