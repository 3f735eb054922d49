# SPDX-License-Identifier: Apache-2.0
"""A small Pipeline: steps that are run on this machine, each when what it reads is written, others beside it."""

from __future__ import annotations

import atexit
import os
import shutil
import threading
import uuid
import weakref
from typing import TYPE_CHECKING, Any

from . import _live
from ._course import checked_limit, run_steps
from ._errors import ActivityFailedException, UserErrorException
from ._settings import ignored, not_built, refuse_others

if TYPE_CHECKING:
    from ._steps import Step
    from ._workspace import Experiment, Workspace

__all__ = ["Pipeline", "PipelineData", "PipelineRun", "StepRun", "StepSequence", "TrainingOutput",
           "end_with_interpreter", "in_order"]


class TrainingOutput:
    """What of a HyperDriveStep's best run an output carries: "Metrics", or "Model" with the name of a file, or the
    folder, in its outputs."""

    def __init__(self, type: str, iteration: Any = None, metric: Any = None, model_file: str | None = None) -> None:
        if type not in ("Metrics", "Model"):
            raise UserErrorException(f"TrainingOutput: {type!r} is none; allowed: Metrics, Model")
        ignored("TrainingOutput", {"iteration": iteration, "metric": metric}, "they are of automated machine learning")
        self.type = type
        self.model_file = model_file


class PipelineData:
    """A file or a folder that one step writes and others read: as an argument of a script it is its path."""

    def __init__(self, name: str, datastore: Any = None, output_name: str | None = None, output_mode: str = "mount",
                 output_path_on_compute: str | None = None, output_overwrite: Any = None, data_type: Any = None,
                 is_directory: bool | None = None, pipeline_output_name: str | None = None,
                 training_output: TrainingOutput | None = None) -> None:
        ignored("PipelineData", {"datastore": datastore, "output_path_on_compute": output_path_on_compute,
                                 "data_type": data_type}, "the data are files of this machine")
        self.name = name
        self.pipeline_output_name = pipeline_output_name or output_name or name
        self.training_output = training_output
        self._path: str | None = None

    def as_input(self, input_name: str | None = None) -> PipelineData:
        """Itself."""
        return self

    as_mount = as_download = as_upload = as_input

    def _place(self, folder: str) -> None:
        self._path = os.path.join(folder, self.name)

    def _path_for_script(self) -> str:
        if self._path is None:
            raise UserErrorException(f"PipelineData {self.name!r} has no path outside of a pipeline that is running")
        return self._path

    def __repr__(self) -> str:
        return f"PipelineData({self.name!r})"


class StepSequence:
    """Steps that are run in this order."""

    def __init__(self, steps: list[Any]) -> None:
        self.steps = list(steps)
        for before, after in zip(self.steps, self.steps[1:]):
            after.run_after(before)


def in_order(steps: list[Step]) -> list[Step]:
    """The steps, each after those that write what it reads and those it was told to follow. Raises for a circle."""
    left = list(steps)
    ordered: list[Step] = []
    while left:
        ready = [step for step in left if not any(_needs(step, other) for other in left if other is not step)]
        if not ready:
            raise UserErrorException("Pipeline: these steps wait for each other: "
                                     f"{', '.join(step.name for step in left)}")
        ordered.append(ready[0])
        left.remove(ready[0])
    return ordered


def _needs(step: Step, other: Step) -> bool:
    return other in step.after or any(data in other.outputs for data in step.inputs)


