# SPDX-License-Identifier: Apache-2.0
"""Pipelines of v2's YAML files: steps that are run when what they need is there, each a sweep of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
import time
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ... import _catalog, _core
from ..._errors import HdriveError, NotFoundError
from ..._sweep import Sweep
from .. import _context, _live
from .._compute import place_of, target_named
from .._course import checked_limit, run_steps
from .._errors import ActivityFailedException, UserErrorException
from .._hyperdrive_run import HyperDriveRun
from .._pipeline import end_with_interpreter
from .._runs import Run, ScriptRun, open_run
from .._settings import nearest
from .._workspace import Experiment
from ._load import LoadedJob

if TYPE_CHECKING:
    from .._workspace import Workspace

__all__ = ["PipelineJob", "PipelineJobRun", "open_pipeline", "pipelines"]

_OUTPUT = re.compile(r"\$\{\{\s*parent\.outputs\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}$")


class PipelineJob(LoadedJob):
    """A pipeline of a file: command and sweep steps, as `hdrive run` runs them. Its keys are attributes, and may be
    assigned before it is begun.

        job = load_job("pipeline.yml")
        job.jobs["tune"].limits.max_total_trials = 5
        MLClient().jobs.create_or_update(job)

    Steps that do not need each other run at once, up to `max_concurrent_steps`, which may be assigned: as many as there
    are processors by default.
    """

    max_concurrent_steps: int | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "max_concurrent_steps":
            object.__setattr__(self, name, checked_limit(value))  # no key of the file
        else:
            super().__setattr__(name, value)

    def __call__(self, **inputs: Any) -> Any:
        """A pipeline is not swept: its steps are sweeps."""
        raise UserErrorException(f"{self._file} is a pipeline; its steps are sweeps, and it is begun as it is")

    def _loaded(self, more: Any = ()) -> Any:
        """The steps and the settings they are read with. Raises with every problem of the file and of its steps."""
        settings = [*self._settings(), *((name, json.dumps(value)) for name, value in more)]
        try:
            pipeline, problems = _core.load_pipeline(self._file, settings)
        except HdriveError as error:
            raise UserErrorException(str(error).replace("--set ", "")) from None
        return pipeline, problems, settings

    def _begin(self, workspace: Workspace, experiment_name: str | None, compute: Any) -> Any:
        more: list[tuple[str, Any]] = []
        if experiment_name:
            more.append(("experiment_name", experiment_name))
        if compute is not None:
            name = place_of(target_named(compute), os.path.dirname(self._file))[0] or "local"
            more += [(f"jobs.{step}.compute", name) for step in self.jobs]
        pipeline, problems, settings = self._loaded(more)
        for problem in problems:
            warnings.warn(problem.replace("--set ", ""), stacklevel=4)
        name = self._document.get("name") or _core.new_pipeline_name(pipeline, self._file)
        if not isinstance(name, str) or "/" in name or name in (".", "..") or not name.isprintable():
            raise UserErrorException(f"name: {name!r} is none; allowed: a text without slashes and control characters")
        return PipelineJobRun._start(Experiment(workspace, pipeline.experiment or "none"), name, self._file, pipeline,
                                     settings, _named_outputs(self._document), self.max_concurrent_steps)


def _named_outputs(document: dict[str, Any]) -> dict[str, list[str]]:
    """Which step writes the pipeline's outputs, and under which name."""
    found = {}
    for step, job in (document.get("jobs") or {}).items():
        for name, given in ((job or {}).get("outputs") or {}).items():
            match = _OUTPUT.match(str(given.get("path") if isinstance(given, dict) else given).strip())
            if match:
                found[match.group(1)] = [step, name]
    return found


