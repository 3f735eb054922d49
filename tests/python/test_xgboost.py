# SPDX-License-Identifier: Apache-2.0
import hdrive
import numpy
import pytest

xgboost = pytest.importorskip("xgboost")

from hdrive.integrations.xgboost import HdriveCallback  # noqa: E402

RANDOM = numpy.random.default_rng(0)
X = RANDOM.normal(size=(200, 4))
Y = X[:, 0] + 0.1 * RANDOM.normal(size=200)
SPACE = {"eta": hdrive.choice(0.3, 1e-6)}


def sweep_of(train, **given):
    settings = {"metric": "loss", "goal": "minimize", "sampler": "grid", "directory": ":memory:"}
    return hdrive.Sweep(SPACE, **{**settings, **given}).run(train)


def test_each_iteration_is_reported():
    def train(run, params):
        data = xgboost.DMatrix(X, Y)
        xgboost.train({**params, "nthread": 1}, data, 5, evals=[(data, "train")], evals_result=history[run.number],
                      verbose_eval=False, callbacks=[HdriveCallback(run, {"train-rmse": "loss"})])

    history = [{}, {}]
    sweep = sweep_of(train)
    for run in sweep.runs:
        assert run.metrics["loss"].tolist() == history[run.number]["train"]["rmse"]
        assert run.metrics.steps("loss").tolist() == [0, 1, 2, 3, 4]


def test_training_ends_where_the_policy_says():
    trees = []

    def train(run, params):
        data = xgboost.DMatrix(X, Y)
        model = xgboost.train({**params, "nthread": 1}, data, 8, evals=[(data, "train")], verbose_eval=False,
                              callbacks=[HdriveCallback(run, {"train-rmse": "loss"})])
        trees.append(model.num_boosted_rounds())

    sweep = sweep_of(train, policy=hdrive.Bandit(slack_factor=0.1, delay_evaluation=3))
    assert trees == [8, 3]
    assert [run.cause for run in sweep.runs] == ["exited", "policy"]


def test_estimators_and_cross_validation_report_too():
    def train(run, params):
        xgboost.XGBRegressor(n_estimators=3, n_jobs=1, learning_rate=params["eta"], callbacks=[
            HdriveCallback(run, {"validation_0-rmse": "loss"})]).fit(X, Y, eval_set=[(X, Y)], verbose=False)
        xgboost.cv({**params, "nthread": 1}, xgboost.DMatrix(X, Y), 3, nfold=2,
                   callbacks=[HdriveCallback(run, ["test-rmse"])])

    pytest.importorskip("sklearn")
    pytest.importorskip("pandas")
    sweep = sweep_of(train)
    assert [run.error for run in sweep.runs] == ["", ""]
    assert len(sweep.runs[0].metrics["loss"]) == 3
    assert len(sweep.runs[0].metrics["test-rmse"]) == 3


def test_a_name_that_never_came_is_warned_of():
    def train(run, params):
        data = xgboost.DMatrix(X, Y)
        with pytest.warns(UserWarning, match="nothing was reported of rmse; there were: train-rmse"):
            xgboost.train({"nthread": 1}, data, 2, evals=[(data, "train")], verbose_eval=False,
                          callbacks=[HdriveCallback(run, ["rmse"])])
        return 1.0

    assert [run.error for run in sweep_of(train).runs] == ["", ""]
