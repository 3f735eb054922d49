# SPDX-License-Identifier: Apache-2.0
"""The steps of a pipeline: a sweep, a script."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from ._config import HyperDriveConfig
from ._errors import UserErrorException
from ._hyperdrive_run import HyperDriveRun
from ._pipeline import PipelineData, StepRun
from ._runconfig import RunConfiguration, ScriptRunConfig
from ._settings import ignored
from ._submit import start_script, start_sweep

if TYPE_CHECKING:
    from ._workspace import Experiment

__all__ = ["EstimatorStep", "HyperDriveStep", "HyperDriveStepRun", "PythonScriptStep", "Step"]


class Step:
    """The base: a name, what it reads and writes, and the steps it comes after."""

    def __init__(self, name: str, inputs: Any, outputs: Any) -> None:
        self.name = name
        self.inputs: list[PipelineData] = [_data(name, each) for each in inputs or []]
        self.outputs: list[PipelineData] = [_data(name, each) for each in outputs or []]
        self.after: list[Step] = []

    def run_after(self, step: Step) -> None:
        """Begins only when `step` is done."""
        self.after.append(step)

    def _start(self, experiment: Experiment) -> Any:
        raise NotImplementedError

    def _finish(self, run: Any) -> None:
        """Called when the step is complete."""


def _data(name: str, given: Any) -> PipelineData:
    if not isinstance(given, PipelineData):
        raise UserErrorException(f"step {name!r}: a {type(given).__name__} is neither input nor output; PipelineData "
                                 "is, and paths of files on this machine go into the arguments")
    return given


class HyperDriveStep(Step):
    """A sweep. `metrics_output` gets its metrics as JSON, {run_id: {metric: [values]}}; an output with a
    TrainingOutput("Model", model_file=...) that file of the best run.

        HyperDriveStep(name="tune", hyperdrive_config=config, metrics_output=PipelineData("metrics"))
    """

    def __init__(self, name: str, hyperdrive_config: HyperDriveConfig,
                 estimator_entry_script_arguments: list[Any] | None = None, inputs: Any = None, outputs: Any = None,
                 metrics_output: PipelineData | None = None, allow_reuse: bool = True,
                 version: str | None = None) -> None:
        if not isinstance(hyperdrive_config, HyperDriveConfig):
            raise UserErrorException(f"HyperDriveStep: a HyperDriveConfig is wanted, not a "
                                     f"{type(hyperdrive_config).__name__}")
        super().__init__(name, inputs, [*(outputs or []), *([metrics_output] if metrics_output is not None else [])])
        ignored("HyperDriveStep", {"version": version}, "nothing is taken from earlier runs")
        self.hyperdrive_config = hyperdrive_config
        self._arguments = estimator_entry_script_arguments
        self._metrics_output = metrics_output

    def _start(self, experiment: Experiment) -> Any:
        if self._arguments is None:
            return start_sweep(experiment, self.hyperdrive_config)
        config = object.__new__(HyperDriveConfig)
        for name, value in vars(self.hyperdrive_config).items():
            object.__setattr__(config, name, value)
        script = self.hyperdrive_config._script()
        again = ScriptRunConfig(script.source_directory, script.script, [*self._arguments], script.run_config,
                                distributed_job_config=script.distributed_job_config)
        object.__setattr__(config, "run_config", again)
        object.__setattr__(config, "estimator", None)
        return start_sweep(experiment, config)

    def _finish(self, run: HyperDriveRun) -> None:
        for data in self.outputs:
            wanted = data.training_output
            if data is self._metrics_output or (wanted is not None and wanted.type == "Metrics"):
                with open(data._path_for_script(), "w", encoding="utf-8") as file:
                    json.dump(_as_lists(run.get_metrics()), file)
            elif wanted is not None:
                self._carry(run, data, wanted.model_file or "outputs")

    def _carry(self, run: HyperDriveRun, data: PipelineData, name: str) -> None:
        best = run.get_best_run_by_primary_metric()
        if best is None:
            raise UserErrorException(f"step {self.name!r}: no run has reported {run._sweep.metric}, so {data.name!r} "
                                     "has no best run to come from")
        source = os.path.join(best._directory, *name.split("/"))
        if os.path.isdir(source):
            shutil.copytree(source, data._path_for_script())
        else:
            best.download_file(name, data._path_for_script())


def _as_lists(metrics: dict[str, Any]) -> dict[str, Any]:
    return {run: {name: value if isinstance(value, (list, dict)) else [value] for name, value in each.items()}
            for run, each in metrics.items()}


class PythonScriptStep(Step):
    """A script with arguments, among them PipelineData, which reach it as paths."""

    def __init__(self, script_name: str, name: str | None = None, arguments: list[Any] | None = None,
                 compute_target: Any = None, runconfig: RunConfiguration | None = None,
                 runconfig_pipeline_params: Any = None, inputs: Any = None, outputs: Any = None, params: Any = None,
                 source_directory: str | None = None, allow_reuse: bool = True, version: str | None = None,
                 hash_paths: Any = None) -> None:
        super().__init__(name or script_name, inputs, outputs)
        ignored("PythonScriptStep", {"runconfig_pipeline_params": runconfig_pipeline_params, "params": params,
                                     "version": version, "hash_paths": hash_paths},
                "steps have the arguments they were made with")
        self._config = ScriptRunConfig(source_directory, script_name, arguments, runconfig,
                                       compute_target=compute_target)

    def _start(self, experiment: Experiment) -> Any:
        return start_script(experiment, self._config)


class EstimatorStep(Step):
    """The script of an Estimator."""

    def __init__(self, name: str, estimator: Any, estimator_entry_script_arguments: list[Any] | None = None,
                 runconfig_pipeline_params: Any = None, inputs: Any = None, outputs: Any = None,
                 compute_target: Any = None, allow_reuse: bool = True, version: str | None = None) -> None:
        super().__init__(name, inputs, outputs)
        ignored("EstimatorStep", {"runconfig_pipeline_params": runconfig_pipeline_params, "version": version},
                "steps have the arguments they were made with")
        self._config = estimator._script()
        if estimator_entry_script_arguments is not None:
            self._config.arguments = list(estimator_entry_script_arguments)
        if compute_target is not None:
            self._config.run_config.target = compute_target

    def _start(self, experiment: Experiment) -> Any:
        return start_script(experiment, self._config)


def HyperDriveStepRun(step_run: StepRun) -> HyperDriveRun:  # noqa: N802 - a class there
    """The sweep of a HyperDriveStep: `HyperDriveStepRun(step_run=pipeline_run.find_step_run("tune")[0])`."""
    if not isinstance(step_run.run, HyperDriveRun):
        raise UserErrorException(f"HyperDriveStepRun: step {step_run.name!r} is no HyperDriveStep that has begun")
    return step_run.run
