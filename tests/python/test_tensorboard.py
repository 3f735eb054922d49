# SPDX-License-Identifier: Apache-2.0
"""The command's tests of event files, with TensorBoard's own reader and writer."""

import os
import pathlib
import subprocess
import sys

import hdrive
import pytest

pytest.importorskip("tensorboard")
TESTS = pathlib.Path(__file__).resolve().parents[1] / "integration" / "tensorboard_test.py"
BINARY = pathlib.Path(hdrive.__file__).parent / "bin" / "hdrive"


@pytest.mark.skipif(not BINARY.exists(), reason="a wheel without the command")
def test_tensorboard_reads_what_is_exported_and_its_scalars_are_metrics():
    done = subprocess.run([sys.executable, "-B", TESTS], capture_output=True, text=True,
                          env={**os.environ, "HDRIVE_BINARY": str(BINARY), "TENSORBOARD_PYTHON": sys.executable})
    assert done.returncode == 0, done.stderr
    assert "skipped" not in done.stderr
