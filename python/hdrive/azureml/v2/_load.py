# SPDX-License-Identifier: Apache-2.0
"""Jobs, components and environments from v2's YAML files."""

from __future__ import annotations

import copy
import json
import os
import warnings
from typing import TYPE_CHECKING, Any

from ... import _core
from ..._errors import HdriveError
from ..._sweep import Sweep
from .. import _context, _live
from .._compute import place_of, target_named
from .._errors import UserErrorException
from .._hyperdrive_run import HyperDriveRun
from .._runs import Run, ScriptRun
from .._settings import Settings, ignored, nearest, not_built
from .._workspace import Experiment
from ._distributions import (BanditPolicy, Distribution, MedianStoppingPolicy, SamplingAlgorithm,
                             TruncationSelectionPolicy)
from ._jobs import (BuildContext, Command, Environment, Input, Job, MpiDistribution, PyTorchDistribution,
                    TensorFlowDistribution)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._workspace import Workspace

__all__ = ["CommandComponent", "LoadedJob", "load_component", "load_environment", "load_job"]

# What a mapping of the file says in `type` for an object of Python.
_TYPES = {BanditPolicy: "bandit", MedianStoppingPolicy: "median_stopping",
          TruncationSelectionPolicy: "truncation_selection", PyTorchDistribution: "pytorch", MpiDistribution: "mpi",
          TensorFlowDistribution: "tensorflow"}
_MAPPINGS = ("environment_variables", "inputs", "jobs", "limits", "objective", "outputs", "resources", "search_space", "tags",
             "trial")
_SCALARS = ("code", "command", "component", "compute", "description", "display_name", "distribution",
            "early_termination", "environment", "experiment_name", "name", "properties", "sampling_algorithm", "type")


def _plain(given: Any) -> Any:
    """What a file says for a value of Python."""
    if isinstance(given, _Section):
        return given._members
    if isinstance(given, dict):
        return {str(name): _plain(value) for name, value in given.items()}
    if isinstance(given, (list, tuple, range)):
        return [_plain(each) for each in given]
    if isinstance(given, Input) and given.path is not None:
        return {"type": given.type, "path": given._text("path")}
    if isinstance(given, os.PathLike):
        return os.path.abspath(given)
    if not isinstance(given, Settings) and type(given) not in _TYPES:
        return given
    kind = given.type if isinstance(given, SamplingAlgorithm) else type(given).__name__.lower() if \
        isinstance(given, Distribution) else _TYPES.get(type(given))
    members = {name: _plain(value) for name, value in vars(given).items()
               if not name.startswith("_") and value is not None}
    return {**({"type": kind} if kind else {}), **members}


class _Section:
    """A mapping of the file; its members are attributes and items alike."""

    _members: dict[str, Any]

    def __init__(self, members: dict[str, Any]) -> None:
        object.__setattr__(self, "_members", members)

    def __getitem__(self, name: str) -> Any:
        value = self._members[name]
        return _Section(value) if isinstance(value, dict) else value

    def __setitem__(self, name: str, value: Any) -> None:
        self._members[name] = _plain(value)

    def __delitem__(self, name: str) -> None:
        del self._members[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name] if name in self._members else None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def __iter__(self) -> Any:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __repr__(self) -> str:
        return repr(self._members)


def _changes(before: dict[str, Any], now: dict[str, Any], path: str = "") -> Iterable[tuple[str, Any]]:
    """The keys whose values differ, with dots between those of mappings within mappings, and the values."""
    for name in [*now, *(name for name in before if name not in now)]:
        old, new = before.get(name), now.get(name)
        if name in before and name in now and old == new:
            continue
        within = isinstance(old, dict) and isinstance(new, dict) and set(old) <= set(new) and \
            not any("." in key or not key for key in new)
        if within:
            yield from _changes(old or {}, new or {}, f"{path}{name}.")
        else:
            yield path + name, new


