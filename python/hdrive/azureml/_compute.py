# SPDX-License-Identifier: Apache-2.0
"""Compute targets. hdrive runs on this machine, as "local"; the others say so when they are asked for."""

from __future__ import annotations

from typing import Any, NoReturn

from ._errors import ComputeTargetException
from ._settings import Settings

__all__ = ["AdlaCompute", "AksCompute", "AmlCompute", "BatchCompute", "ComputeInstance", "ComputeTarget",
           "DataFactoryCompute", "DatabricksCompute", "HDInsightCompute", "KubernetesCompute", "RemoteCompute",
           "require_local"]


def _refuse(name: Any, kind: str = "compute target") -> NoReturn:
    raise ComputeTargetException(f"there is no {kind} {name!r}: hdrive has no remote targets yet and runs on this "
                                 "machine; leave compute_target out, or give \"local\"")


def require_local(target: Any) -> None:
    """Raises ComputeTargetException unless the target is None or "local"."""
    if target is not None and target != "local":
        _refuse(getattr(target, "name", target))


class ProvisioningConfiguration(Settings):
    """What a cluster was to be. Kept as given, as there is nobody to provide it."""

    def __init__(self, kind: str, given: dict[str, Any]) -> None:
        self.kind = kind
        for name, value in given.items():
            setattr(self, name, value)


class ComputeTarget:
    """A target by its name. Raises ComputeTargetException, whatever the name: the code that then creates one hears
    of it by `create`, too."""

    def __init__(self, workspace: Any = None, name: str = "", **_: Any) -> None:
        _refuse(name, type(self).__name__)

    @staticmethod
    def create(workspace: Any, name: str, provisioning_configuration: Any) -> ComputeTarget:
        """Raises ComputeTargetException."""
        _refuse(name, getattr(provisioning_configuration, "kind", "compute target"))

    @staticmethod
    def attach(workspace: Any, name: str, attach_configuration: Any) -> ComputeTarget:
        """Raises ComputeTargetException."""
        _refuse(name, getattr(attach_configuration, "kind", "compute target"))

    @staticmethod
    def list(workspace: Any) -> Any:
        """None."""
        return []

    @classmethod
    def provisioning_configuration(cls, *_: Any, **given: Any) -> ProvisioningConfiguration:
        """A description, which `create` takes."""
        return ProvisioningConfiguration(cls.__name__, given)

    @classmethod
    def attach_configuration(cls, *_: Any, **given: Any) -> ProvisioningConfiguration:
        """A description, which `attach` takes."""
        return ProvisioningConfiguration(cls.__name__, given)


class AmlCompute(ComputeTarget):
    """A cluster of Azure ML."""

    @staticmethod
    def supported_vmsizes(*_: Any, **__: Any) -> Any:
        """None."""
        return []


class RemoteCompute(ComputeTarget):
    """A machine by SSH."""


class HDInsightCompute(ComputeTarget):
    """A cluster of HDInsight, by SSH."""


class BatchCompute(ComputeTarget):
    """An account of Azure Batch."""


class DatabricksCompute(ComputeTarget):
    """A workspace of Databricks."""


class AdlaCompute(ComputeTarget):
    """An account of Data Lake Analytics."""


class DataFactoryCompute(ComputeTarget):
    """A data factory."""


class AksCompute(ComputeTarget):
    """A cluster of Kubernetes in Azure."""


class KubernetesCompute(ComputeTarget):
    """A cluster of Kubernetes elsewhere."""


class ComputeInstance(ComputeTarget):
    """A workstation in Azure."""