class PipelineJobRun(_context.Run):
    """A pipeline that was begun. Its steps are sweeps called NAME.STEP, each kept as any other; with the same name a
    pipeline goes on, and steps that are complete stay so. It ends with the process that began it."""

    type = "pipeline"
    parent = None

    def __init__(self, experiment: Experiment, name: str) -> None:
        self.experiment = experiment
        self.id = self.name = name
        self._directory = _directory(experiment.workspace, name)
        self._journal = _context.Journal(self._directory)
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._stopping = self._interrupted = False
        self._begun: list[Sweep] = []  # by this process
        self._lock = threading.Lock()  # of what was begun, and whether that is to stop
        self._ended: dict[str, str] = {}  # steps that did not become a sweep, or were not begun: how they ended

    @classmethod
    def _start(cls, experiment: Experiment, name: str, file: str, pipeline: _core.Pipeline,
               settings: list[tuple[str, str]], outputs: dict[str, list[str]], limit: int | None) -> PipelineJobRun:
        live = _running.get((experiment.workspace.directory, name))
        if live is not None and live._is_alive():
            raise UserErrorException(f"the pipeline {name!r} is running already; another name begins another one")
        run = cls(experiment, name)
        os.makedirs(run._directory, exist_ok=True)
        run._journal.add("config", "", {"type": "pipeline", "file": file, "experiment": experiment.name,
                                        "steps": [step.name for step in pipeline.steps], "outputs": outputs,
                                        "created": time.time()})
        run._thread = threading.Thread(target=run._work, args=(file, pipeline, settings, limit), daemon=True,
                                       name="hdrive-pipeline")
        _running[experiment.workspace.directory, name] = run
        end_with_interpreter(run)
        run._thread.start()
        return run

    def _config(self) -> dict[str, Any]:
        found: dict[str, Any] = self._journal.latest("config").get("", {})
        return found

    def _is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    # ---- running it -----------------------------------------------------------------------------------------

    def _work(self, file: str, pipeline: _core.Pipeline, settings: list[tuple[str, str]], limit: int | None) -> None:
        steps = {step.name: step for step in pipeline.steps}
        outputs: dict[str, str] = {}

        def run(name: str) -> str:
            if self._stopping:
                return "Canceled"
            made = self._run_step(steps[name], file, dict(outputs), settings)
            status = str(made.get_status())
            if status == "Completed":
                outputs[name] = _core.step_outputs(steps[name], str(made._sweep.directory))
            return status

        # Whoever stops a step means the pipeline.
        def goes_on(status: str) -> bool:
            return status == "Completed" or status == "Failed" and pipeline.continue_on_step_failure

        try:
            ended = run_steps(list(steps), lambda name: steps[name].needs, run, limit, goes_on, self._interrupt)
            if all(map(goes_on, ended.values())):
                self._ended = {name: "Skipped" for name in steps if name not in ended}
        except BaseException as error:  # what went wrong belongs to who waits
            self._error = error

    def _interrupt(self) -> None:
        """Stops the steps that run here."""
        with self._lock:
            self._interrupted = True
            begun = list(self._begun)
        for sweep in begun:
            if sweep.status not in _live.ENDED:
                _live.request(sweep, "stop")

    def _run_step(self, step: _core.PipelineStep, file: str, outputs: dict[str, str],
                  settings: list[tuple[str, str]]) -> Run:
        try:
            spec, _, seed_given, concurrency_given, surroundings = _core.load_step(file, step.name, outputs, settings)
        except HdriveError as error:
            raise UserErrorException(f"step {step.name}: {error}") from None
        spec.name = _core.step_sweep_name(self.name, step.name)
        sweep = self._sweep_of(step.name)
        if sweep is None:
            if not seed_given:
                spec.seed = _core.new_seed()
            sweep = Sweep._of(spec, surroundings, self.experiment.workspace.directory)
        else:
            self._check_same(sweep, spec, surroundings, seed_given, concurrency_given)
        if sweep.status not in ("Completed", "Failed"):
            handle = sweep.start_command()
            _context.Journal(str(sweep.directory)).add("config", "", {
                "type": "hyperdrive" if step.sweep else "script", "script": None, "arguments": [],
                "source_directory": os.path.dirname(file), "max_run_duration": spec.max_run_duration})
            _live.keep(handle)
            with self._lock:
                self._begun.append(sweep)
                late = self._stopping or self._interrupted
            if late:
                handle.stop()
            _live.wait(sweep)
        return self._run_of(sweep, step.sweep)

    @staticmethod
    def _check_same(sweep: Sweep, spec: _core.Spec, surroundings: _core.Surroundings, seed_given: bool,
                    concurrency_given: bool) -> None:
        """Raises where the file is another one than when the step began."""
        from ... import _surroundings
        stored = sweep._spec
        _surroundings.make(spec, surroundings)  # which is kept, and part of what was stored
        # What the machine or chance would choose was chosen when it began.
        if not seed_given:
            spec.seed = stored.seed
        if not concurrency_given:
            spec.max_concurrent_runs = stored.max_concurrent_runs
        different = _core.differences(spec, stored)
        if different:
            raise UserErrorException(f"there is a sweep {sweep.name!r} ({sweep.id}) already, and this configuration is "
                                     "another one: " + "; ".join(different) + ". Another name begins a new pipeline")

    def _run_of(self, sweep: Sweep, is_sweep: bool) -> Run:
        made: Run = HyperDriveRun._made(self.experiment, sweep, None) if is_sweep else \
            ScriptRun._made(self.experiment, sweep, 0)
        return made

    def _sweep_of(self, step: str) -> Sweep | None:
        """The sweep of a step that has begun."""
        name = _core.step_sweep_name(self.name, step)
        try:
            return _live.open_sweep(self.experiment.workspace.directory, name)
        except UserErrorException:
            pass
        try:
            return _catalog.load(name, directory=self.experiment.workspace.directory)
        except NotFoundError:
            return None

    # ---- what it is -----------------------------------------------------------------------------------------

    def _steps(self) -> dict[str, str]:
        """How far each step is: a status, Skipped, or NotStarted."""
        found = {}
        for name in self._config().get("steps", []):
            sweep = self._sweep_of(name)
            found[name] = self._ended.get(name, "NotStarted") if sweep is None else sweep.status
        return found

    def get_status(self) -> str:
        """Running, Completed, Failed or Canceled; Canceled too where its process ended before it."""
        if self._is_alive():
            return "Running"
        steps = list(self._steps().values())
        if self._error is not None or "Failed" in steps:
            return "Failed"
        if all(status == "Completed" for status in steps):
            return "Completed"
        return "Running" if self._thread is None and "Running" in steps and self._has_engine() else "Canceled"

    status = property(get_status)

    def _has_engine(self) -> bool:
        sweeps = (self._sweep_of(name) for name in self._config().get("steps", []))
        return any(sweep is not None and sweep._entry()["engine"] is not None for sweep in sweeps)

    @property
    def display_name(self) -> str:
        """A name for people; may be assigned."""
        return str(self._facts("display_name").get("", ""))

    @display_name.setter
    def display_name(self, name: str) -> None:
        self._fact("display_name", "", name)

    def get_children(self, **_: Any) -> Iterator[Run]:
        """The runs of its steps that have begun, in their order."""
        for name in self._config().get("steps", []):
            sweep = self._sweep_of(name)
            if sweep is not None:
                run: Run = open_run(self.experiment, self.experiment.workspace, sweep.id)
                yield run

    def get_portal_url(self) -> str:
        """Where its data are."""
        return "file://" + self._directory

    def _fact(self, kind: str, name: str, value: Any) -> None:
        self._journal.add(kind, name, value)

    def _facts(self, kind: str) -> dict[str, Any]:
        return self._journal.latest(kind)

    # ---- its course -----------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Stops the steps that run; no other is begun."""
        self._stopping = True
        self._interrupt()
        for name in self._config().get("steps", []):
            sweep = self._sweep_of(name)
            if sweep is not None and sweep.status not in _live.ENDED:
                _live.request(sweep, "stop")

    def wait_for_completion(self, show_output: bool = False, raise_on_error: bool = True, **_: Any) -> str:
        """Waits for the end, telling how far the steps are, and returns the status. Raises what kept it from going on,
        and ActivityFailedException where a step failed, unless `raise_on_error` is False."""
        told: dict[str, str] = {}
        while True:
            running = self.get_status() == "Running"
            if show_output:
                for name, status in self._steps().items():
                    if status != "NotStarted" and told.get(name) != status:
                        told[name] = status
                        print(f"step {name}: {status}", flush=True)
            if not running:
                break
            if self._thread is not None:
                self._thread.join(_live._PAUSE)
            else:
                time.sleep(_live._PAUSE)
        if self._error is not None and raise_on_error:
            raise self._error
        status = self.get_status()
        if status == "Failed" and raise_on_error:
            failed = [name for name, status in self._steps().items() if status == "Failed"]
            raise ActivityFailedException(f"pipeline {self.name}: failed in {', '.join(failed)}")
        return status

    # ---- files ----------------------------------------------------------------------------------------------

    def download(self, folder: str, output_name: str | None, everything: bool) -> None:
        """Copies the files of each step into artifacts/<step>/, or an output of the pipeline into
        named-outputs/<name>/."""
        outputs: dict[str, list[str]] = self._config().get("outputs", {})
        if output_name is not None and output_name not in outputs:
            raise UserErrorException(f"{self.name} has no output {output_name!r}"
                                     f"{nearest(output_name, outputs) if outputs else '; it has none'}")
        if output_name is None or everything:
            for child in self.get_children():
                step = child._sweep.name[len(self.name) + 1:]
                best = child.get_best_run_by_primary_metric() if isinstance(child, HyperDriveRun) else child
                if best is not None:
                    best.download_files(output_directory=os.path.join(folder, "artifacts", step))
        for name in outputs if everything else [output_name] if output_name else []:
            step, own = outputs[name]
            sweep = self._sweep_of(step)
            if sweep is None or sweep.status != "Completed":
                raise UserErrorException(f"{self.name} has no output {name!r} yet: step {step} did not complete")
            number = sweep.best.number if isinstance(self._kind_of(sweep), HyperDriveRun) else 0
            _copy(os.path.join(sweep._run_directory(number), "outputs", own), os.path.join(folder, "named-outputs", name))

    def _kind_of(self, sweep: Sweep) -> Any:
        return open_run(self.experiment, self.experiment.workspace, sweep.id)

    def __repr__(self) -> str:
        return f"PipelineJobRun(Experiment: {self.experiment.name}, Name: {self.name}, Status: {self.get_status()})"


