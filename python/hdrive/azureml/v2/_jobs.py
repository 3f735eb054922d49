# SPDX-License-Identifier: Apache-2.0
"""command(...) and .sweep(...): jobs in the shape of azure.ai.ml."""

from __future__ import annotations

import copy
import os
import re
import warnings
from typing import Any

from .._compute import target_named
from .._config import HyperDriveConfig
from .._environment import Environment as _Environment
from .._environment import CondaDependencies
from .._errors import UserErrorException
from .._images import DockerBuildContext
from .._requirements import conda_packages_of
from .._runconfig import (MpiConfiguration, PyTorchConfiguration, RunConfiguration, ScriptRunConfig,
                          TensorflowConfiguration)
from .._settings import Settings, count, ignored, nearest, not_built
from ._distributions import Distribution, Objective, SweepJobLimits, as_policy, as_sampling

__all__ = ["AssetTypes", "BuildContext", "Command", "Environment", "Input", "Job", "MpiDistribution", "Output",
           "PyTorchDistribution", "SweepJob", "TensorFlowDistribution", "command"]

_SIXTY_DAYS, _MOST_TRIALS = 5184000, 1000
_REFERENCE = re.compile(r"\$?\{?\{(inputs|outputs|search_space)\.([A-Za-z_][A-Za-z0-9_]*)\}\}?")
_OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]")


class AssetTypes:
    """The types of inputs and outputs."""

    URI_FILE = "uri_file"
    URI_FOLDER = "uri_folder"
    MLTABLE = "mltable"
    MLFLOW_MODEL = "mlflow_model"
    CUSTOM_MODEL = "custom_model"


class InputOutputModes:
    """How Azure hands data over; here they are the files themselves."""

    MOUNT = "mount"
    DOWNLOAD = "download"
    UPLOAD = "upload"
    RO_MOUNT = "ro_mount"
    RW_MOUNT = "rw_mount"
    EVAL_MOUNT = "eval_mount"
    EVAL_DOWNLOAD = "eval_download"
    DIRECT = "direct"


class Input(Settings):
    """A file or a folder of this machine, at `path`; or with a type such as number the `default`."""

    def __init__(self, *, type: str = "uri_folder", path: str | None = None, mode: str | None = None,
                 default: Any = None, optional: bool | None = None, min: Any = None, max: Any = None,
                 enum: Any = None, description: str | None = None) -> None:
        ignored("Input", {"min": min, "max": max, "enum": enum}, "values are not checked")
        self.type = type
        self.path = path
        self.mode = mode
        self.default = default
        self.optional = optional
        self._seal()

    def _text(self, name: str) -> str | None:
        if self.path is None:
            return None if self.default is None else str(self.default)
        return _local(f"inputs.{name}", str(self.path))


class Output(Settings):
    """A file or a folder that the job writes: below its outputs, or at `path`."""

    def __init__(self, *, type: str = "uri_folder", path: str | None = None, mode: str | None = None,
                 description: str | None = None, name: str | None = None, version: str | None = None) -> None:
        ignored("Output", {"name": name, "version": version}, "outputs are files of the run, and not registered")
        self.type = type
        self.path = path
        self.mode = mode
        self._seal()


def _local(what: str, path: str) -> str:
    if re.match(r"[a-z][a-z0-9+.-]+:", path) and not path.startswith("file:"):
        raise not_built(f"{what}: {path}", "give the path of a file on this machine")
    path = os.path.abspath(path[7:] if path.startswith("file://") else path)
    if not os.path.exists(path):
        raise UserErrorException(f"{what}: there is no {path}")
    return path


class BuildContext(Settings):
    """A folder with a Dockerfile, of which podman or docker builds an image, once.

        Environment(name="mine", build=BuildContext(path="docker"))
    """

    def __init__(self, *, path: Any = None, dockerfile_path: str | None = None) -> None:
        if path is None:
            raise UserErrorException("BuildContext: which folder? path=\"docker\"")
        self.path = os.fspath(path)
        self.dockerfile_path = dockerfile_path or "Dockerfile"
        self._seal()


