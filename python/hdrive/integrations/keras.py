# SPDX-License-Identifier: Apache-2.0
"""Reports Keras's epochs to a run, and stops the training where the run is to stop.

    from hdrive.integrations.keras import HdriveCallback

    def train(run, params):
        model.fit(x, y, validation_split=0.2, epochs=50, callbacks=[HdriveCallback(run, {"val_accuracy": "accuracy"})])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._common import missing
from ._report import Reporter

try:
    import keras
except ImportError as error:
    missing("keras", "keras", error)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["HdriveCallback"]


class HdriveCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports an epoch's logs, with the epoch from 0 on as step.

    `run` is what the objective got, or what `Sweep.ask` gave; left out in a script that hdrive started. `metrics`
    are the names to be reported, or a dict from these to what the sweep calls them; None for all. Where the run is to
    stop, training ends after the epoch and `fit` returns. Names that never came are warned of.

    >>> model.fit(x, y, epochs=3, callbacks=[HdriveCallback(run, ["loss"])], verbose=0)
    <...History...>
    """

    def __init__(self, run: Any = None, metrics: Iterable[str] | Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._report = Reporter(run, metrics)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Keras calls it."""
        if self._report(logs or {}, epoch):
            self.model.stop_training = True

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Keras calls it."""
        self._report.finish()