def _copy(source: str, target: str) -> None:
    if os.path.isdir(source):
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif os.path.exists(source):
        os.makedirs(target, exist_ok=True)
        shutil.copyfile(source, os.path.join(target, os.path.basename(source)))
    else:
        raise UserErrorException(f"there is no {source}: the step did not write it")


# Those that this process has begun, by the store's folder and their names.
_running: dict[tuple[str, str], PipelineJobRun] = {}


def _directory(workspace: Workspace, name: str) -> str:
    return os.path.join(workspace.directory, "azureml", "pipelines", name)


def open_pipeline(workspace: Workspace, name: str) -> PipelineJobRun | None:
    """The pipeline of this name; None where there is none."""
    live = _running.get((workspace.directory, name))
    if live is not None:
        return live
    config = _context.Journal(_directory(workspace, name)).latest("config").get("") if "/" not in name else None
    if not isinstance(config, dict) or config.get("type") != "pipeline":
        return None
    return PipelineJobRun(Experiment(workspace, config.get("experiment") or "none"), name)


def pipelines(workspace: Workspace) -> dict[str, float]:
    """The names of the pipelines that were begun, with the moments at which they were."""
    folder = os.path.join(workspace.directory, "azureml", "pipelines")
    found = {}
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        run = open_pipeline(workspace, name)
        if run is not None:
            found[name] = float(run._config()["created"])
    return found
