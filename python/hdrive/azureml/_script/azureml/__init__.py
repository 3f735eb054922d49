# SPDX-License-Identifier: Apache-2.0
"""azureml for the scripts that hdrive starts: the folder around this package is on their PYTHONPATH.

A package and no sitecustomize.py, so that the user's own is not in the way, and nothing happens in a script that
imports no azureml. Run and the exceptions need the standard library alone; the rest needs hdrive in the interpreter.
"""

import importlib.util
import os
import pkgutil
import sys
from types import ModuleType

# Packages of Azure's that hdrive has nothing for, such as azureml.opendatasets, are found where they are installed.
__path__ = pkgutil.extend_path(__path__, __name__)


def _load(name: str) -> ModuleType:
    full = "hdrive.azureml." + name
    if full not in sys.modules:
        here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        spec = importlib.util.spec_from_file_location(full, os.path.join(here, name + ".py"))
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        # Where hdrive.azureml is imported as well it finds these here: there is one class Run.
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


for _name in ("_errors", "_context", "_modules"):
    _load(_name)
_load("_modules").register()
