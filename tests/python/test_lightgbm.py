# SPDX-License-Identifier: Apache-2.0
import hdrive
import numpy
import pytest

lightgbm = pytest.importorskip("lightgbm")

from hdrive.integrations.lightgbm import HdriveCallback  # noqa: E402

RANDOM = numpy.random.default_rng(0)
X = RANDOM.normal(size=(200, 4))
Y = X[:, 0] + 0.1 * RANDOM.normal(size=200)
SPACE = {"learning_rate": hdrive.choice(0.3, 1e-6)}
QUIET = {"verbosity": -1, "num_threads": 1, "objective": "l2"}


def sweep_of(train, **given):
    settings = {"metric": "loss", "goal": "minimize", "sampler": "grid", "directory": ":memory:"}
    return hdrive.Sweep(SPACE, **{**settings, **given}).run(train)


def data():
    return lightgbm.Dataset(X, Y, params=QUIET)


def test_each_iteration_is_reported():
    history = [{}, {}]

    def train(run, params):
        held_out = data()
        lightgbm.train({**QUIET, **params}, data(), 5, valid_sets=[held_out], valid_names=["valid"],
                       callbacks=[HdriveCallback(run, {"valid-l2": "loss"}),
                                  lightgbm.record_evaluation(history[run.number])])

    for run in sweep_of(train).runs:
        assert run.error == ""
        assert run.metrics["loss"].tolist() == history[run.number]["valid"]["l2"]
        assert run.metrics.steps("loss").tolist() == [0, 1, 2, 3, 4]


def test_training_ends_where_the_policy_says():
    trees = []

    def train(run, params):
        model = lightgbm.train({**QUIET, **params}, data(), 8, valid_sets=[data()],
                               callbacks=[HdriveCallback(run, {"valid_0-l2": "loss"})])
        trees.append(model.num_trees())

    sweep = sweep_of(train, policy=hdrive.Bandit(slack_factor=0.1, delay_evaluation=3))
    assert trees == [8, 3]
    assert [run.cause for run in sweep.runs] == ["exited", "policy"]


def test_estimators_and_cross_validation_report_too():
    pytest.importorskip("sklearn")

    def train(run, params):
        lightgbm.LGBMRegressor(n_estimators=3, **params, **QUIET).fit(
            X, Y, eval_set=[(X[:50], Y[:50])], callbacks=[HdriveCallback(run, {"valid_0-l2": "loss"})])
        lightgbm.cv({**QUIET, **params}, data(), 3, nfold=2, stratified=False,
                    callbacks=[HdriveCallback(run, ["valid-l2"])])

    for run in sweep_of(train).runs:
        assert run.error == ""
        assert len(run.metrics["loss"]) == 3
        assert len(run.metrics["valid-l2"]) == 3


def test_a_name_that_never_came_is_warned_of():
    def train(run, params):
        with pytest.warns(UserWarning, match="nothing was reported of l2; there were: valid_0-l2"):
            lightgbm.train(QUIET, data(), 2, valid_sets=[data()], callbacks=[HdriveCallback(run, ["l2"])])
        return 1.0

    assert [run.error for run in sweep_of(train).runs] == ["", ""]
