# SPDX-License-Identifier: Apache-2.0
"""Kept: what a sweep is, and where it is kept. The parts of Sweep derive from it."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Literal, cast

from . import _core, _specification
from ._errors import HdriveError, SweepLocked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._handle import Handle
    from ._sweep import Sweep

__all__ = ["MEMORY", "Goal", "Kept"]

MEMORY = ":memory:"

Goal = Literal["minimize", "maximize"]


class Kept:
    """A sweep, made or opened: its specification, its identity, what keeps it."""

    def _set_up(self, spec: _core.Spec, kept: Any, home_directory: str, sampler: Any, policy: Any,
                listeners: Iterable[Any]) -> None:
        self._first_spec = spec
        #: What its commands are to run in, made real when the first one starts.
        self._surroundings: _core.Surroundings | None = None
        self._kept = kept
        self._home = home_directory
        self._sampler = sampler
        self._policy = policy
        self._listeners = _specification.listeners(listeners)
        self._asking: Any = None
        self._engine: Handle | None = None
        self._temporary: Any = None
        self._lock = threading.RLock()
        self._process = os.getpid()

    def _sweep(self) -> Any:
        """The kept sweep, made when it is first needed."""
        with self._lock:
            if self._kept is None:
                self._kept = _core.KeptSweep.make(self._first_spec, "" if self._home == MEMORY else self._home)
            return self._kept

    def _discard(self) -> None:
        """Takes back a sweep that was made and never began."""
        directory, self._kept = self.directory, None
        if directory is not None:
            import shutil
            shutil.rmtree(directory, ignore_errors=True)

    @property
    def _view(self) -> Any:
        return self._sweep().view

    def _entry(self) -> dict[str, Any]:
        entry: dict[str, Any] = self._view.entry()
        return entry

    @property
    def _spec(self) -> _core.Spec:
        """As it holds now."""
        return self._first_spec if self._kept is None else self._kept.spec()

    @property
    def id(self) -> str:
        """HD_<uuid>; empty before the sweep has begun."""
        return "" if self._kept is None else str(self._kept.id)

    @property
    def name(self) -> str:
        """What it is addressed by; may be empty."""
        return self._first_spec.name

    @property
    def metric(self) -> str:
        """The name of the primary metric."""
        return self._first_spec.primary_metric

    @property
    def goal(self) -> Goal:
        """minimize or maximize."""
        return self._first_spec.goal

    @property
    def seed(self) -> int:
        """What all random choices follow from."""
        return self._first_spec.seed

    @property
    def directory(self) -> str | None:
        """Where it is kept; None in memory, or before it has begun."""
        return None if self._kept is None or self._home == MEMORY else str(self._kept.directory)

    @property
    def status(self) -> str:
        """Running, Paused, Completed, Failed, Canceled; NotStarted before it has begun."""
        if self._kept is None:
            return "NotStarted"
        return str(self._entry()["status"])

    @property
    def reason(self) -> str:
        """Why it ended, or is paused; a sentence."""
        return "" if self._kept is None else str(self._entry()["reason"])

    def _run_directory(self, number: int) -> str:
        kept = self.directory
        if kept is not None:
            return os.path.join(kept, "runs", str(number))
        if self._temporary is None:
            import tempfile
            self._temporary = tempfile.TemporaryDirectory(prefix="hdrive-")
        return os.path.join(self._temporary.name, str(number))

    def _check_free(self) -> None:
        self._check_process()
        if self._engine is not None and not self._engine.done:
            raise SweepLocked("this sweep is running already; wait for its handle, or stop it")
        if self._asking is not None:
            raise SweepLocked("runs of this sweep are being asked for; close() it first")

    def _check_process(self) -> None:
        if self._process != os.getpid():
            raise HdriveError(f"this sweep belongs to process {self._process}, of which this one is a fork; "
                              "hdrive.load reads it here")

    @property
    def _whole(self) -> Sweep:
        """Itself, as those know it whom it is handed to."""
        return cast("Sweep", self)
