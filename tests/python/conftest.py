# SPDX-License-Identifier: Apache-2.0
"""What the tests of the installed package share."""

import signal

import pytest

# A shell in the background has its children ignore SIGINT; those of these tests are to hear it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Every test has a working directory of its own, and so sweeps of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HDRIVE_HOME", raising=False)
    return tmp_path


@pytest.fixture
def make():
    """A sweep of x in [-1, 1] in memory, with whatever else is given."""
    import hdrive

    def build(space=None, **given):
        settings = {"metric": "loss", "goal": "minimize", "max_total_runs": 8, "seed": 7, "directory": ":memory:"}
        return hdrive.Sweep({"x": hdrive.uniform(-1, 1)} if space is None else space, **{**settings, **given})

    return build


@pytest.fixture
def source(own_folder):
    """A script for hdrive.azureml, as a ScriptRunConfig."""
    from hdrive.azureml import ScriptRunConfig
    (own_folder / "train.py").write_text("print('trained')")
    return ScriptRunConfig(".", "train.py")
