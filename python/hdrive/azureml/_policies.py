# SPDX-License-Identifier: Apache-2.0
"""The early-termination policies of azureml.train.hyperdrive, and the goal."""

from __future__ import annotations

import enum
from typing import Any

from .. import _algorithms
from ._errors import UserErrorException
from ._settings import count

__all__ = ["BanditPolicy", "EarlyTerminationPolicy", "MedianStoppingPolicy", "NoTerminationPolicy",
           "PrimaryMetricGoal", "TruncationSelectionPolicy", "as_goal", "as_policy"]


class PrimaryMetricGoal(enum.Enum):
    """Whether the best value of the primary metric is the greatest or the least."""

    MAXIMIZE = "MAXIMIZE"
    MINIMIZE = "MINIMIZE"

    @staticmethod
    def from_str(goal: str) -> PrimaryMetricGoal:
        """The goal of this name, in any case."""
        return as_goal(goal)


def as_goal(given: Any) -> PrimaryMetricGoal:
    """A goal, or the name of one in any case."""
    if isinstance(given, PrimaryMetricGoal):
        return given
    if isinstance(given, str) and given.upper() in ("MAXIMIZE", "MINIMIZE"):
        return PrimaryMetricGoal(given.upper())
    raise UserErrorException(f"primary_metric_goal: {given!r} is none; allowed: PrimaryMetricGoal.MAXIMIZE, "
                             "PrimaryMetricGoal.MINIMIZE")


class EarlyTerminationPolicy:
    """The base: looks at a run at every `evaluation_interval`-th report of the primary metric, from the
    `delay_evaluation`-th on."""

    def __init__(self, evaluation_interval: int = 1, delay_evaluation: int = 0) -> None:
        name = type(self).__name__
        self.evaluation_interval = count(f"{name}: evaluation_interval", evaluation_interval, 0)
        self.delay_evaluation = count(f"{name}: delay_evaluation", delay_evaluation, 0)

    def _native(self) -> Any:
        """What hdrive.Sweep takes as its policy."""
        return None

    def to_json(self) -> dict[str, Any]:
        """Name and properties."""
        return {"name": type(self).__name__.replace("Policy", ""),
                "properties": {name: value for name, value in vars(self).items() if value is not None}}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{n}={v!r}' for n, v in vars(self).items() if v is not None)})"


class BanditPolicy(EarlyTerminationPolicy):
    """Stops a run whose best report is behind the best of any run at that interval by more than the slack:
    `slack_factor` as a ratio or `slack_amount`, one of the two.

    >>> BanditPolicy(slack_factor=0.1, evaluation_interval=1, delay_evaluation=5)
    BanditPolicy(evaluation_interval=1, delay_evaluation=5, slack_factor=0.1)
    """

    def __init__(self, evaluation_interval: int = 1, slack_factor: float | None = None,
                 slack_amount: float | None = None, delay_evaluation: int = 0) -> None:
        super().__init__(evaluation_interval, delay_evaluation)
        if (slack_factor is None) == (slack_amount is None):
            raise UserErrorException("BanditPolicy: one of slack_factor and slack_amount is wanted, "
                                     f"{'not both' if slack_factor is not None else 'and neither is given'}")
        slack = slack_factor if slack_factor is not None else slack_amount
        if isinstance(slack, bool) or not isinstance(slack, (int, float)) or not slack >= 0:
            raise UserErrorException(f"BanditPolicy: a slack is a number from 0 on, not {slack!r}")
        self.slack_factor = slack_factor
        self.slack_amount = slack_amount

    def _native(self) -> Any:
        return _algorithms.Bandit(self.slack_factor, self.slack_amount, self.evaluation_interval,
                                  self.delay_evaluation)


class MedianStoppingPolicy(EarlyTerminationPolicy):
    """Stops a run whose best report is worse than the median of the other runs' averages up to that interval."""

    def _native(self) -> Any:
        return _algorithms.MedianStopping(self.evaluation_interval, self.delay_evaluation)


class TruncationSelectionPolicy(EarlyTerminationPolicy):
    """Stops the worst `truncation_percentage` percent (1 to 99) of the runs at each interval;
    `exclude_finished_jobs` ranks those alone that have not ended."""

    def __init__(self, truncation_percentage: int, evaluation_interval: int = 1, delay_evaluation: int = 0,
                 exclude_finished_jobs: bool = False) -> None:
        super().__init__(evaluation_interval, delay_evaluation)
        self.truncation_percentage = count("TruncationSelectionPolicy: truncation_percentage", truncation_percentage)
        if self.truncation_percentage > 99:
            raise UserErrorException(f"TruncationSelectionPolicy: truncation_percentage is from 1 to 99, not "
                                     f"{truncation_percentage}")
        self.exclude_finished_jobs = bool(exclude_finished_jobs)

    def _native(self) -> Any:
        return _algorithms.TruncationSelection(self.truncation_percentage, self.evaluation_interval,
                                               self.delay_evaluation, self.exclude_finished_jobs)


class NoTerminationPolicy(EarlyTerminationPolicy):
    """Stops nothing; the default."""

    def __init__(self) -> None:
        super().__init__()


def as_policy(given: Any) -> EarlyTerminationPolicy:
    """A policy, or NoTerminationPolicy for None."""
    if given is None:
        return NoTerminationPolicy()
    if isinstance(given, EarlyTerminationPolicy):
        return given
    raise UserErrorException(f"policy: {given!r} is none; allowed: BanditPolicy(...), MedianStoppingPolicy(...), "
                             "TruncationSelectionPolicy(...), NoTerminationPolicy()")
