# SPDX-License-Identifier: Apache-2.0
"""HyperDriveConfig: what a sweep is to be."""

from __future__ import annotations

import os
from typing import Any

from ._compute import slots_of
from ._errors import UserErrorException
from ._policies import as_goal, as_policy
from ._runconfig import Program, ScriptRunConfig
from ._runs import Run
from ._settings import Settings, count, ignored, not_built
from ._space import HyperParameterSampling

__all__ = ["HyperDriveConfig", "HyperDriveRunConfig"]

_SEVEN_DAYS = 10080
_MOST_PARENTS = 5


class HyperDriveConfig(Settings):
    """A sweep: the space and how to draw from it, the metric, the budget, and the script in `run_config` (a
    ScriptRunConfig) or `estimator`.

        HyperDriveConfig(run_config=src, hyperparameter_sampling=RandomParameterSampling({"--lr": loguniform(-6, -1)}),
                         policy=BanditPolicy(slack_factor=0.1), primary_metric_name="accuracy",
                         primary_metric_goal=PrimaryMetricGoal.MAXIMIZE, max_total_runs=20, max_concurrent_runs=4)

    Without `max_concurrent_runs` as many runs go on at once as this machine has processors.
    """

    def __init__(self, hyperparameter_sampling: HyperParameterSampling, primary_metric_name: str,
                 primary_metric_goal: Any, max_total_runs: int, max_concurrent_runs: int | None = None,
                 max_duration_minutes: float = _SEVEN_DAYS, policy: Any = None, estimator: Any = None,
                 run_config: Any = None, resume_from: Any = None, resume_child_runs: Any = None, pipeline: Any = None,
                 debug_flag: Any = None, custom_run_id: Any = None) -> None:
        given = {"estimator": estimator, "run_config": run_config, "pipeline": pipeline}
        named = [name for name, value in given.items() if value is not None]
        if len(named) != 1:
            raise UserErrorException("HyperDriveConfig: exactly one of run_config, estimator and pipeline is wanted, "
                                     f"not {' and '.join(named) or 'none'}")
        if pipeline is not None:
            raise not_built("HyperDriveConfig: pipeline", "a sweep is of a script: run_config=ScriptRunConfig(...)")
        if not isinstance(hyperparameter_sampling, HyperParameterSampling):
            raise UserErrorException("hyperparameter_sampling: RandomParameterSampling, GridParameterSampling or "
                                     "BayesianParameterSampling is wanted, not a "
                                     f"{type(hyperparameter_sampling).__name__}")
        if not isinstance(primary_metric_name, str) or not primary_metric_name:
            raise UserErrorException("primary_metric_name: the name of a metric is wanted, not "
                                     f"{primary_metric_name!r}")
        self.hyperparameter_sampling = hyperparameter_sampling
        self.primary_metric_name = primary_metric_name
        self.primary_metric_goal = as_goal(primary_metric_goal)
        self.max_total_runs = count("max_total_runs", max_total_runs)
        self.max_concurrent_runs = None if max_concurrent_runs is None else count("max_concurrent_runs",
                                                                                  max_concurrent_runs)
        if isinstance(max_duration_minutes, bool) or not isinstance(max_duration_minutes, (int, float)) \
                or not max_duration_minutes > 0:
            raise UserErrorException(f"max_duration_minutes: a number above 0 is wanted, not {max_duration_minutes!r}")
        self.max_duration_minutes = max_duration_minutes
        self.policy = as_policy(policy)
        self.estimator = estimator
        self.run_config = run_config
        self.resume_from = _parents(resume_from)
        self.resume_child_runs = _children(resume_child_runs)
        self.seed: int | None = None
        ignored("HyperDriveConfig", {"debug_flag": debug_flag, "custom_run_id": custom_run_id},
                "they are of Azure's own service")
        self._seal()

    def _script(self) -> ScriptRunConfig:
        from ._estimator import MMLBaseEstimator
        source = self.estimator if self.estimator is not None else self.run_config
        if isinstance(source, MMLBaseEstimator):
            return source._script()
        if not isinstance(source, ScriptRunConfig):
            raise UserErrorException(f"run_config: a ScriptRunConfig is wanted, not a {type(source).__name__}")
        return source

    def _program(self, experiment: str) -> Program:
        return self._script()._program(experiment)

    def _concurrent(self, program: Program) -> int:
        """As given, else as many as the place has room for."""
        room = slots_of(program.target, program.source_directory) or os.cpu_count() or 1
        return self.max_concurrent_runs or min(self.max_total_runs, room)

    def _earlier(self) -> dict[str, Any]:
        """What the sweep takes over, as Sweep takes it."""
        return {"resume_from": [str(parent._sweep.directory) for parent in self.resume_from],
                "resume_child_runs": [f"{child._sweep.directory}/{child.number}" for child in self.resume_child_runs]}


def _parents(given: Any) -> list[Any]:
    if given is None:
        return []
    parents = list(given) if isinstance(given, (list, tuple)) else [given]
    if len(parents) > _MOST_PARENTS:
        raise UserErrorException(f"resume_from: {len(parents)} sweeps are given; up to {_MOST_PARENTS} are allowed")
    for parent in parents:
        if not hasattr(parent, "get_best_run_by_primary_metric"):
            raise UserErrorException(f"resume_from: a HyperDriveRun is wanted, not a {type(parent).__name__}")
    return parents


def _children(given: Any) -> list[Any]:
    if given is None:
        return []
    children = list(given) if isinstance(given, (list, tuple)) else [given]
    for child in children:
        if not isinstance(child, Run) or getattr(child, "number", None) is None:
            raise UserErrorException("resume_child_runs: runs of earlier sweeps are wanted, not a "
                                     f"{type(child).__name__}")
    return children


class HyperDriveRunConfig(HyperDriveConfig):
    """The older name, with the estimator first."""

    def __init__(self, estimator: Any, hyperparameter_sampling: HyperParameterSampling, primary_metric_name: str,
                 primary_metric_goal: Any, max_total_runs: int, max_concurrent_runs: int | None = None,
                 max_duration_minutes: float = _SEVEN_DAYS, policy: Any = None) -> None:
        super().__init__(hyperparameter_sampling, primary_metric_name, primary_metric_goal, max_total_runs,
                         max_concurrent_runs, max_duration_minutes, policy, estimator)