class Pipeline:
    """Steps: `Pipeline(ws, steps=[...])`, to be submitted by an Experiment.

        run = Experiment(ws, "digits").submit(Pipeline(ws, steps=[HyperDriveStep("tune", hyperdrive_config=config)]))
        run.wait_for_completion()

    Steps that do not need each other run at once, up to `max_concurrent_steps`, which may be assigned: as many as there
    are processors by default.
    """

    max_concurrent_steps: int | None = None

    def __init__(self, workspace: Workspace, steps: Any, description: str | None = None,
                 default_datastore: Any = None, default_source_directory: str | None = None,
                 resolve_closure: bool = True, **kwargs: Any) -> None:
        refuse_others("Pipeline", kwargs, ["workspace", "steps", "description", "default_source_directory"])
        ignored("Pipeline", {"default_datastore": default_datastore,
                             "default_source_directory": default_source_directory}, "each step has its own folder")
        from ._steps import Step
        self.workspace = workspace
        self.description = description
        given = steps.steps if isinstance(steps, StepSequence) else _flat(steps)
        for step in given:
            if not isinstance(step, Step):
                raise UserErrorException(f"Pipeline: a {type(step).__name__} is no step; allowed: HyperDriveStep, "
                                         "PythonScriptStep, EstimatorStep")
        self._steps = in_order(given)
        writers = [data for step in self._steps for data in step.outputs]
        for step in self._steps:
            for data in step.inputs:
                if data not in writers and data._path is None:
                    raise UserErrorException(f"Pipeline: no step writes {data.name!r}, which {step.name!r} reads")

    def validate(self) -> list[Any]:
        """The problems: none, as they are errors when the pipeline is made."""
        return []

    def publish(self, *_: Any, **__: Any) -> Any:
        """hdrive publishes no pipelines."""
        raise not_built("Pipeline.publish", "keep the program that makes the pipeline")

    def submit(self, experiment_name: str, pipeline_parameters: Any = None, continue_on_step_failure: bool = False,
               regenerate_outputs: bool = False, parent_run_id: str | None = None, tags: Any = None,
               _experiment: Any = None, **kwargs: Any) -> PipelineRun:
        """Begins it, in the background. `regenerate_outputs` holds always: nothing is taken from earlier runs."""
        refuse_others("Pipeline.submit", kwargs, ["pipeline_parameters", "continue_on_step_failure", "tags"])
        ignored("Pipeline.submit", {"pipeline_parameters": pipeline_parameters, "parent_run_id": parent_run_id},
                "steps have the arguments they were made with")
        from ._workspace import Experiment
        return PipelineRun._begin(_experiment or Experiment(self.workspace, experiment_name), self._steps,
                                  continue_on_step_failure, dict(tags or {}), checked_limit(self.max_concurrent_steps))


def _flat(steps: Any) -> list[Any]:
    if isinstance(steps, (list, tuple)):
        return [step for each in steps for step in (each.steps if isinstance(each, StepSequence) else _flat(each))]
    return [steps]


class StepRun:
    """A step of a pipeline that runs or ran: `run` is the Run, or the HyperDriveRun, it consists of."""

    def __init__(self, step: Step, pipeline_run: PipelineRun) -> None:
        self.step = step
        self.name = step.name
        self.parent = pipeline_run
        self.run: Any = None

    @property
    def id(self) -> str:
        """Of its run; empty before it has begun."""
        return "" if self.run is None else str(self.run.id)

    def get_status(self) -> str:
        """NotStarted, or its run's."""
        return "NotStarted" if self.run is None else str(self.run.get_status())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if self.run is None:
            raise UserErrorException(f"step {self.name!r} has not begun, so it has no {name}")
        return getattr(self.run, name)

    def __repr__(self) -> str:
        return f"StepRun({self.name!r}, {self.get_status()})"