class LoadedJob(Job):
    """A sweep or command job of a file, which hdrive reads as `hdrive run` does: its keys are attributes, and may be
    assigned before the job is begun.

        job = load_job("sweep.yml")
        job.limits.max_total_trials = 5
        MLClient().jobs.create_or_update(job)
    """

    def __init__(self, file: str, document: dict[str, Any]) -> None:
        for name, value in {"_file": file, "_before": document, "_document": copy.deepcopy(document)}.items():
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        document = self.__dict__.get("_document")
        if document is None or name.startswith("_"):
            raise AttributeError(name)
        if name in _MAPPINGS and document.get(name) is None:
            document[name] = {}  # so that its members can be assigned
        if name not in document:
            if name in _SCALARS:
                return None
            raise AttributeError(f"the job of {self._file} has no {name!r}"
                                 f"{nearest(name, sorted({*document, *_MAPPINGS, *_SCALARS}))}")
        value = document[name]
        return _Section(value) if isinstance(value, dict) else value

    def __setattr__(self, name: str, value: Any) -> None:
        self._document[name] = _plain(value)

    def __repr__(self) -> str:
        return f"LoadedJob({self._file!r}, type={self._kind!r})"

    @property
    def _kind(self) -> str:
        return _kind_of(self._document)

    def set_limits(self, **limits: Any) -> None:
        """Sets the limits that are given: max_total_trials, max_concurrent_trials, timeout, trial_timeout."""
        for name, value in limits.items():
            if value is not None:
                self.limits[name] = value

    def set_objective(self, *, goal: str | None = None, primary_metric: str | None = None) -> None:
        """Sets what of the objective is given."""
        for name, value in {"goal": goal, "primary_metric": primary_metric}.items():
            if value is not None:
                self.objective[name] = value

    def __call__(self, **inputs: Any) -> Command:
        """Of a command job a Command with these inputs, values or distributions: `job(lr=Uniform(0, 1)).sweep(...)`."""
        if self._kind != "command":
            raise UserErrorException(f"{self._file} is a sweep; a command is called with inputs, and swept")
        return CommandComponent(self._file, self._document)(**inputs)

    def sweep(self, **given: Any) -> Any:
        """As Command.sweep, of a command job."""
        return self().sweep(**given)

    # ---- what it amounts to ---------------------------------------------------------------------------------

    def _settings(self) -> list[tuple[str, str]]:
        document = {name: value for name, value in self._document.items() if value != {} or name in self._before}
        try:
            return [(name, json.dumps(value)) for name, value in _changes(self._before, document)]
        except TypeError as error:
            raise UserErrorException(f"{self._file}: {error}; allowed: what a file can say") from None

    def _loaded(self, more: Iterable[tuple[str, Any]] = ()) -> Any:
        settings = [*self._settings(), *((name, json.dumps(value)) for name, value in more)]
        try:
            return _core.load_config(self._file, settings, [], True)
        except HdriveError as error:
            raise UserErrorException(str(error).replace("--set ", "")) from None

    def _begin(self, workspace: Workspace, experiment_name: str | None, compute: Any) -> Run:
        """Begins it, in the background."""
        more = [("experiment_name", experiment_name)] if experiment_name else []
        if compute is not None:
            more.append(("compute", place_of(target_named(compute), os.path.dirname(self._file))[0] or "local"))
        spec, problems, seed_given, _, surroundings = self._loaded(more)
        for problem in problems:
            warnings.warn(problem.replace("--set ", ""), stacklevel=4)
        if not seed_given:
            spec.seed = _core.new_seed()
        experiment = Experiment(workspace, spec.experiment or "none")
        sweep = Sweep._of(spec, surroundings, workspace.directory)
        handle = sweep.start_command()
        is_sweep = self._kind == "sweep"
        _context.Journal(str(sweep.directory)).add("config", "", {
            "type": "hyperdrive" if is_sweep else "script", "script": None, "arguments": [],
            "source_directory": os.path.dirname(self._file), "max_run_duration": spec.max_run_duration})
        _live.keep(handle)
        made: Run = HyperDriveRun._made(experiment, sweep, None) if is_sweep else \
            ScriptRun._made(experiment, sweep, 0)
        return made


def _kind_of(document: dict[str, Any]) -> str:
    schema = str(document.get("$schema") or "").lower()
    given = str(document.get("type") or document.get("job_type") or "").lower()
    for kind in ("pipeline", "sweep", "command"):
        if given in (kind, kind + "_job", kind + "job") or not given and kind in os.path.basename(schema):
            return kind
    if given:
        return given
    return "pipeline" if "jobs" in document else "sweep" if "search_space" in document else "command"


def _read(what: str, source: Any, override: Any) -> tuple[str, dict[str, Any]]:
    """The file's full path, and what it says with `params_override`: mappings of keys, with dots, to values."""
    if not isinstance(source, (str, os.PathLike)):
        raise UserErrorException(f"{what}: the path of a file is wanted, not a {type(source).__name__}")
    file = os.path.abspath(os.fspath(source))
    if not os.path.isfile(file):
        raise UserErrorException(f"{what}: there is no {file}")
    try:
        document = json.loads(_core.file_as_json(file))
    except HdriveError as error:
        raise UserErrorException(str(error)) from None
    if not isinstance(document, dict):
        raise UserErrorException(f"{what}: {file} is no mapping of keys to values")
    for each in override or []:
        for key, value in each.items():
            *outer, last = key.split(".")
            place = document
            for name in outer:
                place = place.setdefault(name, {})
                if not isinstance(place, dict):
                    raise UserErrorException(f"{what}: params_override: {key}: {name} is no mapping")
            place[last] = _plain(value)
    return file, document