class Environment(Settings):
    """An environment in v2's words: a conda file (or its content as a dict), an image, a `build` of one."""

    def __init__(self, *, name: str | None = None, version: str | None = None, description: str | None = None,
                 image: str | None = None, build: Any = None, conda_file: Any = None, tags: Any = None,
                 properties: Any = None, datastore: Any = None) -> None:
        ignored("Environment", {"properties": properties, "datastore": datastore, "version": version},
                "an environment has a name and packages here")
        if build is not None and not isinstance(build, BuildContext):
            raise UserErrorException(f"Environment: build: a BuildContext is wanted, not a {type(build).__name__}")
        if build is not None and image is not None:
            raise UserErrorException("Environment: image and build are given; one is wanted")
        self.name = name or "anonymous"
        self.description = description
        self.image = image
        self.build = build
        self.conda_file = conda_file
        self.tags = tags or {}
        self._seal()

    def _as_v1(self) -> _Environment:
        made = _Environment(self.name)
        made.docker.base_image = self.image
        if self.build is not None:
            made.docker.build_context = DockerBuildContext(_local("build", self.build.path), self.build.dockerfile_path)
        if isinstance(self.conda_file, dict):
            made.python.conda_dependencies = CondaDependencies.create(*conda_packages_of(self.conda_file))
        elif self.conda_file is not None:
            made.python.conda_dependencies = CondaDependencies(os.fspath(self.conda_file))
        return made


def _environment(given: Any) -> _Environment:
    if isinstance(given, Environment):
        return given._as_v1()
    if isinstance(given, _Environment):
        return given
    made = _Environment("local")
    made.python.user_managed_dependencies = True
    if given is None:
        return made
    if not isinstance(given, str):
        raise UserErrorException(f"environment: a name or an Environment is wanted, not a {type(given).__name__}")
    name = given.partition("environments/")[2] or given
    name = re.sub(r"^azureml:(?=[^/])", "", name)
    name = re.split(r"[@:]|/versions/|/labels/", name)[0]
    registered = _Environment.list()
    if name in registered:
        return registered[name]
    # As `hdrive run` does with a job's file.
    warnings.warn(f"the environment {given!r} is not on this machine, so the program is found in PATH; allowed: "
                  "one that environments.create_or_update keeps, Environment(conda_file=...)", stacklevel=4)
    return made


class MpiDistribution(Settings):
    """Processes under mpirun."""

    def __init__(self, *, process_count_per_instance: int | None = None) -> None:
        self.process_count_per_instance = process_count_per_instance
        self._seal()


class PyTorchDistribution(MpiDistribution):
    """Processes with PyTorch's variables."""


class TensorFlowDistribution(Settings):
    """Workers and parameter servers."""

    def __init__(self, *, parameter_server_count: int | None = 0, worker_count: int | None = None) -> None:
        self.parameter_server_count = parameter_server_count
        self.worker_count = worker_count
        self._seal()


def _distribution(given: Any, instances: int) -> Any:
    kinds: dict[str, Any] = {"mpi": MpiDistribution, "pytorch": PyTorchDistribution,
                             "tensorflow": TensorFlowDistribution}
    if isinstance(given, dict):
        options = dict(given)
        kind = str(options.pop("type", "")).lower()
        if kind not in kinds:
            raise UserErrorException(f"distribution: type {kind!r} is none{nearest(kind, kinds)}")
        given = kinds[kind](**options)
    if given is None:
        return None
    if isinstance(given, PyTorchDistribution):
        return PyTorchConfiguration("Nccl", (given.process_count_per_instance or 1) * instances, instances)
    if isinstance(given, MpiDistribution):
        return MpiConfiguration(given.process_count_per_instance or 1, instances)
    if isinstance(given, TensorFlowDistribution):
        return TensorflowConfiguration(given.worker_count or 1, given.parameter_server_count or 0)
    raise UserErrorException(f"distribution: {given!r} is none; allowed: MpiDistribution, PyTorchDistribution, "
                             "TensorFlowDistribution")