class PipelineRun:
    """A pipeline that runs. Its steps are kept as any run or sweep; the pipeline itself lives in this process."""

    def __init__(self, experiment: Experiment, steps: list[Step], go_on: bool, tags: dict[str, str],
                 limit: int | None) -> None:
        self.experiment = experiment
        self.id = str(uuid.uuid4())
        self.tags = tags
        self.directory = os.path.join(experiment.workspace.directory, "azureml", "pipelines", self.id)
        self._steps = [StepRun(step, self) for step in steps]
        self._go_on = go_on
        self._limit = limit
        self._status = "Running"
        self._error: BaseException | None = None
        self._stopping = self._interrupted = False
        self._lock = threading.Lock()  # of what runs and whether that is to stop
        self._thread = threading.Thread(target=self._work, name="hdrive-pipeline", daemon=True)

    @classmethod
    def _begin(cls, experiment: Experiment, steps: list[Step], go_on: bool, tags: dict[str, str],
               limit: int | None) -> PipelineRun:
        run = cls(experiment, steps, go_on, tags, limit)
        os.makedirs(run.directory)
        for step in steps:
            for data in step.outputs:
                data._place(run.directory)
        end_with_interpreter(run)
        run._thread.start()
        return run

    def _work(self) -> None:
        by_place = {str(i): each for i, each in enumerate(self._steps)}  # names may be the same

        def needs(place: str) -> list[str]:
            step = by_place[place].step
            return [other for other, each in by_place.items() if each.step is not step and _needs(step, each.step)]

        try:
            ended = run_steps(list(by_place), needs, lambda place: self._run_step(by_place[place]), self._limit,
                              lambda status: status == "Completed" or self._go_on and status == "Failed",
                              self._interrupt)
            complete = [ended.get(place) == "Completed" for place in by_place]
            self._status = "Canceled" if self._stopping else "Completed" if all(complete) else "Failed"
        except BaseException as error:  # what went wrong belongs to who waits
            self._error = error
            self._status = "Failed"

    def _run_step(self, each: StepRun) -> str:
        if self._stopping:
            return "Canceled"
        run = each.step._start(self.experiment)
        with self._lock:
            each.run = run
            late = self._stopping or self._interrupted
        if late:
            run.cancel()
        _live.wait(run._sweep)
        status = str(run.get_status())
        if status == "Completed":
            each.step._finish(run)
        return status

    def _interrupt(self) -> None:
        """Stops the steps that run."""
        with self._lock:
            self._interrupted = True
            begun = [each.run for each in self._steps if each.run is not None]
        for run in begun:
            if run.get_status() not in _live.ENDED:
                run.cancel()

    def get_status(self) -> str:
        """Running, Completed, Failed or Canceled."""
        return self._status

    @property
    def status(self) -> str:
        """As get_status."""
        return self._status

    def get_steps(self) -> list[StepRun]:
        """Its steps, in the order they are run."""
        return list(self._steps)

    get_children = get_steps

    def find_step_run(self, name: str) -> list[StepRun]:
        """The steps of this name."""
        return [each for each in self._steps if each.name == name]

    def get_pipeline_output(self, pipeline_output_name: str) -> Any:
        """An output, which `download(local_path)` copies."""
        for each in self._steps:
            for data in each.step.outputs:
                if data.pipeline_output_name == pipeline_output_name:
                    return _Output(data)
        raise UserErrorException(f"there is no output {pipeline_output_name!r}")

    def wait_for_completion(self, show_output: bool = False, timeout_seconds: float | None = None,
                            raise_on_error: bool = True) -> str:
        """Waits for the end and returns the status. Raises ActivityFailedException where a step failed, unless
        `raise_on_error` is False, and TimeoutError after `timeout_seconds`."""
        import time
        until = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        told: dict[str, str] = {}
        while True:
            self._thread.join(0.05)
            for each in self._steps if show_output else ():
                status = each.get_status()
                if told.get(each.name) != status and status != "NotStarted":
                    told[each.name] = status
                    print(f"step {each.name}: {status} ({each.id})", flush=True)
            if not self._thread.is_alive():
                break
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"pipeline {self.id} goes on after {timeout_seconds} s")
        if self._error is not None and raise_on_error:
            raise self._error
        if self._status == "Failed" and raise_on_error:
            failed = [each.name for each in self._steps if each.get_status() == "Failed"]
            raise ActivityFailedException(f"pipeline {self.id}: failed in {', '.join(failed)}")
        return self._status

    def cancel(self) -> None:
        """Stops the steps that run; no other is begun."""
        self._stopping = True
        self._interrupt()

    def get_portal_url(self) -> str:
        """Where its data are."""
        return "file://" + self.directory

    def __repr__(self) -> str:
        return f"PipelineRun(Experiment: {self.experiment.name}, Id: {self.id}, Status: {self._status})"


# What has to end before the interpreter does.
_live_pipelines: weakref.WeakSet[Any] = weakref.WeakSet()


def end_with_interpreter(run: Any) -> None:
    """It is cancelled, and its `_thread` waited for, before the interpreter ends."""
    _live_pipelines.add(run)


def _end_all() -> None:
    for run in list(_live_pipelines):
        if run._thread.is_alive():
            run.cancel()
            run._thread.join()


atexit.register(_end_all)


class _Output:
    def __init__(self, data: PipelineData) -> None:
        self._data = data

    def download(self, local_path: str, **_: Any) -> str:
        """Copies it into the folder and returns where it is."""
        source = self._data._path_for_script()
        target = os.path.join(local_path, os.path.basename(source))
        if os.path.isdir(source):
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            os.makedirs(local_path, exist_ok=True)
            shutil.copyfile(source, target)
        return target
