# SPDX-License-Identifier: Apache-2.0
"""What the callbacks of all frameworks share."""

import subprocess
import sys
import textwrap

import hdrive
import numpy
import pytest
from hdrive.integrations._report import Reporter


class Recording:
    """A run that says stop from a report on."""

    def __init__(self, stop_at=None):
        self.logged = []
        self.stop_at = stop_at
        self.stop_requested = False

    def log(self, metrics, value=None, step=None):
        self.logged.append((metrics, step))
        if self.stop_at is not None and len(self.logged) >= self.stop_at:
            raise hdrive.RunStopped("stop")


def test_all_numbers_are_reported():
    run = Recording()
    assert Reporter(run, None)({"loss": numpy.float32(0.5), "name": "resnet", "lr": None, "n": 3}, 7) is False
    assert run.logged == [({"loss": 0.5, "n": 3}, 7)]


def test_metrics_are_chosen_and_renamed():
    run = Recording()
    Reporter(run, ["loss"])({"loss": 1.0, "accuracy": 0.5}, 0)
    Reporter(run, {"val_loss": "loss"})({"loss": 1.0, "val_loss": 2.0}, 1)
    Reporter(run, {"val_loss": "loss"})({"loss": 1.0}, 2)
    assert run.logged == [({"loss": 1.0}, 0), ({"loss": 2.0}, 1)]


def test_a_run_that_is_to_stop_says_so_and_goes_on_saying_so():
    report = Reporter(Recording(stop_at=2), None)
    assert [report({"loss": 1.0}, step) for step in range(3)] == [False, True, True]
    quiet = Recording()
    quiet.stop_requested = True
    assert Reporter(quiet, None)({"loss": 1.0}, 0) is True


def test_a_policy_of_a_sweep_stops(make):
    epochs = {}

    def train(run, params):
        report = Reporter(run, {"val_loss": "loss"})
        for epoch in range(10):
            epochs[run.number] = epoch
            if report({"val_loss": run.number, "other": 1.0}, epoch):
                return

    for raise_on_stop in True, False:
        sweep = make(policy=hdrive.Bandit(slack_amount=0.5, delay_evaluation=3), max_total_runs=2)
        sweep.run(train, raise_on_stop=raise_on_stop)
        assert epochs == {0: 9, 1: 2}
        assert [run.cause for run in sweep.runs] == ["exited", "policy"]
        assert sweep.runs[1].metrics.steps("loss").tolist() == [0, 1, 2]


def test_an_asked_run_takes_the_primary_metric(make):
    sweep = make(policy=hdrive.Bandit(slack_amount=0.5), max_total_runs=2)
    for number in range(2):
        with sweep.ask() as run:
            report = Reporter(run, None)
            stops = [report({"loss": float(number), "other": 1.0}, epoch) for epoch in range(3)]
    assert stops == [True, True, True]
    assert [run.cause for run in sweep.runs] == ["exited", "policy"]


def test_a_script_reports_by_hdrive_run(tmp_path):
    (tmp_path / "train.py").write_text(textwrap.dedent("""
        from hdrive.integrations._report import Reporter
        report = Reporter(None, {"val_loss": "loss"})
        for epoch in range(3):
            report({"val_loss": 1.0 / (epoch + 1)}, epoch)
    """))
    sweep = hdrive.Sweep({"x": [1]}, metric="loss", goal="minimize", max_total_runs=1)
    sweep.run_command([sys.executable, "train.py"])
    assert sweep.runs[0].metrics["loss"].tolist() == [1.0, 0.5, 1.0 / 3]


def test_outside_of_hdrive_nothing_happens():
    code = """
        from hdrive.integrations._report import Reporter
        report = Reporter(None, None)
        assert report({"loss": 1.0}, 0) is False
        report.finish()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_names_that_never_came_are_warned_of():
    report = Reporter(Recording(), ["val_los", "loss"])
    report({"val_loss": 1.0, "loss": 1.0}, 0)
    with pytest.warns(UserWarning, match="nothing was reported of val_los; there were: val_loss, loss"):
        report.finish()


def test_what_is_no_run_is_refused():
    with pytest.raises(hdrive.ConfigError, match="not a int"):
        Reporter(3, None)
    with pytest.raises(hdrive.ConfigError, match=r"\['loss'\]"):
        Reporter(Recording(), "loss")


@pytest.mark.parametrize("module, package", [
    ("optuna", "optuna"), ("ray", "ray"), ("sklearn", "sklearn"), ("keras", "keras"), ("lightning", "lightning"),
    ("transformers", "transformers"), ("xgboost", "xgboost"), ("lightgbm", "lightgbm")])
def test_a_missing_package_is_named(module, package):
    code = f"""
        import sys
        for name in {package!r}, "pytorch_lightning":
            sys.modules[name] = None
        try:
            import hdrive.integrations.{module}
        except ImportError as error:
            print(error)
    """
    told = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert "pip install" in told.stdout


def test_importing_hdrive_imports_no_framework():
    code = """
        import hdrive, hdrive.integrations, sys
        assert not {"optuna", "sklearn", "ray", "numpy", "keras", "torch", "xgboost", "lightgbm"} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
