# SPDX-License-Identifier: Apache-2.0
"""What programs for Azure import and hdrive has nothing for: taken when imported, an error when used; and what has
nothing to do here, such as signing in."""

from __future__ import annotations

from typing import Any, NoReturn

from ._settings import not_built

__all__ = ["AzureCliAuthentication", "DataReference", "Datastore", "Image",
           "InteractiveLoginAuthentication", "MsiAuthentication", "OutputFileDatasetConfig", "PipelineEndpoint",
           "PipelineParameter", "PublishedPipeline", "Schedule", "ScheduleRecurrence",
           "ServicePrincipalAuthentication", "Webservice", "set_diagnostics_collection"]


class _Absent(type):
    _instead = ""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise not_built(f"{cls.__name__}.{name}", cls._instead)

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:
        raise not_built(cls.__name__, cls._instead)


class Datastore(metaclass=_Absent):
    """Azure's datastores."""

    _instead = "pass the paths of files on this machine as arguments"


class DataReference(metaclass=_Absent):
    """Azure's references to datastores."""

    _instead = "pass the paths of files on this machine as arguments"


class OutputFileDatasetConfig(metaclass=_Absent):
    """Azure's outputs as datasets."""

    _instead = "write to the run's outputs, or use PipelineData"


class Webservice(metaclass=_Absent):
    """Azure's deployments."""

    _instead = "hdrive tunes, and deploys nothing"


class Image(metaclass=_Absent):
    """Azure's images of models."""

    _instead = "hdrive tunes, and deploys nothing"


class PublishedPipeline(metaclass=_Absent):
    """Azure's pipelines that others start."""

    _instead = "keep the program that makes the pipeline"


class PipelineEndpoint(metaclass=_Absent):
    """Azure's address of a published pipeline."""

    _instead = "keep the program that makes the pipeline"


class PipelineParameter(metaclass=_Absent):
    """Azure's arguments that a pipeline is given when it begins."""

    _instead = "steps have the arguments they were made with: pass the value itself"


class Schedule(metaclass=_Absent):
    """Azure's schedules of pipelines."""

    _instead = "let cron, or a timer of systemd, start the program that makes the pipeline"


class ScheduleRecurrence(metaclass=_Absent):
    """Azure's schedules of pipelines."""

    _instead = "let cron, or a timer of systemd, start the program that makes the pipeline"


class _SignIn:
    """There is nobody to sign in to: any arguments are taken, none is kept."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass


class InteractiveLoginAuthentication(_SignIn):
    """Does nothing."""


class ServicePrincipalAuthentication(_SignIn):
    """Does nothing."""


class AzureCliAuthentication(_SignIn):
    """Does nothing."""


class MsiAuthentication(_SignIn):
    """Does nothing."""


def set_diagnostics_collection(send_diagnostics: bool = True, verbosity: Any = None) -> None:
    """hdrive sends nothing to anybody."""
