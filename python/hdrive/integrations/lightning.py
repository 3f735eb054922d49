# SPDX-License-Identifier: Apache-2.0
"""Reports Lightning's epochs to a run, and stops the training where the run is to stop.

    from hdrive.integrations.lightning import HdriveCallback

    def train(run, params):
        trainer = lightning.Trainer(max_epochs=50, callbacks=[HdriveCallback(run, {"val_acc": "accuracy"})])
        trainer.fit(Model(**params), data)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._errors import ConfigError
from ._common import missing
from ._report import Reporter

try:
    from lightning.pytorch.callbacks import Callback
except ModuleNotFoundError as error:
    if not error.name or error.name.split(".")[0] != "lightning":
        raise
    try:
        from pytorch_lightning.callbacks import Callback  # type: ignore[assignment,no-redef]
    except ImportError:
        missing("lightning", "lightning", error)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["HdriveCallback"]


class HdriveCallback(Callback):  # type: ignore[misc]
    """Reports what the module has logged (`self.log`), at the end of each training epoch with the epoch from 0 on as
    step, or with `at="validation"` after each validation with the number of optimizer steps.

    `run` is what the objective got, or what `Sweep.ask` gave; left out in a script that hdrive started. `metrics`
    are the names to be reported, or a dict from these to what the sweep calls them; None for all. Where the run is to
    stop, `trainer.should_stop` is set and `fit` returns. Of several processes the first reports, and all stop. Names
    that never came are warned of.

    >>> trainer = Trainer(max_epochs=3, callbacks=[HdriveCallback(run, ["val_loss"], at="validation")])
    """

    def __init__(self, run: Any = None, metrics: Iterable[str] | Mapping[str, str] | None = None,
                 at: str = "epoch") -> None:
        super().__init__()
        if at not in ("epoch", "validation"):
            raise ConfigError(f'at: {at!r} is none; allowed: "epoch", "validation"')
        self._at = at
        self._report = Reporter(run, metrics)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Lightning calls it."""
        if self._at == "epoch":
            self._look(trainer, trainer.current_epoch)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Lightning calls it."""
        if self._at == "validation" and not trainer.sanity_checking:
            self._look(trainer, trainer.global_step)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Lightning calls it."""
        if trainer.is_global_zero:
            self._report.finish()

    def _look(self, trainer: Any, step: int) -> None:
        stop = trainer.is_global_zero and self._report(trainer.callback_metrics, step)
        if trainer.strategy.reduce_boolean_decision(stop, all=False):
            trainer.should_stop = True
