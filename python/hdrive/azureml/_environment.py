# SPDX-License-Identifier: Apache-2.0
"""Environments: which interpreter runs a script, and whether it has the packages that are asked for."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any

from .. import _core
from .._surroundings import command_path
from ._errors import UserErrorException
from ._images import DockerBuildContext, DockerConfiguration, DockerSection, Image, image_of, make_surroundings
from ._requirements import missing, read_conda_file, read_pip_file
from ._settings import Settings, nearest

__all__ = ["DEFAULT_CPU_IMAGE", "DEFAULT_GPU_IMAGE", "CondaDependencies", "DockerSection", "Environment",
           "PythonSection"]

DEFAULT_CPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04"
DEFAULT_GPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.1-cudnn8-ubuntu20.04"

# What a curated environment is for, by a word of its name.
_CURATED = {"sklearn": ["scikit-learn"], "scikit": ["scikit-learn"], "tensorflow": ["tensorflow"], "pytorch": ["torch"],
            "lightgbm": ["lightgbm"], "xgboost": ["xgboost"], "chainer": ["chainer"], "pyspark": ["pyspark"]}


class CondaDependencies:
    """Packages: of conda, and of pip.

    >>> CondaDependencies.create(pip_packages=["numpy"]).pip_packages
    ['numpy']
    """

    def __init__(self, conda_dependencies_file_path: str | None = None) -> None:
        self._conda: list[str] = []
        self._pip: list[str] = []
        self._channels: list[str] = []
        if conda_dependencies_file_path is not None:
            self._conda, self._pip = read_conda_file(conda_dependencies_file_path)

    @classmethod
    def create(cls, conda_packages: list[str] | None = None, pip_packages: list[str] | None = None,
               python_version: str | None = None, pin_sdk_version: bool = True,
               pip_indexurl: str | None = None) -> CondaDependencies:
        """Of these packages. `pin_sdk_version` concerns Azure's own packages, which none of hdrive needs."""
        made = cls()
        if pip_indexurl is not None:
            made._pip.append(f"--index-url {pip_indexurl}")
        if python_version is not None:
            made._conda.append(f"python={python_version}")
        made._conda += conda_packages or []
        made._pip += pip_packages or []
        return made

    def add_conda_package(self, conda_package: str) -> None:
        """One more package of conda."""
        self._conda.append(conda_package)

    def add_pip_package(self, pip_package: str) -> None:
        """One more package of pip."""
        self._pip.append(pip_package)

    def add_channel(self, channel: str) -> None:
        """Where conda's tools look; others look nowhere else than they are used to."""
        self._channels.append(channel)

    def set_python_version(self, version: str) -> None:
        """The version of Python that is wanted."""
        self._conda = [package for package in self._conda if not re.match(r"python\b", package)]
        self._conda.insert(0, f"python={version}")

    @property
    def conda_packages(self) -> list[str]:
        """Packages of conda, python among them."""
        return list(self._conda)

    @property
    def pip_packages(self) -> list[str]:
        """Packages of pip."""
        return list(self._pip)

    def _content(self, name: str) -> dict[str, Any]:
        """What a conda file of them has."""
        packages: list[Any] = [*self._conda, *([{"pip": self._pip}] if self._pip else [])]
        return {"name": name, **({"channels": self._channels} if self._channels else {}), "dependencies": packages}

    def __repr__(self) -> str:
        return f"CondaDependencies(conda={self._conda!r}, pip={self._pip!r})"


class PythonSection(Settings):
    """Which Python: with `user_managed_dependencies` the one at `interpreter_path` as it is ("python" means the one
    that submits); else that one where it has what `conda_dependencies` lists, and where it has not, one of an
    environment that is built with the lists, once, and kept."""

    def __init__(self) -> None:
        self.user_managed_dependencies = False
        self.interpreter_path = "python"
        self.conda_dependencies: CondaDependencies | None = None
        self.conda_dependencies_file: str | None = None
        self.base_conda_environment: str | None = None
        self._seal()


