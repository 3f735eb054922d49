# SPDX-License-Identifier: Apache-2.0
"""MLClient: jobs of the local store, in the shape of azure.ai.ml."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

from .._compute import ComputeTarget, targets
from .._environment import Environment as _Environment
from .._errors import ExperimentExecutionException, UserErrorException
from .._hyperdrive_run import HyperDriveRun
from .._runs import Run, open_run
from .._settings import ignored, not_built
from .._submit import start_script, start_sweep
from .._workspace import Experiment, Workspace
from ._jobs import Command, Environment, SweepJob
from ._load import LoadedJob, _plain
from ._pipeline import PipelineJobRun, open_pipeline, pipelines

__all__ = ["AmlCompute", "AzureCliCredential", "DefaultAzureCredential", "InteractiveBrowserCredential", "MLClient",
           "SubmittedJob"]


class _Credential:
    """There is nobody to sign in to."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def get_token(self, *_: Any, **__: Any) -> None:
        """None."""


class DefaultAzureCredential(_Credential):
    """Does nothing."""


class InteractiveBrowserCredential(_Credential):
    """Does nothing."""


class AzureCliCredential(_Credential):
    """Does nothing."""


class AmlCompute:
    """A description of a cluster, by whose name MLClient.compute.begin_create_or_update finds a target."""

    kind = "AmlCompute"

    def __init__(self, *, name: str, **given: Any) -> None:
        self.name = name
        self.given = given


class SubmittedJob:
    """A job that was submitted. `run` is what it is in v1's words: a HyperDriveRun, or a Run."""

    def __init__(self, run: Any) -> None:
        self.run: Any = run

    @property
    def name(self) -> str:
        """The name it was given, else its id: by which `jobs` finds it."""
        if isinstance(self.run, PipelineJobRun):
            return self.run.name
        named: str = self.run._sweep.name if self._is_whole and self.run._sweep.name else self.run.id
        return named

    @property
    def _is_whole(self) -> bool:
        return self.run.parent is None

    @property
    def type(self) -> str:
        """sweep, command or pipeline."""
        return "pipeline" if isinstance(self.run, PipelineJobRun) else "sweep" if isinstance(self.run, HyperDriveRun) else "command"

    @property
    def status(self) -> str:
        """Running, Completed, Failed, Canceled, ..."""
        return str(self.run.get_status())

    @property
    def display_name(self) -> str:
        """A name for people."""
        return str(self.run.display_name or self.name)

    @property
    def experiment_name(self) -> str:
        """The experiment it is grouped with."""
        return str(self.run.experiment.name)

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return dict(self.run.get_tags())

    @property
    def properties(self) -> dict[str, str]:
        """Its properties: of a finished sweep best_child_run_id, score."""
        return dict(self.run.get_properties())

    @property
    def studio_url(self) -> str:
        """Where its files are."""
        return str(self.run.get_portal_url())

    def __repr__(self) -> str:
        return f"SubmittedJob(type={self.type!r}, name={self.name!r}, status={self.status!r})"


class MLClient:
    """The local store: $HDRIVE_HOME, or .hdrive in the working directory. Credential and names choose nothing.

        ml_client = MLClient(DefaultAzureCredential(), subscription_id, resource_group, workspace)
        job = ml_client.jobs.create_or_update(sweep_job)
        ml_client.jobs.stream(job.name)
        ml_client.jobs.download(job.name, download_path="best")
    """

    def __init__(self, credential: Any = None, subscription_id: str | None = None,
                 resource_group_name: str | None = None, workspace_name: str | None = None,
                 registry_name: str | None = None, **kwargs: Any) -> None:
        ignored("MLClient", {"registry_name": registry_name, **kwargs}, "there is the local store alone")
        self.workspace = Workspace(subscription_id, resource_group_name, workspace_name)
        self.workspace_name = self.workspace.name
        self.subscription_id = self.workspace.subscription_id
        self.resource_group_name = self.workspace.resource_group
        self.jobs = _Jobs(self.workspace)
        self.environments = _Environments(self.workspace)
        self.compute = _Compute()

    @classmethod
    def from_config(cls, credential: Any = None, *, path: str | None = None, file_name: str | None = None,
                    **kwargs: Any) -> MLClient:
        """As Workspace.from_config: with a config.json's names, where there is one."""
        found = Workspace.from_config(path, _file_name=file_name)
        return cls(credential, found.subscription_id, found.resource_group, found.name, **kwargs)

    def create_or_update(self, entity: Any, **given: Any) -> Any:
        """A job is begun, an environment kept."""
        return self.environments.create_or_update(entity) if isinstance(entity, Environment) else \
            self.jobs.create_or_update(entity, **given)

    def __getattr__(self, name: str) -> Any:
        if name in ("data", "datastores", "models", "components", "online_endpoints", "online_deployments",
                    "batch_endpoints", "schedules", "registries"):
            raise not_built(f"MLClient.{name}", "hdrive has jobs, and environments; data are files of this machine")
        raise AttributeError(f"MLClient has no {name!r}; it has: jobs, environments, compute")

    def __repr__(self) -> str:
        return f"MLClient(workspace_name={self.workspace_name!r})"


