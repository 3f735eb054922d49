# SPDX-License-Identifier: Apache-2.0
"""Runs: as an objective sees its own, and as ask and tell hand them out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable, NoReturn

from ._errors import ConfigError, HdriveError, RunStopped, printable

if TYPE_CHECKING:
    from ._sweep import Sweep

__all__ = ["AskedRun", "Folders", "Run", "refuse_copy"]


def refuse_copy(what: str) -> NoReturn:
    """A run is read from its sweep, which is in this process."""
    raise TypeError(f"a {what} belongs to its sweep and cannot be copied or pickled; take what is wanted of it, such as "
                    "run.params and run.value, or open the sweep elsewhere by hdrive.load(sweep.id)")


class Folders:
    """Where a run's files go."""

    def __init__(self, directory: str | Callable[[], str]) -> None:
        self._directory = directory  # a function: it is not made before it is wanted

    def _folder(self, name: str) -> str:
        path = os.path.join(self._directory if isinstance(self._directory, str) else self._directory(), name)
        os.makedirs(path, exist_ok=True)
        return path

    @property
    def outputs_dir(self) -> str:
        """Where to write what is to be kept, such as the model. It exists. Of a sweep in memory a temporary folder."""
        return self._folder("outputs")

    @property
    def logs_dir(self) -> str:
        """Where to write logs. It exists."""
        return self._folder("logs")

    @property
    def checkpoint_dir(self) -> str:
        """Where to save what another attempt of this run goes on from. It exists, and is kept over attempts."""
        return self._folder("checkpoints")


class Run(Folders):
    """A run as its objective sees it.

    `number` counts from 0, `params` are its parameters by name, `attempt` is 1 or more where it was tried before,
    `slot` says which of the max_concurrent_runs places it has. `resume_from` is the folder with the outputs of the
    earlier run that this one goes on from (`Sweep(resume_child_runs=...)`), the path that a script is told by
    `--resume-from`; None where it goes on from none, and of a sweep in memory.

        def train(run, params):
            if run.resume_from:
                model.load(os.path.join(run.resume_from, "model"))
            for epoch in range(10):
                run.log("loss", params["lr"] / (1 + epoch), epoch)
            with open(os.path.join(run.outputs_dir, "model"), "w") as file:
                file.write("...")
    """

    def __init__(self, handle: Any, metric: str, directory: str | Callable[[], str], raise_on_stop: bool) -> None:
        super().__init__(directory)
        self._handle = handle
        self._metric = metric
        self._raise_on_stop = raise_on_stop
        self.number: int = handle.number
        self.attempt: int = handle.attempt
        self.slot: int = handle.slot
        self.resume_from: str | None = handle.resume_from or None
        self.params: dict[str, Any] = handle.params

    def log(self, name: str | Mapping[str, Any], value: Any = None, step: int | None = None) -> None:
        """Logs a metric, or several given as a dict, then with the step behind it. `value` is anything that float()
        takes but text: NumPy and torch scalars, NaN and infinity included; `step` is an epoch or a batch, as you
        count.

        Of the sweep's primary metric it returns once the policy has looked at the report. Raises RunStopped where the
        run is to stop, unless the sweep runs with raise_on_stop=False: see `stop_requested` then. Raises TypeError
        for what is no number, HdriveError once the run is over.

            for epoch in range(100):
                run.log("accuracy", train_one_epoch(), epoch)
        """
        if isinstance(name, str):
            if not name:
                raise ConfigError("a metric needs a name")
            self._report(name, value, step)
            primary = name == self._metric
        elif isinstance(name, Mapping):
            if value is not None and step is not None:
                raise TypeError("of several metrics the values are in the dict; behind it stands the step alone")
            for each, number in name.items():
                if not isinstance(each, str) or not each:
                    raise TypeError(f"a metric's name is a str, not {each!r}")
                self._report(each, number, value if step is None else step)
            primary = self._metric in name
        else:
            raise TypeError(f"wanted is a metric's name, or a dict of metrics; not a {type(name).__name__}")
        goes_on = self._handle.await_verdict() if primary else not self._handle.stop_requested
        if not goes_on and self._raise_on_stop:
            raise RunStopped(f"run {self.number} is to stop")

    def _report(self, name: str, value: Any, step: int | None) -> None:
        if not self._handle.report(name, value, step):
            raise HdriveError(f"run {self.number} is over; it takes no more reports")

    @property
    def stop_requested(self) -> bool:
        """Whether the run is to stop: return soon then, whatever is returned."""
        return bool(self._handle.stop_requested)

    def __repr__(self) -> str:
        return f"<Run {self.number}: {self.params}>"


class AskedRun:
    """A run handed out by `Sweep.ask`: train with its `params` and tell how it went.

    As a context manager it is told to have failed where an exception leaves the block, and to be done with what it
    reported where none does and nothing was told.

        with sweep.ask() as run:
            for epoch in range(10):
                if run.report(train_one_epoch(**run.params), epoch):
                    break
    """

    def __init__(self, sweep: Sweep, number: int, params: dict[str, Any], reason: str, attempt: int) -> None:
        self._sweep = sweep
        self._told = False
        self.number = number
        self.params = params
        #: Why the sampler chose these parameters.
        self.reason = reason
        #: 2 or more for a run that an earlier process asked for and never told.
        self.attempt = attempt
        #: What the policy said last.
        self.verdict = ""

    def report(self, value: Any, step: int | None = None) -> bool:
        """One report of the primary metric on the way. Whether the run is to stop; it is still to be told then, and
        counts as stopped early however that is done.

            if run.report(loss, epoch):
                break
        """
        stop, self.verdict = self._sweep._study().report(self.number, value, step)
        return bool(stop)

    def tell(self, value: Any) -> None:
        """The run is done with this value of the primary metric."""
        self._sweep.tell(self, value)

    def fail(self, why: str = "") -> None:
        """The run has failed."""
        self._sweep.fail(self, why)

    def __enter__(self) -> AskedRun:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if self._told:
            return
        if kind is None:
            self._sweep.complete(self)
        elif issubclass(kind, RunStopped):
            self._sweep._stopped(self)
        else:
            self._sweep.fail(self, f"{kind.__name__}: {printable(error)}")

    def __repr__(self) -> str:
        return f"<AskedRun {self.number}: {self.params}>"
