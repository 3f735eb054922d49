# SPDX-License-Identifier: Apache-2.0
"""What programs for azure.ai.ml import and hdrive has nothing for: an error when used."""

from __future__ import annotations

from .._absent import _Absent

__all__ = ["Data", "ManagedOnlineDeployment", "ManagedOnlineEndpoint", "Model"]


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
