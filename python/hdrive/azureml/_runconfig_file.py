# SPDX-License-Identifier: Apache-2.0
"""Azure's .runconfig files: a RunConfiguration as the document that the command reads, and back."""

from __future__ import annotations

import json
import os
import shlex
import tempfile
import warnings
from typing import TYPE_CHECKING, Any

from .. import _core
from .._errors import HdriveError
from ._environment import CondaDependencies
from ._errors import UserErrorException
from ._images import ContainerRegistry, DockerBuildContext, DockerConfiguration

if TYPE_CHECKING:
    from ._runconfig import RunConfiguration

__all__ = ["data_of", "document_of", "find", "read", "write"]

# Attributes by their keys, those whose values are the same here and there.
_TOP = {"script": "script", "arguments": "arguments", "command": "command", "framework": "framework",
        "communicator": "communicator", "target": "target", "nodeCount": "node_count",
        "autoPrepareEnvironment": "auto_prepare_environment", "maxRunDurationSeconds": "max_run_duration_seconds",
        "environmentVariables": "environment_variables", "dataReferences": "data_references", "data": "data",
        "outputData": "output_data", "spark": "spark", "amlcompute": "amlcompute"}
_PYTHON = {"userManagedDependencies": "user_managed_dependencies", "interpreterPath": "interpreter_path",
           "condaDependenciesFile": "conda_dependencies_file", "baseCondaEnvironment": "base_conda_environment"}
_DOCKER = {"enabled": "enabled", "baseImage": "base_image", "baseDockerfile": "base_dockerfile",
           "platform": "platform", "shmSize": "shm_size", "arguments": "arguments", "sharedVolumes": "shared_volumes",
           "gpuSupport": "gpu_support"}
_REGISTRY = {"address": "address", "username": "username", "password": "password",
             "registryIdentity": "registry_identity"}
_CONFIGURATION = {"useDocker": "use_docker", "sharedVolumes": "shared_volumes", "arguments": "arguments",
                  "shmSize": "shm_size"}
_SECTIONS = {"history": {"outputCollection": "output_collection", "snapshotProject": "snapshot_project",
                         "directoriesToWatch": "directories_to_watch"},
             "mpi": {"processCountPerNode": "process_count_per_node", "nodeCount": "node_count"},
             "pytorch": {"communicationBackend": "communication_backend", "processCount": "process_count",
                         "nodeCount": "node_count"},
             "tensorflow": {"workerCount": "worker_count", "parameterServerCount": "parameter_server_count"}}
_LISTS = ("arguments", "directories_to_watch")


def find(path: str | os.PathLike[str], name: str | None) -> str:
    """The file: one that is named by its path, or NAME.runconfig, or NAME, in a folder, its .azureml or aml_config."""
    place = os.fspath(path)
    if name is None and os.path.isfile(place):
        return place
    if name is None:
        raise UserErrorException(f"RunConfiguration.load: {place} is no file; give the name of a configuration in it, "
                                 "too: load(path, name)")
    try:
        return _core.find_run_configuration(place, name)
    except HdriveError as error:
        raise UserErrorException(str(error)) from None


def _assign(to: Any, keys: dict[str, str], given: Any) -> None:
    for key, name in keys.items():
        value = given.get(key) if isinstance(given, dict) else None
        if value is None:
            continue
        if name in _LISTS and isinstance(value, str):
            value = shlex.split(value)
        setattr(to, name, value)


def read(file: str, config: RunConfiguration) -> None:
    """Sets what the file says. Raises UserErrorException with every problem of the file, each with its line."""
    try:
        _, problems, _, _, around = _core.load_run_configuration(file, "", _asset_map(), False)
        document = json.loads(_core.file_as_json(file)) or {}
    except HdriveError as error:
        raise UserErrorException(str(error)) from None
    for problem in problems:
        warnings.warn(problem, stacklevel=4)
    _assign(config, _TOP, document)
    for section, keys in _SECTIONS.items():
        _assign(getattr(config, section), keys, document.get(section))
    environment, given = config.environment, document.get("environment") or {}
    environment.name = given.get("name") or environment.name
    environment.version = given.get("version")
    environment.environment_variables = given.get("environmentVariables") or {}
    python = given.get("python") or {}
    _assign(environment.python, _PYTHON, python)
    if environment.python.conda_dependencies_file:
        environment.python.conda_dependencies_file = _beside(file, environment.python.conda_dependencies_file)
    elif around.has_packages:  # written out, or of a curated name
        _, conda, pip = around.packages
        environment.python.conda_dependencies = CondaDependencies.create(conda, pip)
        environment._curated = not python.get("condaDependencies")
    docker = given.get("docker") or {}
    _assign(environment.docker, _DOCKER, docker)
    environment.docker.enabled = bool(docker.get("enabled"))
    registry = ContainerRegistry()
    _assign(registry, _REGISTRY, docker.get("baseImageRegistry"))
    environment.docker.base_image_registry = registry
    if dockerfile := environment.docker.base_dockerfile:
        environment.docker.base_dockerfile = _beside(file, dockerfile)
    if context := docker.get("buildContext"):
        environment.docker.build_context = DockerBuildContext(_beside(file, context.get("location") or ""),
                                                              context.get("dockerfilePath") or "Dockerfile")
    if isinstance(document.get("docker"), dict) and document["docker"].get("useDocker") is not None:
        config.docker = DockerConfiguration()
        _assign(config.docker, _CONFIGURATION, document["docker"])
    config._document, config._loaded_target = document, config.target