class Environment(Settings):
    """What a script runs in.

        env = Environment("mine")
        env.python.user_managed_dependencies = True      # this interpreter, with what it has

    With lists of packages hdrive looks whether the interpreter has them. Where it lacks some, an environment is built
    with them, as `hdrive environment build` does.
    """

    def __init__(self, name: str, **kwargs: Any) -> None:
        self.name = name
        self.version: str | None = None
        self.python = PythonSection()
        self.docker = DockerSection()
        self.environment_variables: dict[str, str] = {}
        self.inferencing_stack_version: str | None = None
        self._curated = False
        self._seal()
        for key, value in kwargs.items():
            setattr(self, key, value)

    # ---- ways to make one -----------------------------------------------------------------------------------

    @staticmethod
    def from_conda_specification(name: str, file_path: str) -> Environment:
        """Of a conda file (environment.yml)."""
        made = Environment(name)
        made.python.conda_dependencies = CondaDependencies(file_path)
        return made

    @staticmethod
    def from_pip_requirements(name: str, file_path: str) -> Environment:
        """Of a requirements.txt."""
        made = Environment(name)
        made.python.conda_dependencies = CondaDependencies.create(pip_packages=read_pip_file(file_path))
        return made

    @staticmethod
    def from_existing_conda_environment(name: str, conda_environment_name: str) -> Environment:
        """An environment of conda that is there: its interpreter as it is."""
        program = os.environ.get("CONDA_EXE") or shutil.which("conda")
        root = os.path.dirname(os.path.dirname(program)) if program else None
        python = os.path.join(root, "envs", conda_environment_name, "bin", "python") if root else None
        if python is None or not os.path.exists(python):
            raise UserErrorException(f"there is no conda environment {conda_environment_name!r}"
                                     + (f" ({python} is not there)" if python else "; conda is not installed here"))
        made = Environment(name)
        made.python.user_managed_dependencies = True
        made.python.interpreter_path = python
        return made

    @staticmethod
    def from_docker_image(name: str, image: str, container_registry: Any = None, conda_specification: str | None = None,
                          pip_requirements: str | None = None) -> Environment:
        """An image, which scripts run in. Packages are not installed into images.

            env = Environment.from_docker_image("mine", "python:3.12")
        """
        made = Environment._with_packages(name, conda_specification, pip_requirements)
        made.docker.base_image = image
        if container_registry is not None:
            made.docker.base_image_registry = container_registry
        return made

    @staticmethod
    def from_dockerfile(name: str, dockerfile: str, conda_specification: str | None = None,
                        pip_requirements: str | None = None) -> Environment:
        """An image that podman or docker builds, once: of the text of a Dockerfile, or of the path of one, which copies
        from its folder.

            env = Environment.from_dockerfile("mine", "docker/Dockerfile")
        """
        made = Environment._with_packages(name, conda_specification, pip_requirements)
        made.docker.base_dockerfile = dockerfile
        return made

    @staticmethod
    def from_docker_build_context(name: str, docker_build_context: DockerBuildContext) -> Environment:
        """An image that podman or docker builds, once, of a folder.

            env = Environment.from_docker_build_context("mine", DockerBuildContext("docker"))
        """
        made = Environment(name)
        made.docker.build_context = docker_build_context
        return made

    @staticmethod
    def _with_packages(name: str, conda: str | None, pip: str | None) -> Environment:
        if conda is not None:
            return Environment.from_conda_specification(name, conda)
        return Environment(name) if pip is None else Environment.from_pip_requirements(name, pip)

    @staticmethod
    def get(workspace: Any = None, name: str = "", version: str | None = None, label: str | None = None) -> Environment:
        """A registered environment, or a curated one: AzureML-Minimal, AzureML-sklearn-..., which stand for the
        interpreter that submits and for the package in their name. Raises UserErrorException for any other."""
        registered = Environment.list(workspace)
        if name in registered:
            return registered[name]
        if not re.match(r"azureml[-/_]", name, re.IGNORECASE):
            raise UserErrorException(f"there is no environment {name!r}{nearest(name, [*registered, 'AzureML-...'])}")
        made = Environment(name)
        made._curated = True
        packages = [package for word, found in _CURATED.items() if word in name.lower() for package in found]
        made.python.conda_dependencies = CondaDependencies.create(pip_packages=packages)
        return made

    @staticmethod
    def list(workspace: Any = None) -> dict[str, Environment]:
        """The registered environments by name."""
        folder = _folder(workspace)
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        return {environment.name: environment for environment in
                (Environment.load_from_directory(os.path.join(folder, name)) for name in names)}

    def register(self, workspace: Any = None) -> Environment:
        """Keeps it beside the sweeps, under its name."""
        safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in self.name)
        self.save_to_directory(os.path.join(_folder(workspace), safe), overwrite=True)
        return self

    def clone(self, new_name: str) -> Environment:
        """A copy under another name."""
        made = Environment._of(self._facts())
        made.name = new_name
        return made

    def save_to_directory(self, path: str, overwrite: bool = False) -> None:
        """Writes azureml_environment.json into the folder."""
        file = os.path.join(path, "azureml_environment.json")
        if os.path.exists(file) and not overwrite:
            raise UserErrorException(f"{file} is there already; overwrite=True replaces it")
        os.makedirs(path, exist_ok=True)
        with open(file, "w", encoding="utf-8") as out:
            json.dump(self._facts(), out, indent=2)

    @staticmethod
    def load_from_directory(path: str) -> Environment:
        """The environment that save_to_directory wrote."""
        with open(os.path.join(path, "azureml_environment.json"), encoding="utf-8") as file:
            return Environment._of(json.load(file))

    def build(self, workspace: Any = None, **_: Any) -> _Built:
        """Builds it, once, where the interpreter lacks some of its packages; an image is built or fetched. Raises
        UserErrorException with the tool's last lines where that fails."""
        image = self._image(None)
        if image is None:
            return _Built(self._interpreter())
        spec = _core.Spec()
        spec.command = [self._interpreter_in_image()]
        make_surroundings(spec, image.surroundings([]))
        return _Built(self._interpreter_in_image())

    build_local = build

    def _facts(self) -> dict[str, Any]:
        python, packages = self.python, self.python.conda_dependencies
        return {"name": self.name, "curated": self._curated, "variables": self.environment_variables,
                "user_managed": python.user_managed_dependencies, "interpreter": python.interpreter_path,
                "conda": packages.conda_packages if packages else None,
                "pip": packages.pip_packages if packages else None,
                "image": self.docker.base_image, "dockerfile": self.docker.base_dockerfile,
                "docker": {"enabled": self.docker.enabled, "arguments": self.docker.arguments,
                           "shm_size": self.docker.shm_size, "gpu_support": self.docker.gpu_support},
                "registry": self.docker.base_image_registry.address,
                "context": vars(self.docker.build_context) if self.docker.build_context is not None else None}

    @staticmethod
    def _of(facts: dict[str, Any]) -> Environment:
        made = Environment(facts["name"])
        made._curated = facts["curated"]
        made.environment_variables = dict(facts["variables"])
        made.python.user_managed_dependencies = facts["user_managed"]
        made.python.interpreter_path = facts["interpreter"]
        if facts["conda"] is not None:
            made.python.conda_dependencies = CondaDependencies.create(facts["conda"], facts["pip"])
        made.docker.base_image, made.docker.base_dockerfile = facts["image"], facts["dockerfile"]
        for key, value in facts.get("docker", {}).items():
            setattr(made.docker, key, value)
        made.docker.base_image_registry.address = facts.get("registry")
        if context := facts.get("context"):
            made.docker.build_context = DockerBuildContext(context["path"], context["dockerfile_path"])
        return made

    # ---- what it amounts to ---------------------------------------------------------------------------------

    def _image(self, given: DockerConfiguration | None) -> Image | None:
        """The image that scripts run in; None where they run in an interpreter of this machine."""
        image = image_of(self.name, self.docker, given, self._curated)
        python = self.python
        if image is not None and not python.user_managed_dependencies and (
                python.conda_dependencies is not None or python.conda_dependencies_file is not None):
            raise UserErrorException(
                f"environment {self.name!r}: packages are not installed into images; give an image that has them, and "
                "set python.user_managed_dependencies = True")
        return image

    def _interpreter_in_image(self) -> str:
        return self.python.interpreter_path

    def _interpreter_elsewhere(self, target: str) -> str:
        """The interpreter on a machine that is reached by SSH: by its name, found there. Raises for packages, which
        are not installed there."""
        packages = self.python.conda_dependencies
        named = packages is not None and (packages.conda_packages or packages.pip_packages)
        if not self.python.user_managed_dependencies and (named or self.python.conda_dependencies_file):
            raise UserErrorException(
                f"environment {self.name!r}: its packages are installed on this machine alone, and the runs go to target "
                f"{target!r}. Set python.user_managed_dependencies = True, and have `python` of the target in targets.yml "
                "be the folder with an interpreter that has them")
        return self.python.interpreter_path

    def _interpreter(self) -> str:
        """The interpreter of this machine to run scripts with. Raises for what hdrive cannot give."""
        python = self.python
        found = sys.executable if python.interpreter_path == "python" else shutil.which(python.interpreter_path)
        if found is None:
            raise UserErrorException(f"environment {self.name!r}: there is no interpreter {python.interpreter_path!r}")
        if python.user_managed_dependencies:
            return found
        packages = python.conda_dependencies
        if packages is None and python.conda_dependencies_file:
            packages = CondaDependencies(python.conda_dependencies_file)
        lacking = missing(packages.conda_packages, packages.pip_packages, found) if packages else []
        if not packages or not lacking:
            return found
        try:
            return _build_curated(self.name) if self._curated else _build(self.name, packages)
        except _BuildError as error:
            raise UserErrorException(
                f"environment {self.name!r}: {found} lacks {', '.join(lacking)}, and no environment with them could be "
                f"built:\n{error}\nInstall them there, or set python.user_managed_dependencies = True to use it as it "
                "is") from None


class _Built:
    """An environment that is there."""

    def __init__(self, interpreter: str) -> None:
        self.interpreter = interpreter

    def wait_for_completion(self, show_output: bool = True) -> None:
        """It is there already."""


class _BuildError(Exception):
    pass


def _build(name: str, packages: CondaDependencies) -> str:
    with tempfile.TemporaryDirectory(prefix="hdrive-") as folder:
        file = os.path.join(folder, "environment.yml")
        with open(file, "w", encoding="utf-8") as out:  # JSON is YAML, too
            json.dump(packages._content(name), out)
        return _call_command("-d", file)


def _build_curated(name: str) -> str:
    return _call_command(name)


def _call_command(*words: str) -> str:
    done = subprocess.run([os.path.join(command_path(), "hdrive"), "environment", "build", *words], check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        raise _BuildError(done.stderr.strip())
    sys.stderr.write(done.stderr)
    return done.stdout.strip()


def _folder(workspace: Any) -> str:
    if workspace is None:
        from ._workspace import Workspace
        workspace = Workspace.from_config()
    return os.path.join(workspace.directory, "azureml", "environments")
