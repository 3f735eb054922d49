# SPDX-License-Identifier: Apache-2.0
"""What programs for azure.ai.ml import and hdrive has nothing for: an error when used."""

from __future__ import annotations

from typing import Any, NoReturn

from .._absent import _Absent
from .._settings import not_built

__all__ = ["Data", "ManagedOnlineDeployment", "ManagedOnlineEndpoint", "Model", "load_component", "load_environment",
           "load_job"]


class Data(metaclass=_Absent):
    """Azure's data assets."""

    _instead = "pass paths of this machine: Input(type=\"uri_file\", path=\"data.csv\")"


class Model(metaclass=_Absent):
    """Azure's registry of models."""

    _instead = "hdrive.azureml.Model keeps files by name and version"


class ManagedOnlineEndpoint(metaclass=_Absent):
    """Azure's deployments."""

    _instead = "hdrive tunes, and deploys nothing"


class ManagedOnlineDeployment(metaclass=_Absent):
    """Azure's deployments."""

    _instead = "hdrive tunes, and deploys nothing"


def load_job(*_: Any, **__: Any) -> NoReturn:
    """v2's YAML is not read."""
    raise not_built("load_job", "write the job as command(...).sweep(...), or an hdconfig.yml for `hdrive run`")


def load_component(*_: Any, **__: Any) -> NoReturn:
    """v2's YAML is not read."""
    raise not_built("load_component", "write the job as command(...)")


def load_environment(*_: Any, **__: Any) -> NoReturn:
    """v2's YAML is not read."""
    raise not_built("load_environment", "write Environment(conda_file=...)")
