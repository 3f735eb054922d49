# SPDX-License-Identifier: Apache-2.0
"""RunConfiguration and ScriptRunConfig: which program a run is."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import Any

from . import _modules
from ._compute import place_of
from ._environment import CondaDependencies, Environment
from ._errors import ComputeTargetException, UserErrorException
from ._images import DockerConfiguration, Image
from ._settings import Settings, count, ignored, not_built

__all__ = ["MpiConfiguration", "Program", "PyTorchConfiguration", "RunConfiguration",
           "ScriptRunConfig", "TensorflowConfiguration"]

_THIRTY_DAYS = 2592000
_FRAMEWORKS = ("Python", "PyTorch", "TensorFlow", "Cntk", "PythonMpi", "PythonIntelMpi", "TensorFlowParameterServer")


class _Distributed(Settings):
    """What starts the processes of a run (docs/distributed.md)."""

    def _options(self, nodes: int) -> dict[str, Any]:
        """As Sweep takes them: distribution, processes_per_node, nodes_per_run; none for a single process."""
        raise NotImplementedError


def _several(kind: str, per_node: int, nodes: int, **more: Any) -> dict[str, Any]:
    if per_node == nodes == 1 and not more:
        return {}
    return {"distribution": {"type": kind, **more}, "processes_per_node": per_node, "nodes_per_run": nodes}


class MpiConfiguration(_Distributed):
    """`process_count_per_node` processes on each of `node_count` nodes under mpirun, which has to be installed there."""

    def __init__(self, process_count_per_node: int = 1, node_count: int = 1) -> None:
        self.process_count_per_node = count("MpiConfiguration: process_count_per_node", process_count_per_node)
        self.node_count = count("MpiConfiguration: node_count", node_count)
        self._seal()

    def _options(self, nodes: int) -> dict[str, Any]:
        return _several("mpi", self.process_count_per_node, max(nodes, self.node_count))


class PyTorchConfiguration(_Distributed):
    """`process_count` processes on `node_count` nodes together, each with RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR and
    MASTER_PORT. The script chooses the backend."""

    def __init__(self, communication_backend: str = "Nccl", process_count: int | None = None,
                 node_count: int = 1) -> None:
        if communication_backend not in ("Nccl", "Gloo"):
            raise UserErrorException(f"communication_backend: {communication_backend!r} is none; allowed: Nccl, Gloo")
        self.communication_backend = communication_backend
        self.node_count = count("PyTorchConfiguration: node_count", node_count)
        self.process_count = None if process_count is None else count("PyTorchConfiguration: process_count",
                                                                      process_count)
        self._seal()

    def _options(self, nodes: int) -> dict[str, Any]:
        nodes = max(nodes, self.node_count)
        processes = self.process_count or nodes
        if processes % nodes:
            raise UserErrorException(f"PyTorchConfiguration: process_count is {processes}, which {nodes} nodes do not "
                                     "share evenly; allowed: a multiple of the node count")
        return _several("pytorch", processes // nodes, nodes)


class TensorflowConfiguration(_Distributed):
    """`worker_count` workers and `parameter_server_count` parameter servers, processes with TF_CONFIG."""

    def __init__(self, worker_count: int = 1, parameter_server_count: int = 1) -> None:
        self.worker_count = count("TensorflowConfiguration: worker_count", worker_count)
        self.parameter_server_count = count("TensorflowConfiguration: parameter_server_count",
                                            parameter_server_count, 0)
        self._seal()

    def _options(self, nodes: int) -> dict[str, Any]:
        # One worker alone has no use for a server, which v1 has by default.
        if self.worker_count == 1:
            return {}
        return _several("tensorflow", 1, nodes, worker_count=self.worker_count,
                        parameter_server_count=self.parameter_server_count)


class _History(Settings):
    def __init__(self) -> None:
        self.output_collection = True
        self.snapshot_project = True
        self.directories_to_watch = ["logs"]
        self._seal()


class RunConfiguration(Settings):
    """How a script is run: `environment`, `environment_variables`, `target` (a compute target or its name), `node_count`, ...

        run_config = RunConfiguration()
        run_config.environment.python.user_managed_dependencies = True
    """

    def __init__(self, script: str | None = None, arguments: list[Any] | None = None, framework: str | None = None,
                 communicator: str | None = None, conda_dependencies: CondaDependencies | None = None,
                 command: Any = None, _history_enabled: bool | None = None, _path: str | None = None,
                 _name: str | None = None) -> None:
        self.script = script
        self.arguments = list(arguments or [])
        self.command = command
        self.framework = framework or "Python"
        self.communicator = communicator or "None"
        self.target: Any = "local"
        # Of its own, so that a changed attribute changes no other configuration.
        self.environment = Environment("local")
        self.environment.python.conda_dependencies = conda_dependencies
        self.environment_variables: dict[str, str] = {}
        self.docker = self._own_docker = DockerConfiguration()
        self.history = _History()
        self.mpi = MpiConfiguration()
        self.pytorch = PyTorchConfiguration()
        self.tensorflow = TensorflowConfiguration()
        self.node_count = 1
        self.max_run_duration_seconds: float | None = _THIRTY_DAYS
        self.auto_prepare_environment = True
        self.data_references: dict[str, Any] = {}
        self.data: dict[str, Any] = {}
        self.output_data: dict[str, Any] = {}
        self.spark: Any = None
        self.amlcompute: Any = None
        self._document: dict[str, Any] = {}  # of the file it was loaded from
        self._loaded_target: Any = None
        self._seal()

    @staticmethod
    def load(path: str | os.PathLike[str], name: str | None = None) -> RunConfiguration:
        """The configuration in the file `path`, or the one called `name` in the folder `path`, its .azureml or its
        aml_config, as `hdrive run -c` finds it. Raises UserErrorException with every problem of the file, each with its
        line.

            run_config = RunConfiguration.load("project", "local")
            run_config.environment_variables["EPOCHS"] = "3"
        """
        from ._runconfig_file import find, read
        made = RunConfiguration()
        read(find(path, name), made)
        return made

    def save(self, path: str | os.PathLike[str] | None = None, name: str | None = None,
             separate_environment_yaml: bool = False) -> None:
        """Writes it, for `load` and `hdrive run -c`: to the file `path`, or under `name` into .azureml of that folder.
        What a loaded file had that is no attribute here stays.

            run_config.save("project", "local")     # project/.azureml/local.runconfig
        """
        from ._runconfig_file import write
        ignored("RunConfiguration.save", {"separate_environment_yaml": separate_environment_yaml},
                "the environment is in the file")
        write(self, path, name)

    def _docker_given(self) -> DockerConfiguration | None:
        """What was said of docker here; None where that is left to the environment."""
        return self.docker if self.docker is not self._own_docker or self.docker.use_docker else None

    def _check(self) -> None:
        if self.framework.lower() not in map(str.lower, _FRAMEWORKS):
            raise not_built(f"framework={self.framework!r}", f"allowed: {', '.join(_FRAMEWORKS)}")
        loaded = self._document
        for what, value in (("spark", None if self.spark == loaded.get("spark") else self.spark),
                            ("amlcompute", None if self.amlcompute == loaded.get("amlcompute") else self.amlcompute),
                            ("environment.python.base_conda_environment",
                             self.environment.python.base_conda_environment)):
            if value is not None:
                raise not_built(f"RunConfiguration: {what}", "a run is a program of this machine; leave it out")
        history = self.history
        ignored("RunConfiguration.history", {
            "output_collection": not history.output_collection, "snapshot_project": not history.snapshot_project,
            "directories_to_watch": history.directories_to_watch != ["logs"]},
            "a run keeps its outputs and logs, and starts from a snapshot")
        if self.output_data:
            raise not_built(f"output_data: {', '.join(map(str, self.output_data))}",
                            "write to ./outputs, which is kept of each run")

    def _place(self, source_directory: str) -> tuple[str | None, str]:
        """The target that `target` means, and its type. One that a file has and targets.yml has not is this machine,
        of which loading the file has warned, as the command does."""
        try:
            return place_of(self.target, source_directory)
        except ComputeTargetException:
            if self.target == self._loaded_target:
                return None, "local"
            raise

    def _distributed(self) -> _Distributed | None:
        communicator, framework = str(self.communicator).lower(), self.framework.lower()
        if communicator in ("openmpi", "intelmpi", "mpi") or framework.endswith("mpi"):
            return self.mpi
        if framework == "pytorch" and communicator in ("nccl", "gloo"):
            return self.pytorch
        served = framework == "tensorflow" and communicator == "parameterserver"
        if served or framework == "tensorflowparameterserver":
            return self.tensorflow
        if communicator != "none":
            raise UserErrorException(f"communicator={self.communicator!r} does not go with framework="
                                     f"{self.framework!r}; allowed: None, OpenMpi, with PyTorch Nccl and Gloo, with "
                                     "TensorFlow ParameterServer")
        return None


@dataclass
class Program:
    """What a run consists of, as hdrive runs it."""

    command: list[str]
    append_parameters: bool
    source_directory: str
    environment: dict[str, str]
    max_run_duration: float
    script: str | None = None
    arguments: list[str] = field(default_factory=list)
    image: Image | None = None
    data: list[str] = field(default_factory=list)
    target: str | None = None  # None: this machine
    processes: dict[str, Any] = field(default_factory=dict)  # options of Sweep; none: a run is one process

    def volumes(self) -> list[str]:
        """The files and folders of this machine that its arguments name: a container is to see them. Of one that the
        program makes itself the folder it is to lie in."""
        given = [path for path in [*self.arguments, *self.data] if os.path.isabs(path)]
        found = [path if os.path.exists(path) else os.path.dirname(path) for path in given]
        return sorted({path for path in found if os.path.exists(path) and path != os.path.sep})


def argument_text(given: Any) -> str:
    """An argument as it reaches the script. Raises for objects that mean nothing to a script."""
    place = getattr(given, "_path_for_script", None)
    if place is not None:
        return str(place())
    if isinstance(given, (str, int, float, bool, os.PathLike)):
        return os.fspath(given) if isinstance(given, os.PathLike) else str(given)
    item = getattr(given, "item", None)  # of NumPy's scalars
    if callable(item):
        return str(item())
    raise UserErrorException(f"arguments: a {type(given).__name__} is none; texts, numbers and paths are")


class ScriptRunConfig(Settings):
    """A script, its arguments, and what it runs in.

        ScriptRunConfig(source_directory=".", script="train.py", arguments=["--epochs", 10], environment=env)

    `command`, a text or a list of words for the shell, stands in the place of script and arguments; it finds drawn
    values in $AZUREML_SWEEP_<name>. `max_run_duration_seconds` ends a run that takes longer (30 days). `resume_from`,
    an earlier Run or a path, reaches the script as `--resume-from PATH`, the folder with that run's outputs, and in
    $AZUREML_DATAREFERENCE_MODEL_LOCATION.
    """

    def __init__(self, source_directory: str | os.PathLike[str] | None, script: str | None = None,
                 arguments: list[Any] | None = None, run_config: RunConfiguration | None = None,
                 _telemetry_values: Any = None, compute_target: Any = None, environment: Environment | None = None,
                 distributed_job_config: Any = None, resume_from: Any = None,
                 max_run_duration_seconds: float | None = _THIRTY_DAYS, command: Any = None,
                 docker_runtime_config: DockerConfiguration | None = None) -> None:
        if command is not None and (script is not None or arguments):
            raise UserErrorException("ScriptRunConfig: command stands in the place of script and arguments; give one")
        if run_config is not None and not isinstance(run_config, RunConfiguration):
            raise UserErrorException(f"run_config: a RunConfiguration is wanted, not a {type(run_config).__name__}")
        if environment is not None and not isinstance(environment, Environment):
            raise UserErrorException(f"environment: an Environment is wanted, not a {type(environment).__name__}")
        self.source_directory = os.path.abspath(os.fspath(source_directory or "."))
        self.run_config = run_config if run_config is not None else RunConfiguration()
        self.script = script if script is not None else self.run_config.script
        self.arguments = list(arguments if arguments is not None else self.run_config.arguments)
        self.command = command if command is not None or script is not None else self.run_config.command
        if self.script is None and self.command is None:
            raise UserErrorException("ScriptRunConfig: what is to be run? script=\"train.py\", or command=[...]")
        if compute_target is not None:
            self.run_config.target = compute_target
        if environment is not None:
            self.run_config.environment = environment
        if docker_runtime_config is not None:
            self.run_config.docker = docker_runtime_config
        if distributed_job_config is not None and not isinstance(distributed_job_config, _Distributed):
            raise UserErrorException(f"distributed_job_config: {distributed_job_config!r} is none; allowed: "
                                     "MpiConfiguration, PyTorchConfiguration, TensorflowConfiguration")
        self.distributed_job_config = distributed_job_config
        if max_run_duration_seconds is not None and max_run_duration_seconds != _THIRTY_DAYS:
            self.run_config.max_run_duration_seconds = max_run_duration_seconds
        self.resume_from = resume_from
        self._reads: list[str] = []  # files and folders that the command's text names
        self._seal()

    def _program(self, experiment: str) -> Program:
        """What is to be run. Raises for all that hdrive cannot give, by its name."""
        config = self.run_config
        config._check()
        target, kind = config._place(self.source_directory)
        image = config.environment._image(config._docker_given())
        if kind == "ssh" and image is not None:
            raise not_built(f"a container on target {target!r}, which is reached by SSH", "let the script's own command "
                            "start it there, or use a Python of that machine: its `python` in targets.yml")
        interpreter = config.environment._interpreter_in_image() if image is not None else \
            config.environment._interpreter_elsewhere(str(target)) if kind == "ssh" else \
            config.environment._interpreter()
        if not os.path.isdir(self.source_directory):
            raise UserErrorException(f"source_directory: there is no folder {self.source_directory}")
        environment = {**config.environment.environment_variables, **config.environment_variables}
        program = Program([], True, self.source_directory,
                          scripts_environment(environment, experiment, image is None and target is None),
                          config.max_run_duration_seconds or _THIRTY_DAYS, image=image, target=target)
        if self.command is not None:
            text = self.command if isinstance(self.command, str) else " ".join(map(argument_text, self.command))
            self._give_data(program)
            words = [] if isinstance(self.command, str) else map(argument_text, self.command)
            program.data += [*self._reads, *words]
            program.command, program.append_parameters = ["/bin/sh", "-c", text], False
            if image is None and kind != "ssh":  # "python" is the environment's, for the shell as well
                path = program.environment.get("PATH", os.environ.get("PATH", os.defpath))
                program.environment["PATH"] = os.path.dirname(interpreter) + os.pathsep + path
        else:
            program.script = str(self.script)
            program.arguments = [argument_text(each) for each in self.arguments]
            self._give_data(program)
            if not os.path.exists(os.path.join(self.source_directory, program.script)):
                raise UserErrorException(f"script: there is no {program.script} in {self.source_directory}")
            program.command = [interpreter, program.script, *program.arguments]
        if self.resume_from is not None:
            path = _resumed(self.resume_from)
            program.environment["AZUREML_DATAREFERENCE_MODEL_LOCATION"] = path
            program.arguments += ["--resume-from", path]
            if self.command is None:
                program.command += ["--resume-from", path]
        distributed = self.distributed_job_config or config._distributed()
        nodes = count("node_count", config.node_count)
        program.processes = distributed._options(nodes) if distributed is not None else \
            {"nodes_per_run": nodes} if nodes > 1 else {}
        if program.processes and image is not None:
            raise not_built(f"{type(distributed).__name__} in a container", "let the script's own command start the "
                            "processes, as in: torchrun --nproc-per-node 2 train.py")
        if program.processes.get("nodes_per_run", 1) > 1 and kind != "slurm":
            where = "this machine" if target is None else f"target {target!r}"
            raise UserErrorException(f"node_count is {program.processes['nodes_per_run']}, but on {where} a run has one; "
                                     "a target of type slurm has more (docs/targets.md)")
        return program


    def _give_data(self, program: Program) -> None:
        """Data references and data as paths of this machine, by azureml.yml."""
        config = self.run_config
        if config.data_references or config.data:
            from ._runconfig_file import data_of
            variables, program.arguments = data_of(config, self.source_directory, program.script, program.arguments)
            program.environment.update(variables)
            program.data += variables.values()


def _resumed(given: Any) -> str:
    """The folder that a run goes on from: a path, or the outputs of an earlier run."""
    from ._runs import Run
    path = os.path.join(given._directory, "outputs") if isinstance(given, Run) else argument_text(given)
    if not os.path.exists(path):
        raise UserErrorException(f"resume_from: there is no {path}; allowed: a Run that wrote outputs, or the path of "
                                 "a file or folder on this machine")
    return os.path.abspath(path)


def scripts_folder() -> str:
    """The folder with the package azureml for scripts."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "_script")


def _needs_modules() -> bool:
    """Whether scripts are to find hdrive under Azure's names: install() was called, or nobody else has these."""
    import importlib.util
    return _modules.installed or importlib.util.find_spec("azureml") is None


def scripts_environment(given: dict[str, Any], experiment: str, here: bool = True) -> dict[str, str]:
    """The variables of a run: those given, the experiment's name, and, unless it is in a container, which has a
    stand-in alone, where Azure's module names are found."""
    environment = {str(name): str(value) for name, value in given.items()}
    environment.setdefault("AZUREML_ARM_PROJECT_NAME", experiment)
    if here and _needs_modules():
        path = environment.get("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
        environment["PYTHONPATH"] = scripts_folder() + (os.pathsep + path if path else "")
    return environment


def this_interpreter() -> str:
    """The interpreter that submits."""
    return sys.executable
