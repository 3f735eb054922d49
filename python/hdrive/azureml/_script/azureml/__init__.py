# SPDX-License-Identifier: Apache-2.0
"""azureml for the scripts that hdrive starts: the folder around this package is on their PYTHONPATH.

The package hdrive puts its own folder there; the command carries this file and those it loads, and writes them
into the sweep's `.python/azureml`. A package and no sitecustomize.py, so that the user's own is not in the way, and
nothing happens in a script that imports no azureml. Run, Dataset, Model and the exceptions need the standard library
alone; the rest needs hdrive in the interpreter.

HDRIVE_AZUREML_SDK (azureml_sdk in the configuration) decides what azureml is where Azure's own is installed, too.
"""

from __future__ import annotations

import importlib.util
import os
import pkgutil
import sys
from types import ModuleType

_HERE = os.path.dirname(os.path.abspath(__file__))
# Packages of Azure's that hdrive has nothing for, such as azureml.opendatasets, are found where they are installed.
__path__ = pkgutil.extend_path(__path__, __name__)


def _installed() -> list[str]:
    """Where Azure's own azureml.core is."""
    others = [path for path in __path__ if os.path.abspath(path) != _HERE]
    return others if any(os.path.isdir(os.path.join(path, "core")) for path in others) else []


def _load(name: str) -> ModuleType:
    full = "hdrive.azureml." + name
    if full not in sys.modules:
        file = os.path.join(_HERE, name + ".py")
        if not os.path.exists(file):  # in the package hdrive it lies two folders up
            file = os.path.join(os.path.dirname(os.path.dirname(_HERE)), name + ".py")
        spec = importlib.util.spec_from_file_location(full, file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        # Where hdrive.azureml is imported as well it finds these here: there is one class Run.
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


_sdk = os.environ.get("HDRIVE_AZUREML_SDK", "stand_in")
if _sdk == "real" or (_sdk == "auto" and _installed()):
    # As if this package was not there: azureml is a namespace that Azure's packages share.
    __path__ = [path for path in __path__ if os.path.abspath(path) != _HERE]
else:
    for _name in ("_errors", "_settings", "_context", "_datasets", "_submitted", "_model", "_modules"):
        _load(_name)
    _load("_modules").register()
