# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/azureml.md are run, in their order, as one program."""

import pathlib
import re
import subprocess
import sys

import pytest

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "azureml.md"


@pytest.mark.skipif(not DOCS.exists(), reason="the tests are not beside the documentation")
def test_the_examples_run_as_they_stand(own_folder):
    program = ""
    for file, code in re.findall(r"```(?:python|yaml(?= file))(?: file=(\S+))?\n(.*?)```", DOCS.read_text(), re.DOTALL):
        if file:
            (own_folder / file).parent.mkdir(exist_ok=True)
            (own_folder / file).write_text(code)
        else:
            program += code
    (own_folder / "program.py").write_text(program)
    done = subprocess.run([sys.executable, "-W", "error::UserWarning", "program.py"], capture_output=True, text=True,
                          timeout=50)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Completed, best accuracy") >= 2
    assert (own_folder / "best.txt").exists()
    assert (own_folder / "best" / "artifacts" / "outputs" / "model.txt").exists()