def _beside(file: str, name: str) -> str:
    """Where a file is that a configuration names: in the project, else beside the configuration."""
    if "\n" in name or name.lower().startswith("from "):
        return name
    folder = os.path.dirname(os.path.abspath(file))
    project = os.path.dirname(folder) if os.path.basename(folder) in (".azureml", "aml_config") else folder
    here = os.path.normpath(os.path.join(project, name))
    beside = os.path.normpath(os.path.join(folder, name))
    return beside if not os.path.exists(here) and os.path.exists(beside) else here


def _values(of: Any, keys: dict[str, str]) -> dict[str, Any]:
    return {key: getattr(of, name) for key, name in keys.items() if getattr(of, name) not in (None, {}, [])}


def document_of(config: RunConfiguration) -> dict[str, Any]:
    """What a file says of it; keys of the file it was loaded from that are no attributes stay."""
    environment = config.environment
    python: dict[str, Any] = _values(environment.python, _PYTHON)
    if environment.python.conda_dependencies is not None and not environment._curated:
        python["condaDependencies"] = environment.python.conda_dependencies._content(environment.name)
    section = environment.docker
    docker = _values(section, _DOCKER)
    if section.enabled is None:
        docker["enabled"] = bool(section.base_image or section.base_dockerfile or section.build_context)
    if registry := _values(section.base_image_registry, _REGISTRY):
        docker["baseImageRegistry"] = registry
    if section.build_context is not None:
        docker["buildContext"] = {"locationType": "local", "location": section.build_context.path,
                                  "dockerfilePath": section.build_context.dockerfile_path}
    made = _values(config, _TOP)
    made["target"] = getattr(config.target, "name", config.target)
    made["arguments"] = [_word(each) for each in config.arguments]
    made["environment"] = {"name": environment.name, "python": python, "docker": docker,
                           **({"version": environment.version} if environment.version else {}),
                           **({"environmentVariables": environment.environment_variables}
                              if environment.environment_variables else {})}
    if config._docker_given() is not None:
        made["docker"] = _values(config.docker, _CONFIGURATION)
    for name, keys in _SECTIONS.items():
        made[name] = _values(getattr(config, name), keys)
    return _merged(config._document, made)


def _word(given: Any) -> str:
    from ._runconfig import argument_text
    return argument_text(given)


# What stands for what a configuration no longer has.
_OURS = {"environment.python.condaDependencies", "docker", *_TOP,
         *(f"environment.python.{key}" for key in _PYTHON), *(f"environment.docker.{key}" for key in _DOCKER),
         "environment.docker.baseImageRegistry", "environment.docker.buildContext", "environment.environmentVariables",
         "environment.version", *(f"{name}.{key}" for name, keys in _SECTIONS.items() for key in keys)}


def _merged(before: Any, now: dict[str, Any], path: str = "") -> dict[str, Any]:
    kept = {key: value for key, value in (before if isinstance(before, dict) else {}).items()
            if key in now or path + key not in _OURS}
    for key, value in now.items():
        whole = path + key in _OURS or not isinstance(value, dict)
        kept[key] = value if whole else _merged(kept.get(key), value, f"{path}{key}.")
    return kept


def write(config: RunConfiguration, path: str | os.PathLike[str] | None, name: str | None) -> str:
    """Writes the file, JSON, which is YAML, too, and returns its path."""
    place = os.fspath(path) if path is not None else os.getcwd()
    if name is not None:
        file = name if name.endswith(".runconfig") else name + ".runconfig"
        place = os.path.join(place, ".azureml", file)
    elif os.path.isdir(place):
        raise UserErrorException(f"RunConfiguration.save: {place} is a folder; give a name, too: save(path, name), or "
                                 "the path of a file")
    try:
        text = json.dumps(document_of(config), indent=2)
        os.makedirs(os.path.dirname(os.path.abspath(place)), exist_ok=True)
        with open(place, "w", encoding="utf-8") as out:
            out.write(text + "\n")
    except (OSError, TypeError) as error:
        raise UserErrorException(f"RunConfiguration.save: {place} cannot be written: {error}") from None
    return place


def data_of(config: RunConfiguration, source_directory: str, script: str | None,
            arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    """The variables that tell scripts where their data is on this machine, by azureml.yml, and the arguments with the
    paths in them. Raises for data that is nowhere."""
    document = {**({"script": script, "arguments": arguments} if script is not None else {"command": "true"}),
                "dataReferences": config.data_references, "data": config.data}
    with tempfile.TemporaryDirectory(prefix="hdrive-") as folder:
        file = os.path.join(folder, "data.runconfig")
        try:
            with open(file, "w", encoding="utf-8") as out:
                json.dump(document, out)
            spec, *_ = _core.load_run_configuration(file, source_directory, _asset_map(), True)
        except TypeError as error:
            raise UserErrorException(f"data_references, data: {error}; allowed: what a .runconfig has there") from None
        except HdriveError as error:
            raise UserErrorException(str(error).replace(file, "run configuration")) from None
    return spec.environment_variables, spec.command[2:] if script is not None else []


def _asset_map() -> str:
    return os.environ.get("HDRIVE_ASSET_MAP", "")
