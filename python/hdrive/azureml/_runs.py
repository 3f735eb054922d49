# SPDX-License-Identifier: Apache-2.0
"""Run: a run that was submitted, seen from outside its script."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, List

from .._errors import NotFoundError
from . import _context, _live
from ._errors import ActivityFailedException, UserErrorException
from ._model import Model
from ._settings import ignored, nearest, not_built

if TYPE_CHECKING:
    from .._stored_run import StoredRun
    from .._sweep import Sweep
    from ._workspace import Experiment

__all__ = ["Run", "ScriptRun", "add_numbers", "get_run", "hyperparameters_text", "metrics_of",
           "open_run"]

_STDOUT, _STDERR = "user_logs/std_log.txt", "user_logs/std_err.txt"
# What the log of a script was called before.
_OLD_NAMES = {"azureml-logs/70_driver_log.txt": _STDOUT, "azureml-logs/80_driver_log.txt": _STDOUT,
              "azureml-logs/60_control_log.txt": _STDOUT, "driver_log": _STDOUT}


def hyperparameters_text(sweep: Sweep, params: dict[str, Any]) -> str:
    """Parameters as HyperDrive writes them into tags and answers: JSON text, names with the dashes they were given."""
    written = {name.lstrip("-"): name for name, _, _ in sweep._spec.space.parameters}
    return json.dumps({written.get(name, name): value for name, value in params.items()})


def metrics_of(sweep: Sweep, stored: StoredRun) -> dict[str, Any]:
    """All that a run logged: of a number logged once the number, of one logged several times a list."""
    journal, outer = _context.Journal(str(sweep._run_directory(stored.number))), _context.Journal(str(sweep.directory))
    metrics: dict[str, Any] = {}
    for name, values in stored.metrics.items():
        numbers = [float(value) for value in values]
        metrics[name] = numbers[0] if len(numbers) == 1 else numbers
    kinds = ("row", "table", "text", "document")
    facts = [(kind, name, value) for kind in kinds for name, value in
             [*journal.read(kind, stored.attempt), *outer.read(f"{kind} {stored.number}")]]
    metrics.update(_context.gather(facts))
    add_numbers(metrics, outer.read(f"number {stored.number}"))
    return metrics


def add_numbers(metrics: dict[str, Any], numbers: list[tuple[str, Any]]) -> None:
    """Adds what was logged from outside, or by a run to its sweep."""
    for name, value in numbers:
        number = float(value["value"])
        earlier = metrics.get(name)
        metrics[name] = number if earlier is None else [*earlier, number] if isinstance(earlier, list) else \
            [earlier, number]


class Run(_context.Run):
    """A run of an experiment: of a script, or a child of a sweep. `Run(experiment, run_id)` finds one again.

        run = experiment.submit(ScriptRunConfig(source_directory=".", script="train.py"))
        run.wait_for_completion(show_output=True)
        run.get_metrics()
    """

    def __init__(self, experiment: Experiment, run_id: str, outputs: Any = None) -> None:
        ignored("Run", {"outputs": outputs}, "a run has the folder outputs/")
        sweep_id, _, number = run_id.rpartition("_")
        if not number.isdigit() or not sweep_id.startswith("HD_"):
            raise UserErrorException(f"{run_id!r} is no run; a run's id is HD_<uuid>_<number>, and HyperDriveRun takes "
                                     "the id of a sweep")
        self._attach(experiment, _live.open_sweep(experiment.workspace.directory, sweep_id), int(number))

    def _attach(self, experiment: Experiment, sweep: Sweep, number: int | None) -> None:
        self.experiment = experiment
        self._sweep = sweep
        self._of = number
        self.id = sweep.id if number is None else f"{sweep.id}_{number}"
        self._journal = _context.Journal(self._directory)
        # What is said of a run from outside is kept with its sweep; its own folder is the engine's and the script's.
        self._outer = _context.Journal(str(sweep.directory))

    @staticmethod
    def get(workspace: Any, run_id: str) -> Any:
        """The run, or the sweep, with this id."""
        return open_run(None, workspace, run_id)

    @staticmethod
    def list(experiment: Experiment, type: str | None = None, tags: Any = None, properties: Any = None,
             status: str | None = None, include_children: bool = False) -> Iterator[Any]:
        """The runs of an experiment, as Experiment.get_runs."""
        return experiment.get_runs(type, tags, properties, status, include_children)

    @classmethod
    def _made(cls, experiment: Experiment, sweep: Sweep, number: int | None) -> Any:
        run = cls.__new__(cls)
        run._attach(experiment, sweep, number)
        return run

    # ---- what it is -----------------------------------------------------------------------------------------

    @property
    def _directory(self) -> str:
        return str(self._sweep.directory) if self._of is None else str(self._sweep._run_directory(self._of))

    def _stored(self) -> StoredRun | None:
        """The run as it stands; None before its parameters are drawn."""
        from .._stored_run import StoredRun
        try:
            return StoredRun(self._sweep, self._sweep._view.run(self._of))
        except NotFoundError:
            return None

    @property
    def number(self) -> int:
        """Its number among the runs of its sweep, from 0."""
        return self._of or 0

    @property
    def name(self) -> str:
        """What it is called: display_name, else its id."""
        return self.display_name or self.id

    @property
    def display_name(self) -> str:
        """A name for people; may be assigned."""
        return str(self._facts("display_name").get("", ""))

    @display_name.setter
    def display_name(self, name: str) -> None:
        self._fact("display_name", "", name)

    @property
    def type(self) -> str:
        """azureml.scriptrun or hyperdrive."""
        return "azureml.scriptrun"

    @property
    def parent(self) -> Any:
        """The sweep it belongs to; None of a run submitted by itself."""
        from ._hyperdrive_run import HyperDriveRun
        is_sweep = self._of is not None and self._config().get("type") != "script"
        return HyperDriveRun._made(self.experiment, self._sweep, None) if is_sweep else None

    def _config(self) -> dict[str, Any]:
        """What was kept of the submission."""
        found = self._outer.latest("config").get("", {})
        return found if isinstance(found, dict) else {}

    @property
    def status(self) -> str:
        """As get_status."""
        return self.get_status()

    def get_status(self) -> str:
        """NotStarted, Queued, Running, Completed, Failed or Canceled."""
        stored = self._stored()
        if stored is not None:
            return stored.status
        over = str(self._sweep._entry()["status"])
        return over if over in _live.ENDED else "NotStarted"

    def get_portal_url(self) -> str:
        """Where its files are."""
        return "file://" + self._directory

    def get_tags(self) -> dict[str, str]:
        """Its tags; of a sweep's child "hyperparameters" is one, as JSON text."""
        tags = self._facts("tag")
        stored = None if self._of is None or self._config().get("type") == "script" else self._stored()
        return tags if stored is None else {"hyperparameters": hyperparameters_text(self._sweep, stored.params), **tags}

    def get_metrics(self, name: str | None = None, recursive: bool = False, run_type: Any = None,
                    populate: bool = False) -> dict[str, Any]:
        """What it logged, by name: of a number logged once the number, of one logged several times a list, of rows
        and tables a dict of columns, of an image its file's name. With `name` that alone."""
        stored = self._stored()
        metrics = {} if stored is None else metrics_of(self._sweep, stored)
        return metrics if name is None else {each: value for each, value in metrics.items() if each == name}

    def get_children(self, recursive: bool = False, tags: Any = None, properties: Any = None, type: Any = None,
                     status: str | None = None) -> Iterator[Run]:
        """None: a run of a script has no runs."""
        return iter(())

    # ---- details --------------------------------------------------------------------------------------------

    def _properties(self) -> dict[str, str]:
        return {"platform": "hdrive", "azureml.runsource": "script", **self._facts("property")}

    def get_properties(self) -> dict[str, str]:
        """Its properties."""
        return self._properties()

    def get_details(self) -> dict[str, Any]:
        """runId, status, startTimeUtc, endTimeUtc, properties, logFiles, runDefinition with script and arguments
        (texts, the user's first and then the parameters), and error where it failed."""
        stored = self._stored()
        details: dict[str, Any] = {
            "runId": self.id, "target": self._config().get("target", "local"), "status": self.get_status(),
            "startTimeUtc": _utc(stored.started) if stored else None,
            "endTimeUtc": _utc(stored.ended) if stored else None, "services": {}, "properties": self._properties(),
            "inputDatasets": [], "outputDatasets": [], "runDefinition": self._definition(),
            "logFiles": {name: os.path.join(self._directory, path) for name, path in self._files().items()
                         if name.startswith(("user_logs", "logs"))}}
        if stored is not None and stored.status == "Failed":
            details["error"] = {"error": {"code": "UserError", "message": stored.error or stored.reason}}
        return details

    def get_details_with_logs(self) -> dict[str, Any]:
        """As get_details, with the texts of the log files in the place of their paths."""
        details = self.get_details()
        details["logFiles"] = {name: _text(path) for name, path in details["logFiles"].items()}
        return details

    def _definition(self) -> dict[str, Any]:
        config = self._config()
        try:
            started = json.loads(_context.read_regular(os.path.join(self._directory, "run.json")))
            words = [str(word) for word in started["arguments"]]
        except (ValueError, KeyError, TypeError):
            words = []
        script = config.get("script")
        arguments = words[words.index(script) + 1:] if script in words else list(config.get("arguments", []))
        return {"script": script, "command": "" if script else " ".join(words), "arguments": arguments,
                "useAbsolutePath": False, "target": config.get("target", "local"), "framework": "Python",
                "sourceDirectory": config.get("source_directory"),
                "maxRunDurationSeconds": config.get("max_run_duration")}

    # ---- files ----------------------------------------------------------------------------------------------

    def _files(self) -> dict[str, str]:
        """Names as Azure has them, and the paths within the run's directory."""
        found = {_STDOUT: "stdout.log"} if os.path.exists(os.path.join(self._directory, "run.json")) else {}
        if os.path.isfile(os.path.join(self._directory, "stderr.log")):
            found[_STDERR] = "stderr.log"
        processes = os.path.join(self._directory, "processes")  # the other ranks of a distributed run
        for rank in sorted(filter(str.isdigit, os.listdir(processes)), key=int) if os.path.isdir(processes) else ():
            for end, log in (("log", "stdout.log"), ("err", "stderr.log")):
                path = os.path.join(processes, rank, log)
                if os.path.isfile(path) and (end == "log" or os.path.getsize(path) > 0):
                    found[f"user_logs/std_{end}_process_{rank}.txt"] = f"processes/{rank}/{log}"
        for top in ("logs", "outputs"):
            for folder, folders, files in os.walk(os.path.join(self._directory, top)):
                folders.sort()
                for file in sorted(files):
                    path = os.path.relpath(os.path.join(folder, file), self._directory)
                    found[path.replace(os.sep, "/")] = path
        return found

    def get_file_names(self) -> List[str]:
        """The names of its files: outputs/..., logs/..., user_logs/std_log.txt."""
        return list(self._files())

    def download_file(self, name: str, output_file_path: str | None = None, _validate_checksum: bool = False) -> None:
        """Copies a file of the run to `output_file_path`, a file or an existing folder; by default into the working
        directory. Raises UserErrorException for a name that is not there, with the nearest."""
        files = self._files()
        name = name[2:] if name.startswith("./") else name
        name = name if name in files else _OLD_NAMES.get(name, name)
        if name not in files:
            raise UserErrorException(f"{self.id} has no file {name!r}" + (nearest(name, files) if files else
                                                                         "; it has none"))
        target = output_file_path or os.path.basename(name)
        if os.path.isdir(target) or target.endswith(os.sep):
            target = os.path.join(target, os.path.basename(name))
        os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
        source = os.path.join(self._directory, files[name])
        if os.path.exists(source):
            shutil.copyfile(source, target)
        else:  # a script that printed nothing has left no file
            open(target, "wb").close()

    def download_files(self, prefix: str | None = None, output_directory: str | None = None,
                       output_paths: List[str] | None = None, batch_size: int = 100, append_prefix: bool = True,
                       timeout_seconds: float | None = None) -> None:
        """Copies all files whose names begin with `prefix`, under `output_directory` with their names, or without the
        prefix where `append_prefix` is False, or to `output_paths` one by one."""
        names = [name for name in self._files() if prefix is None or name.startswith(prefix)]
        if output_paths is not None and len(output_paths) != len(names):
            raise UserErrorException(f"output_paths: {len(output_paths)} paths for {len(names)} files "
                                     f"({', '.join(names)})")
        for place, name in enumerate(names):
            within = name if append_prefix or prefix is None else name[len(prefix):].lstrip("/")
            self.download_file(name, output_paths[place] if output_paths is not None else
                               os.path.join(output_directory or ".", within))

    def get_all_logs(self, destination: str | None = None) -> List[str]:
        """Copies the log files to `destination` and returns where they are."""
        folder = destination or "."
        names = [name for name in self._files() if name.startswith(("user_logs", "logs"))]
        for name in names:
            self.download_file(name, os.path.join(folder, *name.split("/")))
        return [os.path.join(folder, *name.split("/")) for name in names]

    def register_model(self, model_name: str, model_path: str | None = None, tags: dict[str, str] | None = None,
                       properties: dict[str, str] | None = None, description: str | None = None,
                       **kwargs: Any) -> Model:
        """Keeps a file or a folder of its outputs, by default all of them, as the next version of a model."""
        path = os.path.join(self._directory, *(model_path or "outputs").strip("/").split("/"))
        if not os.path.exists(path):
            raise UserErrorException(f"{self.id} has no file {model_path!r}{nearest(str(model_path), self._files())}")
        return Model.register(self.experiment.workspace, path, model_name, tags, properties, description,
                              _run_id=self.id, **kwargs)

    # ---- its course -----------------------------------------------------------------------------------------

    def cancel(self) -> Any:
        """Stops it. The runs of a sweep go on without it."""
        if self._config().get("type") == "script" or self._of is None:
            _live.request(self._sweep, "stop")
        else:
            _live.request(self._sweep, "stop_run", self._of)

    def fail(self, error_details: Any = None, error_code: Any = None, _set_status: bool = True) -> None:
        """A run fails by its exit code, and no other way."""
        raise not_built("fail from outside of a run", "cancel() stops it")

    def wait_for_completion(self, show_output: bool = False, wait_post_processing: bool = False,
                            raise_on_error: bool = True) -> dict[str, Any]:
        """Waits until it has ended and returns get_details(). With `show_output` what it prints is printed. Ctrl-C
        ends the waiting and not the run. Raises ActivityFailedException where it failed, unless `raise_on_error` is
        False."""
        follow = _Follower(os.path.join(self._directory, "stdout.log")) if show_output else None
        if show_output:
            print(f"RunId: {self.id}\nFiles: {self._directory}\n", flush=True)
        self._await(follow or (lambda: None))
        details = self.get_details()
        if show_output:
            print(f"\nExecution Summary\n=================\nRunId: {self.id}\nStatus: {details['status']}", flush=True)
        if raise_on_error and details["status"] == "Failed":
            raise ActivityFailedException(self._why_failed(details))
        return details

    def _await(self, look: Any) -> None:
        if self._config().get("type") == "script":
            _live.wait(self._sweep, look)
            return
        import time
        while self.get_status() not in _live.ENDED:
            look()
            if _live._is_over(self._sweep):
                break
            time.sleep(_live._PAUSE)
        look()

    def _why_failed(self, details: dict[str, Any]) -> str:
        said = details.get("error", {}).get("error", {}).get("message", "")
        return f"{self.id} has failed: {said or self._sweep._entry()['reason']}"

    def _number(self, name: str, value: float, step: int | None) -> None:
        self._fact("number", name, {"value": value if math.isfinite(value) else str(value), "step": step})

    def _kind(self, kind: str) -> str:
        return kind if self._of is None else f"{kind} {self._of}"

    def _fact(self, kind: str, name: str, value: Any) -> None:
        self._outer.add(self._kind(kind), name, value)

    def _facts(self, kind: str) -> dict[str, Any]:
        found = {**dict(self._journal.read(kind)), **dict(self._outer.read(self._kind(kind)))}
        return {name: value for name, value in found.items() if value is not None}

    def _outputs(self) -> str:
        return self._directory

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(Experiment: {self.experiment.name}, Id: {self.id}, Type: {self.type}, " \
               f"Status: {self.get_status()})"


