# SPDX-License-Identifier: Apache-2.0
"""From configurations to sweeps that run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _space
from .._sweep import Sweep
from . import _context, _live
from ._hyperdrive_run import HyperDriveRun
from ._images import make_surroundings
from ._policies import PrimaryMetricGoal
from ._runs import ScriptRun

if TYPE_CHECKING:
    from ._config import HyperDriveConfig
    from ._runconfig import Program, ScriptRunConfig
    from ._workspace import Experiment

__all__ = ["begin", "start_script", "start_sweep"]


def begin(sweep: Sweep, program: Program, kind: str, **more: Any) -> None:
    """Starts the sweep in the background, and keeps what a reader of its runs wants to know of the program."""
    if program.image is not None:
        sweep._first_spec.command = program.command
        make_surroundings(sweep._first_spec, program.image.surroundings(program.volumes()))
        handle = sweep.start_command()
    else:
        handle = sweep.start_command(program.command)
    _context.Journal(str(sweep.directory)).add("config", "", {
        "type": kind, "script": program.script, "arguments": program.arguments,
        "source_directory": program.source_directory, "max_run_duration": program.max_run_duration,
        "target": program.target or "local", **more})
    _live.keep(handle)


def _program_options(program: Program, experiment: Experiment) -> dict[str, Any]:
    return {**program.processes, "target": program.target, "directory": experiment.workspace.directory, "experiment": experiment.name,
            "source_directory": program.source_directory, "append_parameters": program.append_parameters,
            "environment_variables": program.environment, "max_run_duration": program.max_run_duration}


def start_sweep(experiment: Experiment, config: HyperDriveConfig, name: str = "") -> HyperDriveRun:
    """Begins a sweep, under a name to address it by."""
    program = config._program(experiment.name)
    sweep = Sweep(config.hyperparameter_sampling.parameter_space, metric=config.primary_metric_name,
                  goal="minimize" if config.primary_metric_goal is PrimaryMetricGoal.MINIMIZE else "maximize",
                  sampler=config.hyperparameter_sampling.sampler,
                  policy=config.policy._native(), max_total_runs=config.max_total_runs,
                  max_concurrent_runs=config._concurrent(program), max_duration=config.max_duration_minutes * 60,
                  seed=config.seed, name=name, **config._earlier(),
                  **_program_options(program, experiment))
    begin(sweep, program, "hyperdrive")
    run: HyperDriveRun = HyperDriveRun._made(experiment, sweep, None)
    run._given_config = config
    return run


def start_script(experiment: Experiment, config: ScriptRunConfig, name: str = "") -> ScriptRun:
    """Begins a single run: a sweep of one, which draws nothing."""
    program = config._program(experiment.name)
    program.append_parameters = False
    sweep = Sweep({"run": _space.choice(0)}, metric="none", goal="maximize", max_total_runs=1,
                  stop_without_primary_metric=False, name=name, **_program_options(program, experiment))
    begin(sweep, program, "script")
    run: ScriptRun = ScriptRun._made(experiment, sweep, 0)
    return run
