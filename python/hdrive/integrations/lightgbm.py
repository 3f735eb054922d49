# SPDX-License-Identifier: Apache-2.0
"""Reports LightGBM's iterations to a run, and stops the training where the run is to stop.

    from hdrive.integrations.lightgbm import HdriveCallback

    def train(run, params):
        lightgbm.train(params, data, 200, valid_sets=[held_out], valid_names=["valid"],
                       callbacks=[HdriveCallback(run, {"valid-l2": "loss"})])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._common import missing
from ._report import Reporter

try:
    from lightgbm.callback import EarlyStopException
except ImportError as error:
    missing("lightgbm", "lightgbm", error)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["HdriveCallback"]


class HdriveCallback:
    """Reports the evaluations after each iteration, as DATA-METRIC ("valid_0-l2" where the data has no name; of
    `lightgbm.cv` "valid-l2", the mean over the folds), with the iteration from 0 on as step.

    `run` is what the objective got, or what `Sweep.ask` gave; left out in a script that hdrive started. `metrics`
    are the names to be reported, or a dict from these to what the sweep calls them; None for all. Where the run is to
    stop, training returns with the trees it has, as after LightGBM's own early stopping. Names that never came are
    warned of, unless training ended before its last iteration.

    >>> LGBMRegressor(verbosity=-1).fit(x, y, eval_set=[(x, y)], callbacks=[HdriveCallback(run, ["training-l2"])])
    LGBMRegressor(verbosity=-1)
    """

    # After the evaluations are printed and recorded, before early stopping (30) may end all.
    order = 25
    before_iteration = False

    def __init__(self, run: Any = None, metrics: Iterable[str] | Mapping[str, str] | None = None) -> None:
        self._report = Reporter(run, metrics)

    def __call__(self, env: Any) -> None:
        """LightGBM calls it."""
        results = env.evaluation_result_list or []
        if self._report({_name(*result[:2]): result[2] for result in results}, env.iteration):
            raise EarlyStopException(env.iteration, results)
        if env.iteration + 1 == env.end_iteration:
            self._report.finish()


def _name(data: str, metric: str) -> str:
    # Older versions call the folds of a cross-validation "cv_agg", with "valid l2" for the metric.
    return metric.replace(" ", "-", 1) if data == "cv_agg" else f"{data}-{metric}"
