# SPDX-License-Identifier: Apache-2.0
"""Reports what a Trainer of transformers logs to a run, and stops the training where the run is to stop.

    from hdrive.integrations.transformers import HdriveCallback

    def train(run, params):
        trainer = Trainer(model, arguments, ..., callbacks=[HdriveCallback(run, {"eval_accuracy": "accuracy"})])
        trainer.train()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._common import missing
from ._report import Reporter

try:
    from transformers import TrainerCallback
except ImportError as error:
    missing("transformers", "transformers", error)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["HdriveCallback"]


class HdriveCallback(TrainerCallback):  # type: ignore[misc]
    """Reports all that the trainer logs, evaluations (`eval_loss`, ...) and training (`loss`, ...), with the number of
    optimizer steps as step.

    `run` is what the objective got, or what `Sweep.ask` gave; left out in a script that hdrive started. `metrics`
    are the names to be reported, or a dict from these to what the sweep calls them; None for all. Where the run is to
    stop, `train` returns after the step. Of several processes the first reports; start them as a command of hdrive,
    which stops all of them, and not from an objective. Names that never came are warned of.

    >>> trainer.add_callback(HdriveCallback(run, ["eval_loss"]))
    """

    def __init__(self, run: Any = None, metrics: Iterable[str] | Mapping[str, str] | None = None) -> None:
        self._report = Reporter(run, metrics)

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """The trainer calls it."""
        if state.is_world_process_zero and self._report(logs or {}, state.global_step):
            control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The trainer calls it."""
        if state.is_world_process_zero:
            self._report.finish()