class _Jobs:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def create_or_update(self, job: Any, *, description: str | None = None, tags: Any = None,
                         experiment_name: str | None = None, compute: Any = None,
                         skip_validation: bool = False) -> SubmittedJob:
        """Begins a SweepJob, a Command or the job of a file, in the background. It ends with this process, as
        Experiment.submit's."""
        if isinstance(job, SubmittedJob):
            job.run.set_tags(tags or {})
            return job
        if isinstance(job, LoadedJob):
            begun = job._begin(self._workspace, experiment_name, compute)
            begun.set_tags({**(_plain(job.tags) or {}), **(tags or {})})
            if job.display_name:
                begun.display_name = job.display_name
            if description or job.description:
                begun.add_properties({"description": description or job.description})
            return SubmittedJob(begun)
        if not isinstance(job, (SweepJob, Command)):
            raise UserErrorException(f"jobs.create_or_update: a {type(job).__name__} is no job; allowed: command(...), "
                                     "command(...).sweep(...), load_job(...)")
        experiment = Experiment(self._workspace, experiment_name or job.experiment_name or _folder_name())
        if compute is not None:
            job.compute = compute
        run: Run = start_sweep(experiment, job._config(), job.name or "") if isinstance(job, SweepJob) else \
            start_script(experiment, job._script({}), job.name or "")
        run.set_tags({**job.tags, **(tags or {})})
        if job.display_name:
            run.display_name = job.display_name
        if description or job.description:
            run.add_properties({"description": description or job.description})
        return SubmittedJob(run)

    def validate(self, job: Any, *, raise_on_failure: bool = False) -> list[str]:
        """What `create_or_update` would refuse, as texts; none where it would begin."""
        try:
            if isinstance(job, LoadedJob):
                job._loaded()
                return []
            config = job._config() if isinstance(job, SweepJob) else job._script({})
            config._program("validated")
        except Exception as error:
            if raise_on_failure:
                raise
            return [str(error)]
        return []

    def archive(self, name: str) -> None:
        """Jobs are not archived."""
        raise not_built("jobs.archive", "`hdrive delete` removes a sweep")

    restore = archive

    def _open(self, name: str) -> Any:
        return open_pipeline(self._workspace, name) or open_run(None, self._workspace, name)

    def get(self, name: str) -> SubmittedJob:
        """The job with this id, or name; also a sweep's run, by HD_<uuid>_<number>, and a pipeline's step, by
        NAME.STEP."""
        return SubmittedJob(self._open(name))

    def list(self, *, parent_job_name: str | None = None, max_results: int = 50,
             list_view_type: Any = None) -> Iterator[SubmittedJob]:
        """The jobs, newest first; or the runs of one, of a pipeline its steps."""
        ignored("jobs.list", {"list_view_type": list_view_type}, "no job is archived")
        if parent_job_name is not None:
            for child in self._open(parent_job_name).get_children():
                yield SubmittedJob(child)
            return
        begun = pipelines(self._workspace)
        steps = tuple(f"{name}." for name in begun)
        found = [(moment, name) for name, moment in begun.items()]
        found += [(float(sweep._entry()["created"]), sweep.id) for sweep in self._workspace._sweeps()
                  if not sweep.name.startswith(steps)]
        for _, name in sorted(found, reverse=True)[:max_results]:
            yield SubmittedJob(self._open(name))

    def stream(self, name: str) -> None:
        """Tells what happens until the job has ended. Raises ActivityFailedException where it failed."""
        self._open(name).wait_for_completion(show_output=True)

    def begin_cancel(self, name: str) -> None:
        """Stops it."""
        self._open(name).cancel()

    cancel = begin_cancel

    def download(self, name: str, *, download_path: Any = ".", output_name: str | None = None,
                 all: bool = False) -> None:
        """Copies the files of the job, of a sweep those of its best run: into artifacts/, with their names; an output
        by name into named-outputs/<name>/. With `all` both, of every output. The files of a pipeline's steps go into
        artifacts/<step>/."""
        run = self._open(name)
        if isinstance(run, PipelineJobRun):
            return run.download(os.fspath(download_path), output_name, all)
        if isinstance(run, HyperDriveRun):
            best = run.get_best_run_by_primary_metric()
            if best is None:
                raise ExperimentExecutionException(f"{run.id} has no best run yet: none has reported "
                                                   f"{run._sweep.metric}")
            run = best
        if output_name is None or all:
            run.download_files(output_directory=os.path.join(os.fspath(download_path), "artifacts"))
        outputs = os.path.join(run._directory, "outputs")
        names = [output_name] if output_name is not None else sorted(os.listdir(outputs)) if all and \
            os.path.isdir(outputs) else []
        for each in names:
            source = os.path.join(outputs, each)
            if not os.path.exists(source):
                raise UserErrorException(f"{run.id} has no output {each!r}")
            target = os.path.join(os.fspath(download_path), "named-outputs", each)
            if os.path.isdir(source):
                shutil.copytree(source, target, dirs_exist_ok=True)
            elif output_name is not None:
                os.makedirs(target, exist_ok=True)
                shutil.copyfile(source, os.path.join(target, each))


