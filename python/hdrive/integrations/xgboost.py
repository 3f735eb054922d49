# SPDX-License-Identifier: Apache-2.0
"""Reports XGBoost's iterations to a run, and stops the training where the run is to stop.

    from hdrive.integrations.xgboost import HdriveCallback

    def train(run, params):
        xgboost.train(params, data, 200, evals=[(held_out, "valid")],
                      callbacks=[HdriveCallback(run, {"valid-rmse": "loss"})])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._common import missing
from ._report import Reporter

try:
    from xgboost.callback import TrainingCallback
except ImportError as error:
    missing("xgboost", "xgboost", error)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["HdriveCallback"]


class HdriveCallback(TrainingCallback):  # type: ignore[misc]
    """Reports the evaluations after each iteration, as DATA-METRIC ("validation_0-rmse" with the estimators of
    scikit-learn's kind; of `xgboost.cv` the mean over the folds), with the iteration from 0 on as step.

    `run` is what the objective got, or what `Sweep.ask` gave; left out in a script that hdrive started. `metrics`
    are the names to be reported, or a dict from these to what the sweep calls them; None for all. Where the run is to
    stop, training returns with the trees it has. Names that never came are warned of.

    >>> XGBRegressor(callbacks=[HdriveCallback(run, {"validation_0-rmse": "loss"})])
    XGBRegressor(...)
    """

    def __init__(self, run: Any = None, metrics: Iterable[str] | Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._report = Reporter(run, metrics)

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Mapping[str, Any]]) -> bool:
        """XGBoost calls it. Whether the training is to stop."""
        found = {f"{data}-{metric}": _last(values) for data, metrics in evals_log.items()
                 for metric, values in metrics.items()}
        return self._report(found, epoch)

    def after_training(self, model: Any) -> Any:
        """XGBoost calls it."""
        self._report.finish()
        return model


def _last(values: Any) -> Any:
    last = values[-1]
    return last[0] if isinstance(last, tuple) else last  # of several folds the mean and the deviation
