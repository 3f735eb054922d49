# SPDX-License-Identifier: Apache-2.0
import importlib.util
import os

import hdrive
import numpy
import pytest

if "KERAS_BACKEND" not in os.environ:
    for backend in "jax", "torch", "tensorflow":
        if importlib.util.find_spec(backend):
            os.environ["KERAS_BACKEND"] = backend
            break
keras = pytest.importorskip("keras", exc_type=ImportError)

from hdrive.integrations.keras import HdriveCallback  # noqa: E402

RANDOM = numpy.random.default_rng(0)
X = RANDOM.normal(size=(64, 3)).astype("float32")
Y = X @ numpy.float32([[1], [2], [3]])


def fit(params, callback, epochs=6):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(params["lr"]), loss="mse")
    return model.fit(X, Y, validation_split=0.5, epochs=epochs, verbose=0, callbacks=[callback])


def sweep_of(train, **given):
    settings = {"metric": "loss", "goal": "minimize", "sampler": "grid", "directory": ":memory:"}
    return hdrive.Sweep({"lr": hdrive.choice(0.1, 1e-6)}, **{**settings, **given}).run(train)


def test_each_epoch_is_reported_and_the_policy_stops():
    histories = []

    def train(run, params):
        histories.append(fit(params, HdriveCallback(run, {"val_loss": "loss"})).history["val_loss"])

    sweep = sweep_of(train, policy=hdrive.Bandit(slack_factor=0.1, delay_evaluation=3))
    assert [run.error for run in sweep.runs] == ["", ""]
    assert [len(history) for history in histories] == [6, 3]
    assert [run.cause for run in sweep.runs] == ["exited", "policy"]
    for run in sweep.runs:
        assert run.metrics["loss"].tolist() == pytest.approx(histories[run.number])
        assert run.metrics.steps("loss").tolist() == list(range(len(histories[run.number])))


def test_all_logs_are_reported_unless_chosen():
    sweep = sweep_of(lambda run, params: fit(params, HdriveCallback(run), epochs=2) and None)
    assert sorted(sweep.runs[0].metrics) == ["loss", "val_loss"]


def test_a_name_that_never_came_is_warned_of():
    class Run:
        stop_requested = False

        def log(self, metrics, step):
            raise AssertionError

    with pytest.warns(UserWarning, match="nothing was reported of val_acc; there were: loss, val_loss"):
        fit({"lr": 0.1}, HdriveCallback(Run(), ["val_acc"]), epochs=1)
