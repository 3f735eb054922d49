# SPDX-License-Identifier: Apache-2.0
"""What programs for azure.ai.ml import and hdrive has nothing for: an error when used."""

from __future__ import annotations

from typing import Any, NoReturn

from .._absent import _Absent
from .._settings import not_built

__all__ = ["AmlTokenConfiguration", "Data", "ManagedIdentityConfiguration", "ManagedOnlineDeployment",
           "ManagedOnlineEndpoint", "Model", "UserIdentityConfiguration", "pipeline"]


def pipeline(*_: Any, **__: Any) -> NoReturn:
    """hdrive makes no pipelines of functions."""
    raise not_built("azure.ai.ml.dsl.pipeline", "write the steps into a pipeline's file, which load_job reads "
                    "(docs/sweep-jobs.md, Pipelines)")


class ManagedIdentityConfiguration:
    """Who a run is on Azure: any arguments are taken, and have no effect, which is warned of where it is given."""

    def __init__(self, **_: Any) -> None:
        pass


class UserIdentityConfiguration(ManagedIdentityConfiguration):
    """The same."""


class AmlTokenConfiguration(ManagedIdentityConfiguration):
    """The same."""


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