class ScriptRun(Run):
    """A run of a script, submitted by itself."""


class _Follower:
    """Prints what a file has got since it was looked at last."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._at = 0

    def __call__(self) -> None:
        text = _context.read_regular(self._path, self._at)
        self._at += len(text)
        if text:
            sys.stdout.write(text.decode("utf-8", "replace"))
            sys.stdout.flush()


def _utc(moment: Any) -> str | None:
    return None if moment is None else str(moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))


def _text(path: str) -> str:
    return _context.read_regular(path).decode("utf-8", "replace")


def open_run(experiment: Experiment | None, workspace: Any, run_id: str) -> Any:
    """The run, or the sweep, with this id."""
    from ._hyperdrive_run import HyperDriveRun
    from ._workspace import Experiment as Named
    sweep_id, _, number = run_id.rpartition("_")
    is_run = number.isdigit() and sweep_id.startswith("HD_")
    sweep = _live.open_sweep(workspace.directory, sweep_id if is_run else run_id)
    experiment = experiment or Named(workspace, str(sweep._entry()["experiment"]) or "none")
    if is_run:
        return Run._made(experiment, sweep, int(number))
    config = _context.Journal(str(sweep.directory)).latest("config").get("", {})
    if config.get("type") == "script":
        return ScriptRun._made(experiment, sweep, 0)
    return HyperDriveRun._made(experiment, sweep, None)


def get_run(experiment: Experiment, run_id: str, rehydrate: bool = True, clean_up: bool = True) -> Any:
    """The run, or the sweep, of an experiment with this id."""
    return open_run(experiment, experiment.workspace, run_id)
