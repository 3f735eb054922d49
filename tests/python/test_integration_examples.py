# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/integrations.md, and those of the modules' docstrings, run as they are."""

import doctest
import importlib
import os
import pathlib
import re
import subprocess
import sys

import pytest

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "integrations.md"


def examples():
    if not PAGE.exists():
        return []
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.M)[1:]
    return [pytest.param(code, id=section.splitlines()[0]) for section in sections
            for code in re.findall(r"```python\n(.*?)```", section, flags=re.S)]


@pytest.mark.parametrize("code", examples())
def test_an_example_runs(code, own_folder):
    for package in re.findall(r"hdrive\.integrations\.(\w+)", code):
        pytest.importorskip(package)
    if "from ray import" in code:
        pytest.importorskip("ray")
        code = "import ray\nray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)\n" + code
    # In a process of its own: Ray keeps what it does in the home folder.
    environment = {**os.environ, "HOME": str(own_folder), "RAY_USAGE_STATS_ENABLED": "0"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


# What the examples of a module take for granted.
GIVEN = {
    "_common": "from hdrive.integrations._common import Options, Search",
    "_report": """
from hdrive.integrations._report import Reporter
class run:
    stop_requested = False
    log = lambda *_, **__: None""",
    "optuna": "import optuna\noptuna.logging.set_verbosity(30)",
    "ray": "from ray import tune",
    "sklearn": """
from sklearn.datasets import make_regression
from sklearn.linear_model import Ridge
X, y = make_regression(60, 4, random_state=0)""",
    "xgboost": """
from xgboost import XGBRegressor
class run: log = print""",
    "lightgbm": """
import numpy
from lightgbm import LGBMRegressor
x = numpy.arange(100.0)[:, None]
y = x[:, 0]
class run:
    stop_requested = False
    log = lambda *_, **__: None""",
}


@pytest.mark.parametrize("module", sorted(GIVEN))
def test_the_examples_of_docstrings_run(module):
    for package in {"_common": (), "_report": ()}.get(module, (module,)):
        pytest.importorskip(package)
    names = {}
    exec("import hdrive\n" + GIVEN[module], names)
    tried = importlib.import_module(f"hdrive.integrations.{module}")
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    finder = doctest.DocTestFinder()
    runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
    for test in finder.find(tried, extraglobs=names, globs={**vars(tried), **names}):
        runner.run(test)
    assert runner.failures == 0 and runner.tries > 0