def _instances(given: Any) -> tuple[int | None, dict[str, Any]]:
    """How many machines `resources` asks for, and what else it has."""
    others = dict(given if isinstance(given, dict) else vars(given)) if given is not None else {}
    instances = others.pop("instance_count", None)
    return None if instances is None else count("instance_count", instances), others


class Job(Settings):
    """The base of jobs: names, tags, where it runs."""

    def __init__(self, name: str | None, display_name: str | None, experiment_name: str | None,
                 description: str | None, tags: dict[str, str] | None, compute: Any) -> None:
        self.name = name
        self.display_name = display_name
        self.experiment_name = experiment_name
        self.description = description
        self.tags = dict(tags or {})
        self.compute = compute


class Command(Job):
    """A command job. Called with distributions for some of its inputs it is one to be swept:

        job = command(code="src", command="python train.py --lr ${{inputs.lr}}", inputs={"lr": 0.1})
        sweep = job(lr=Uniform(0.01, 1)).sweep(sampling_algorithm="random", primary_metric="acc", goal="maximize")
    """

    def __init__(self, *, name: str | None = None, description: str | None = None, tags: Any = None,
                 properties: Any = None, display_name: str | None = None, command: str | None = None,
                 experiment_name: str | None = None, environment: Any = None, environment_variables: Any = None,
                 distribution: Any = None, compute: Any = None, inputs: Any = None, outputs: Any = None,
                 instance_count: int | None = None, instance_type: str | None = None, locations: Any = None,
                 docker_args: Any = None, shm_size: Any = None, timeout: float | None = None, code: Any = None,
                 identity: Any = None, is_deterministic: bool = True, services: Any = None,
                 job_tier: str | None = None, priority: str | None = None, parent_job_name: str | None = None,
                 resources: Any = None) -> None:
        super().__init__(name, display_name, experiment_name, description, tags, compute)
        if not isinstance(command, str) or not command:
            raise UserErrorException("command: what is to be run? command=\"python train.py\"")
        asked, others = _instances(resources)
        ignored("command", {"properties": properties, "instance_type": instance_type, "locations": locations,
                            "docker_args": docker_args, "shm_size": shm_size, "identity": identity,
                            "services": services, "job_tier": job_tier, "priority": priority,
                            "parent_job_name": parent_job_name, "resources": others},
                "the runs get what their target has")
        self.instance_count = count("instance_count", instance_count if instance_count is not None else asked or 1)
        self.command = command
        self.code = code
        self.environment = environment
        self.environment_variables = dict(environment_variables or {})
        self.distribution = distribution
        self.inputs = dict(inputs or {})
        self.outputs = dict(outputs or {})
        self.timeout = timeout
        self._seal()

    def __call__(self, **inputs: Any) -> Command:
        """A copy with these inputs, values or distributions."""
        for name in inputs:
            if name not in self.inputs:
                raise UserErrorException(f"this job has no input {name!r}{nearest(name, self.inputs)}")
        made = copy.copy(self)
        object.__setattr__(made, "inputs", {**self.inputs, **inputs})
        return made

    def set_limits(self, *, timeout: float | None) -> None:
        """How long it may take, in seconds."""
        self.timeout = timeout

    def set_resources(self, *, instance_count: int | None = None, **given: Any) -> None:
        """How many machines a run has; other resources than the target's are not to be had."""
        ignored("set_resources", given, "the runs get what their target has")
        if instance_count is not None:
            self.instance_count = count("instance_count", instance_count)

    def sweep(self, *, primary_metric: str, goal: str, sampling_algorithm: Any = "random", compute: Any = None,
              max_concurrent_trials: int | None = None, max_total_trials: int | None = None,
              timeout: float | None = None, trial_timeout: float | None = None, early_termination_policy: Any = None,
              search_space: dict[str, Any] | None = None, identity: Any = None, queue_settings: Any = None,
              job_tier: str | None = None, priority: str | None = None) -> SweepJob:
        """A sweep over the inputs that are distributions, and over `search_space`."""
        ignored("sweep", {"identity": identity, "queue_settings": queue_settings, "job_tier": job_tier,
                          "priority": priority}, "there is no queue but this machine's")
        drawn = {name: value for name, value in self.inputs.items() if isinstance(value, Distribution)}
        fixed = {name: value for name, value in self.inputs.items() if name not in drawn}
        trial = copy.copy(self)
        object.__setattr__(trial, "inputs", fixed)
        return SweepJob(trial=trial, compute=compute if compute is not None else self.compute,
                        sampling_algorithm=sampling_algorithm, search_space={**drawn, **(search_space or {})},
                        objective=Objective(goal, primary_metric), early_termination=early_termination_policy,
                        limits=SweepJobLimits(max_concurrent_trials=max_concurrent_trials,
                                              max_total_trials=max_total_trials, timeout=timeout,
                                              trial_timeout=trial_timeout),
                        display_name=self.display_name, experiment_name=self.experiment_name,
                        description=self.description, tags=self.tags)

    # ---- what it amounts to ---------------------------------------------------------------------------------

    def _text(self, space: dict[str, Any]) -> str:
        """The command for the shell: inputs in their places, drawn values as variables."""
        def value(kind: str, name: str) -> str | None:
            if kind != "outputs" and name in space:
                return f"${{AZUREML_SWEEP_{name}}}"
            if kind == "outputs":
                return str(self._output(name))
            if kind == "search_space":
                raise UserErrorException(f"command: {name!r} is not in the search space{nearest(name, space)}")
            if name not in self.inputs:
                raise UserErrorException(f"Inputs to job does not contain {name!r} referenced in command"
                                         f"{nearest(name, [*self.inputs, *space])}")
            given = self.inputs[name]
            if isinstance(given, Distribution):
                raise UserErrorException(f"inputs.{name} is a distribution; call .sweep(...) to have it drawn")
            return given._text(name) if isinstance(given, Input) else None if given is None else str(given)

        def bracket(match: re.Match[str]) -> str:
            words = match.group(1)
            return "" if any(value(*each) is None for each in _REFERENCE.findall(words)) else words

        def reference(match: re.Match[str]) -> str:
            found = value(match.group(1), match.group(2))
            if found is None:
                raise UserErrorException(f"inputs.{match.group(2)} has no value; in $[[...]] it may be left out")
            return found

        text = _REFERENCE.sub(reference, _OPTIONAL.sub(bracket, self.command))
        folders = [self._output(name) for name, output in self.outputs.items()
                   if getattr(output, "type", "uri_folder") != "uri_file"]
        return "".join(f'mkdir -p "{folder}" && ' for folder in folders) + text

    def _output(self, name: str) -> str:
        if name not in self.outputs:
            raise UserErrorException(f"outputs: the job has no {name!r}{nearest(name, self.outputs)}")
        output = self.outputs[name]
        path: str | None = getattr(output, "path", None)
        if path is None:
            return f"${{HDRIVE_OUTPUTS_DIR}}/{name}"
        if re.match(r"[a-z][a-z0-9+.-]+:", path):
            raise not_built(f"outputs.{name}: {path}", "leave the path out, or give one on this machine")
        return os.path.abspath(path)

    def _script(self, space: dict[str, Any], timeout: float | None = None) -> ScriptRunConfig:
        config = RunConfiguration()
        config.environment = _environment(self.environment)
        config.environment_variables = {str(name): str(value) for name, value in self.environment_variables.items()}
        config.target = target_named(self.compute)
        config.node_count = self.instance_count
        config.max_run_duration_seconds = timeout or self.timeout or config.max_run_duration_seconds
        code = "." if self.code is None else _local("code", os.fspath(self.code))
        made = ScriptRunConfig(code, command=self._text(space), run_config=config,
                               distributed_job_config=_distribution(self.distribution, self.instance_count))
        files = {name: given for name, given in self.inputs.items() if isinstance(given, Input) and given.path}
        made._reads = [str(given._text(name)) for name, given in files.items()]
        return made


