# SPDX-License-Identifier: Apache-2.0
"""The Estimator family, which came before ScriptRunConfig."""

from __future__ import annotations

import os
from typing import Any

from ._environment import CondaDependencies, Environment
from ._errors import UserErrorException
from ._requirements import read_pip_file
from ._runconfig import (MpiConfiguration, PyTorchConfiguration, RunConfiguration, ScriptRunConfig,
                         TensorflowConfiguration)
from ._settings import Settings, ignored, not_built

__all__ = ["Chainer", "Estimator", "Gloo", "MMLBaseEstimator", "Mpi", "Nccl", "ParameterServer", "PyTorchEstimator",
           "SKLearn", "TensorFlowEstimator"]


class Mpi(Settings):
    """`process_count_per_node` processes under mpirun."""

    def __init__(self, process_count_per_node: int = 1) -> None:
        self.process_count_per_node = process_count_per_node
        self._seal()


class ParameterServer(Settings):
    """TensorFlow's workers and parameter servers."""

    def __init__(self, worker_count: int = 1, parameter_server_count: int = 1) -> None:
        self.worker_count = worker_count
        self.parameter_server_count = parameter_server_count
        self._seal()


class Gloo(Settings):
    """PyTorch's Gloo, one process."""


class Nccl(Settings):
    """PyTorch's NCCL, one process."""


def _arguments(script_params: dict[str, Any] | None) -> list[Any]:
    """The words of script_params: an empty text makes a bare flag, a list several words."""
    words: list[Any] = []
    for name, value in (script_params or {}).items():
        words.append(name)
        if isinstance(value, (list, tuple)):
            words += value
        elif value != "":
            words.append(value)
    return words


class MMLBaseEstimator:
    """The base: what an estimator was given, and the ScriptRunConfig that it comes to."""

    _packages: tuple[str, ...] = ()

    def __init__(self, source_directory: str, *, compute_target: Any = None, vm_size: str | None = None,
                 vm_priority: str | None = None, entry_script: str | None = None,
                 script_params: dict[str, Any] | None = None, node_count: int = 1, process_count_per_node: int = 1,
                 distributed_backend: str | None = None, distributed_training: Any = None, use_gpu: bool = False,
                 use_docker: bool = True, custom_docker_base_image: str | None = None,
                 custom_docker_image: str | None = None, image_registry_details: Any = None,
                 user_managed: bool = False, conda_packages: list[str] | None = None,
                 pip_packages: list[str] | None = None, conda_dependencies_file_path: str | None = None,
                 pip_requirements_file_path: str | None = None, conda_dependencies_file: str | None = None,
                 pip_requirements_file: str | None = None, environment_variables: dict[str, str] | None = None,
                 environment_definition: Environment | None = None, inputs: Any = None,
                 source_directory_data_store: Any = None, shm_size: str | None = None, resume_from: Any = None,
                 max_run_duration_seconds: float | None = None, framework_version: str | None = None) -> None:
        name = type(self).__name__
        if entry_script is None:
            raise UserErrorException(f"{name}: entry_script is wanted, such as \"train.py\"")
        refused = {"inputs": inputs, "source_directory_data_store": source_directory_data_store}
        for what, value in refused.items():
            if value:
                raise not_built(f"{name}: {what}", "the script runs in an interpreter of this machine, on its files")
        image = (custom_docker_image or custom_docker_base_image) if use_docker else None
        ignored(name, {"vm_size": vm_size, "vm_priority": vm_priority, "use_gpu": use_gpu and image is None,
                       "shm_size": image is None and shm_size}, "the runs get what this machine has")
        self.source_directory = source_directory
        self.entry_script = entry_script
        #: Run configurations of the same kind as ScriptRunConfig's.
        self.run_config = RunConfiguration()
        self.run_config.target = compute_target if compute_target is not None else "local"
        self.run_config.node_count = node_count
        self.run_config.environment_variables = dict(environment_variables or {})
        if max_run_duration_seconds is not None:
            self.run_config.max_run_duration_seconds = max_run_duration_seconds
        self._script_params = dict(script_params or {})
        self._distributed = _distribution(name, distributed_training, distributed_backend, process_count_per_node)
        conda = conda_dependencies_file or conda_dependencies_file_path
        pip = pip_requirements_file or pip_requirements_file_path
        packages = CondaDependencies(conda and os.path.join(source_directory, conda))
        for package in conda_packages or []:
            packages.add_conda_package(package)
        versions = [f"{self._packages[0]}=={framework_version}"] if framework_version and self._packages else \
            list(self._packages)
        for package in [*versions, *(pip_packages or []),
                        *(read_pip_file(os.path.join(source_directory, pip)) if pip else [])]:
            packages.add_pip_package(package)
        if environment_definition is not None:
            self.run_config.environment = environment_definition
        else:
            environment = self.run_config.environment
            environment.python.user_managed_dependencies = user_managed
            # An image is taken to have what the estimator's own framework needs.
            if image is None or conda or pip or conda_packages or pip_packages:
                environment.python.conda_dependencies = packages
            environment.docker.base_image, environment.docker.shm_size = image, shm_size
            environment.docker.gpu_support = use_gpu
            if image_registry_details is not None:
                environment.docker.base_image_registry = image_registry_details
        self._resume_from = resume_from

    def _script(self) -> ScriptRunConfig:
        return ScriptRunConfig(self.source_directory, self.entry_script, _arguments(self._script_params),
                               self.run_config, distributed_job_config=self._distributed,
                               resume_from=self._resume_from)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.source_directory!r}, entry_script={self.entry_script!r})"


def _distribution(name: str, training: Any, backend: str | None, processes: int) -> Any:
    if training is None and backend is not None:
        known = {"mpi": Mpi(processes), "ps": ParameterServer(), "gloo": Gloo(), "nccl": Nccl()}
        if backend.lower() not in known:
            raise UserErrorException(f"{name}: distributed_backend={backend!r} is none; allowed: {', '.join(known)}")
        training = known[backend.lower()]
    if training is None or isinstance(training, (MpiConfiguration, PyTorchConfiguration, TensorflowConfiguration)):
        return training
    if isinstance(training, Mpi):
        return MpiConfiguration(training.process_count_per_node)
    if isinstance(training, ParameterServer):
        return TensorflowConfiguration(training.worker_count, training.parameter_server_count)
    if isinstance(training, (Gloo, Nccl)):
        return PyTorchConfiguration(type(training).__name__, 1)
    raise UserErrorException(f"{name}: distributed_training={training!r} is none; allowed: MpiConfiguration, "
                             "PyTorchConfiguration, TensorflowConfiguration, Mpi, ParameterServer, Gloo, Nccl")


class Estimator(MMLBaseEstimator):
    """A script with its arguments and packages.

        Estimator(source_directory=".", entry_script="train.py", script_params={"--epochs": 10})
    """


class SKLearn(MMLBaseEstimator):
    """An Estimator for scikit-learn."""

    _packages = ("scikit-learn",)


class PyTorchEstimator(MMLBaseEstimator):
    """azureml.train.dnn.PyTorch."""

    _packages = ("torch",)


class TensorFlowEstimator(MMLBaseEstimator):
    """azureml.train.dnn.TensorFlow."""

    _packages = ("tensorflow",)


class Chainer(MMLBaseEstimator):
    """azureml.train.dnn.Chainer."""

    _packages = ("chainer",)