def _folder_name() -> str:
    """Azure's default for the experiment: what the working directory is called."""
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in os.path.basename(os.getcwd()))
    return name.lstrip("-.") or "default"


class _Environments:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def create_or_update(self, environment: Environment) -> Environment:
        """Keeps it under its name."""
        environment._as_v1().register(self._workspace)
        return environment

    def get(self, name: str, version: str | None = None, label: str | None = None) -> _Environment:
        """The environment of this name."""
        return _Environment.get(self._workspace, name, version, label)

    def list(self, name: str | None = None) -> Iterator[_Environment]:
        """Those that were kept."""
        found = _Environment.list(self._workspace)
        return iter([each for each in found.values() if name in (None, each.name)])


class _Done:
    """What Azure's long operations give back, of one that is over."""

    def __init__(self, result: Any) -> None:
        self._result = result

    def result(self, timeout: float | None = None) -> Any:
        """What it made."""
        return self._result

    def wait(self, timeout: float | None = None) -> None:
        """Returns at once."""

    def done(self) -> bool:
        """True."""
        return True

    def status(self) -> str:
        """Succeeded."""
        return "Succeeded"


class _Compute:
    """The targets of targets.yml."""

    def get(self, name: str) -> ComputeTarget:
        """The target of this name. Raises ComputeTargetException where there is none."""
        return ComputeTarget(None, name)

    def begin_create_or_update(self, compute: Any) -> _Done:
        """The target of this name, where there is one. Raises ComputeTargetException else: hdrive makes no machines."""
        return _Done(ComputeTarget.create(None, getattr(compute, "name", compute), compute))

    def begin_delete(self, name: str, **_: Any) -> _Done:
        """Takes it out of targets.yml."""
        self.get(name).detach()
        return _Done(None)

    def begin_start(self, name: str, **_: Any) -> _Done:
        """Nothing to do: a target is there."""
        return _Done(self.get(name))

    begin_stop = begin_restart = begin_start

    def list(self, **_: Any) -> Iterator[Any]:
        """The targets of targets.yml."""
        return iter(targets().values())
