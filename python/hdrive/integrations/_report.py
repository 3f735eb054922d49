# SPDX-License-Identifier: Apache-2.0
"""From a framework's metrics to a run, whatever kind of run it is."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._errors import ConfigError, RunStopped
from .._run import AskedRun

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Reporter"]


class Reporter:
    """Reports metrics to `run`: what an objective got, what `Sweep.ask` gave, the module hdrive_run or anything with
    its `log(name, value, step)`; None in a script that hdrive started.

    `metrics` are the names to be reported, or a dict from these to what they are to be called; None for all.

    >>> Reporter(run, {"val_loss": "loss"})({"val_loss": 0.5, "val_accuracy": 0.9}, step=3)
    False
    """

    def __init__(self, run: Any, metrics: Iterable[str] | Mapping[str, str] | None) -> None:
        self._run = self._script() if run is None else run
        if run is not None and not isinstance(run, AskedRun) and not callable(getattr(run, "log", None)):
            raise ConfigError(f"run: wanted is the run of an objective or of Sweep.ask, not a {type(run).__name__}")
        if isinstance(metrics, str):
            raise ConfigError(f"metrics: wanted is a list or a dict of names: [{metrics!r}]")
        self._names: dict[str, str] | None = None
        if metrics is not None:
            self._names = dict(metrics) if isinstance(metrics, Mapping) else {name: name for name in metrics}
        self._missing = set(self._names or ())
        self._seen: dict[str, None] = {}

    @staticmethod
    def _script() -> Any:
        """hdrive_run, which is on the path of every script that hdrive starts."""
        try:
            import hdrive_run
        except ImportError:
            return None
        return hdrive_run

    def __call__(self, found: Mapping[str, Any], step: int | None = None) -> bool:
        """Whether the training is to stop."""
        self._seen.update(dict.fromkeys(found))
        self._missing.difference_update(found)
        if self._names is None:
            chosen = {name: value for name, value in found.items() if _is_number(value)}
        else:
            chosen = {called: found[name] for name, called in self._names.items() if name in found}
        if self._run is None or not chosen:
            return False
        if isinstance(self._run, AskedRun):
            primary = self._run._sweep.metric
            return primary in chosen and self._run.report(chosen[primary], step)
        if not hasattr(self._run, "stop_requested"):  # a script, which is stopped by a signal
            for name, value in chosen.items():
                self._run.log(name, value, step)
            return False
        try:
            self._run.log(chosen, step=step)
        except RunStopped:
            return True
        return bool(self._run.stop_requested)

    def finish(self) -> None:
        """Warns of names that were never seen."""
        if self._missing:
            warnings.warn(f"nothing was reported of {', '.join(sorted(self._missing))}; there were: "
                          f"{', '.join(self._seen) or 'no metrics at all'}", UserWarning, stacklevel=3)


def _is_number(value: Any) -> bool:
    if isinstance(value, (str, bytes)):
        return False
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