def command(**given: Any) -> Command:
    """A command job: `code`, the folder with its files; `command`, for the shell, with ${{inputs.x}} and
    ${{outputs.y}}; `inputs`, `outputs`, `environment`, `environment_variables`, `distribution`.

        command(code="src", command="python train.py --lr ${{inputs.lr}}", inputs={"lr": 0.1})
    """
    return Command(**given)


class SweepJob(Job):
    """A sweep of a command job: `trial`, `search_space`, `objective`, `sampling_algorithm`, `limits`,
    `early_termination`. Made by `.sweep(...)`."""

    def __init__(self, *, trial: Command, search_space: dict[str, Any], objective: Any,
                 sampling_algorithm: Any = "random", limits: Any = None, early_termination: Any = None,
                 compute: Any = None, name: str | None = None, display_name: str | None = None,
                 experiment_name: str | None = None, description: str | None = None, tags: Any = None,
                 inputs: Any = None, outputs: Any = None, identity: Any = None, properties: Any = None,
                 queue_settings: Any = None, resources: Any = None) -> None:
        super().__init__(name, display_name, experiment_name, description, tags, compute)
        asked, others = _instances(resources)
        ignored("SweepJob", {"identity": identity, "properties": properties, "queue_settings": queue_settings,
                             "resources": others}, "the runs get what their target has")
        self.trial = trial
        self.instance_count = asked  # None: the trial's
        self.search_space = dict(search_space)
        self.objective = objective
        self.sampling_algorithm = sampling_algorithm
        self.limits = limits if limits is not None else SweepJobLimits()
        self.early_termination = early_termination
        self.inputs = dict(inputs or {})
        self.outputs = dict(outputs or {})
        self._seal()

    def set_limits(self, *, max_concurrent_trials: int | None = None, max_total_trials: int | None = None,
                   timeout: float | None = None, trial_timeout: float | None = None) -> None:
        """Sets the budgets that are given: runs at once and in all, seconds of the sweep and of a run."""
        for name, value in {"max_concurrent_trials": max_concurrent_trials, "max_total_trials": max_total_trials,
                            "timeout": timeout, "trial_timeout": trial_timeout}.items():
            if value is not None:
                setattr(self.limits, name, value)

    def set_objective(self, *, goal: str | None = None, primary_metric: str | None = None) -> None:
        """Sets what of the objective is given."""
        self.objective.goal = goal or self.objective.goal
        self.objective.primary_metric = primary_metric or self.objective.primary_metric

    def set_resources(self, *, instance_count: int | None = None, **given: Any) -> None:
        """How many machines a run has; other resources than the target's are not to be had."""
        ignored("set_resources", given, "the runs get what their target has")
        if instance_count is not None:
            self.instance_count = count("instance_count", instance_count)

    def _config(self) -> HyperDriveConfig:
        if not self.search_space:
            raise UserErrorException("a sweep needs a search space: job(x=Uniform(0, 1)).sweep(...)")
        trial = copy.copy(self.trial)
        object.__setattr__(trial, "inputs", {**trial.inputs, **self.inputs})
        object.__setattr__(trial, "outputs", {**trial.outputs, **self.outputs})
        object.__setattr__(trial, "compute", self.compute)
        object.__setattr__(trial, "instance_count", self.instance_count or trial.instance_count)
        sampling, seed = as_sampling(self.sampling_algorithm, self.search_space)
        limits = self.limits
        config = HyperDriveConfig(
            sampling, self.objective.primary_metric, self.objective.goal, limits.max_total_trials or _MOST_TRIALS,
            limits.max_concurrent_trials, (limits.timeout or _SIXTY_DAYS) / 60, as_policy(self.early_termination),
            run_config=trial._script(_names(self.search_space), limits.trial_timeout))
        config.seed = seed
        return config


def _names(space: dict[str, Any]) -> dict[str, Any]:
    """All that a space may draw: its names and those within the options of its choices."""
    found: dict[str, Any] = {}
    for name, given in space.items():
        found[name] = given
        for value in getattr(given, "values", None) or ():
            if isinstance(value, dict):
                found.update(_names({key: each for key, each in value.items() if isinstance(each, Distribution)}))
    return found