def load_job(source: Any, *, relative_origin: Any = None, params_override: Any = None, **kwargs: Any) -> LoadedJob:
    """The sweep, command or pipeline job of a file. Its keys are attributes; `params_override=[{"limits.max_total_trials": 5}]`
    replaces some at once. The file is checked, with what was assigned, when the job is begun.

        job = load_job("sweep.yml")

    Raises UserErrorException for what is no job.
    """
    ignored("load_job", {"relative_origin": relative_origin, **kwargs}, "paths count from the file's folder")
    file, before = _read("load_job", source, None)
    kind = _kind_of(before)
    if kind not in ("sweep", "command", "pipeline"):
        raise UserErrorException(f"load_job: {file}: type {kind!r} is none; allowed: sweep, command, pipeline")
    from ._pipeline import PipelineJob
    job = PipelineJob(file, before) if kind == "pipeline" else LoadedJob(file, before)
    object.__setattr__(job, "_document", _read("load_job", source, params_override)[1])
    return job


class CommandComponent:
    """A command of a file, to be called with its inputs: what it gives is a Command.

        train = load_component("train.yml")
        sweep = train(lr=Uniform(0.01, 1)).sweep(primary_metric="accuracy", goal="maximize")
    """

    def __init__(self, file: str, document: dict[str, Any]) -> None:
        self._file = file
        self._document = document
        self.name: str | None = document.get("name")
        self.inputs = {name: self._input(each) for name, each in (document.get("inputs") or {}).items()}
        self.outputs = dict(document.get("outputs") or {})

    def _here(self, path: str) -> str:
        return path if path.partition(":")[0] in ("azureml", "http", "https", "wasbs", "abfss") else \
            os.path.normpath(os.path.join(os.path.dirname(self._file), path))

    def _input(self, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        path = given.get("path")
        if path is None and given.get("type") not in ("uri_file", "uri_folder", "mltable", "mlflow_model",
                                                      "custom_model"):
            return given.get("default")
        return Input(type=given.get("type") or "uri_folder", path=None if path is None else self._here(path))

    def __call__(self, **inputs: Any) -> Command:
        """A command with these inputs, values or distributions; those that are left out have their defaults."""
        document = self._document
        code, limits = document.get("code"), document.get("limits") or {}
        environment: Any = document.get("environment")
        if isinstance(environment, dict):
            environment = _environment_of(self._file, environment)
        outputs = {name: _output_of(each) for name, each in self.outputs.items()}
        made = Command(
            command=document.get("command"), code=self._here(code) if code else os.path.dirname(self._file),
            environment=environment, environment_variables=document.get("environment_variables"),
            distribution=document.get("distribution"), inputs=dict(self.inputs), outputs=outputs,
            resources=document.get("resources"), timeout=limits.get("timeout"),
            display_name=document.get("display_name"), experiment_name=document.get("experiment_name"))
        return made(**inputs)

    def __repr__(self) -> str:
        return f"CommandComponent({self.name!r}, inputs={list(self.inputs)}, outputs={list(self.outputs)})"


def _output_of(given: Any) -> Any:
    from ._jobs import Output
    return Output(type=given.get("type") or "uri_folder") if isinstance(given, dict) else given


def load_component(source: Any, *, relative_origin: Any = None, params_override: Any = None,
                   **kwargs: Any) -> CommandComponent:
    """The command component of a file: to be called with inputs.

        train = load_component("train.yml")
        MLClient().jobs.create_or_update(train(lr=0.1))
    """
    ignored("load_component", {"relative_origin": relative_origin, **kwargs}, "paths count from the file's folder")
    file, document = _read("load_component", source, params_override)
    kind = _kind_of(document)
    if kind != "command":
        raise not_built(f"load_component: {file}: a component of type {kind!r}", "write it as a command")
    return CommandComponent(file, document)


def _environment_of(file: str, document: dict[str, Any]) -> Environment:
    known = ("name", "version", "description", "image", "conda_file", "build", "tags", "properties")
    unknown = [key for key in document if key not in (*known, "$schema", "os_type", "inference_config")]
    if unknown:
        raise UserErrorException(f"{file}: environment: unknown key {unknown[0]!r}{nearest(unknown[0], known)}")
    folder = os.path.dirname(file)
    given = {key: document[key] for key in known if document.get(key) is not None}
    if isinstance(given.get("conda_file"), str):
        given["conda_file"] = os.path.join(folder, given["conda_file"])
    if isinstance(given.get("build"), dict):
        build = given["build"]
        given["build"] = BuildContext(path=os.path.join(folder, build.get("path") or "."),
                                      dockerfile_path=build.get("dockerfile_path"))
    return Environment(**given)


def load_environment(source: Any, *, relative_origin: Any = None, params_override: Any = None,
                     **kwargs: Any) -> Environment:
    """The environment of a file: an image, a conda file, a folder with a Dockerfile.

        environment = load_environment("environment.yml")
    """
    ignored("load_environment", {"relative_origin": relative_origin, **kwargs}, "paths count from the file's folder")
    return _environment_of(*_read("load_environment", source, params_override))
