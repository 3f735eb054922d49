# SPDX-License-Identifier: Apache-2.0
"""Runs as they are read: one with what it logged, and all of a sweep as a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, overload

from ._errors import ConfigError, NotFoundError
from ._run import Folders, refuse_copy
from ._specification import text as given_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    import numpy

    from . import _core
    from ._sweep import Sweep

__all__ = ["Metrics", "Runs", "StoredRun"]


class Metrics:
    """The metrics of a run by name, each as an array of its values in the order logged.

        run.metrics["loss"].min()
    """

    def __init__(self, view: Any, stored: _core.StoredRun) -> None:
        self._view = view
        self._number = stored.number
        self._names = [figures.name for figures in stored.metrics]

    def __getitem__(self, name: str) -> numpy.ndarray[Any, Any]:
        if name not in self._names:
            raise KeyError(f"run {self._number} has logged no {name!r}; it has: {', '.join(self._names) or 'none'}")
        values: numpy.ndarray[Any, Any] = self._view.series(self._number, name)[0]
        return values

    def steps(self, name: str) -> numpy.ndarray[Any, Any]:
        """The steps of a metric's values; NaN for those logged without."""
        self[name]
        steps: numpy.ndarray[Any, Any] = self._view.series(self._number, name)[1]
        return steps

    def times(self, name: str) -> numpy.ndarray[Any, Any]:
        """When each of a metric's values was logged, in seconds since the Unix epoch."""
        self[name]
        times: numpy.ndarray[Any, Any] = self._view.series(self._number, name)[2]
        return times

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def get(self, name: str, default: Any = None) -> Any:
        """The values of a metric; `default` where the run has logged none of that name."""
        return self[name] if name in self._names else default

    def keys(self) -> list[str]:
        """The metrics' names."""
        return list(self._names)

    def items(self) -> list[tuple[str, numpy.ndarray[Any, Any]]]:
        """Names and values."""
        return [(name, self[name]) for name in self._names]

    def __repr__(self) -> str:
        return f"<Metrics: {', '.join(self._names) or 'none'}>"


class StoredRun(Folders):
    """A run as it was when it was read.

    >>> run = sweep.run(train).runs[0]
    >>> run.number, run.status, run.cause
    (0, 'Completed', 'exited')
    >>> len(run.metrics["loss"])
    1
    """

    def __init__(self, sweep: Sweep, stored: _core.StoredRun) -> None:
        super().__init__(lambda: sweep._run_directory(stored.number))
        self._sweep = sweep
        self._stored = stored

    @property
    def number(self) -> int:
        """Its number in the sweep, from 0 in the order of proposals."""
        return self._stored.number

    @property
    def id(self) -> str:
        """HD_<uuid>_<number>, as the command calls it."""
        return f"{self._sweep.id}_{self.number}"

    @property
    def params(self) -> dict[str, Any]:
        """Its parameters by name; of conditional ones only those that exist in this set."""
        return self._stored.params

    @property
    def status(self) -> str:
        """Queued, Running, Completed, Failed or Canceled."""
        return self._stored.status

    @property
    def cause(self) -> str | None:
        """What ended it: exited, policy, user, time_limit, lost, ...; None while it goes on."""
        return self._stored.cause

    @property
    def value(self) -> float | None:
        """The best value of the primary metric that it reported; None where it reported none that is finite."""
        return self._stored.best(self._sweep.metric, self._sweep.goal)

    @property
    def metrics(self) -> Metrics:
        """All it logged, by name, as arrays."""
        return Metrics(self._sweep._view, self._stored)

    @property
    def reason(self) -> str:
        """Why it ended as it did, a sentence."""
        return self._stored.reason

    @property
    def proposal(self) -> str:
        """Why the sampler chose its parameters, a sentence."""
        return self._stored.proposal

    @property
    def error(self) -> str:
        """Of a failed run the traceback, or the last lines of stderr."""
        return self._stored.error

    @property
    def exit_code(self) -> int | None:
        """Of a command's run that exited."""
        return self._stored.exit_code

    @property
    def attempt(self) -> int:
        """1, or more where it was tried again."""
        return self._stored.attempt

    @property
    def slot(self) -> int | None:
        """Which of the max_concurrent_runs places it has or had."""
        return self._stored.slot

    @property
    def created(self) -> datetime | None:
        """When its parameters were drawn."""
        return _moment(self._stored.created)

    @property
    def started(self) -> datetime | None:
        """When it began, its latest attempt."""
        return _moment(self._stored.started)

    @property
    def ended(self) -> datetime | None:
        """When it ended."""
        return _moment(self._stored.ended)

    @property
    def duration(self) -> timedelta | None:
        """How long it took; None before it has ended."""
        started, ended = self.started, self.ended
        return None if started is None or ended is None else ended - started

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoredRun) and (self.id, self.attempt) == (other.id, other.attempt)

    def __hash__(self) -> int:
        return hash((self.id, self.attempt))

    def __reduce__(self) -> NoReturn:
        refuse_copy("run")

    def __repr__(self) -> str:
        value = self.value
        return f"<Run {self.number}: {self.status}, {self._sweep.metric} {'-' if value is None else f'{value:g}'}, " \
               f"{self.params}>"

    def _repr_html_(self) -> str:
        from ._html import run_html
        return run_html(self)


def _moment(seconds: float | None) -> datetime | None:
    if seconds is None:
        return None
    from datetime import datetime, timezone
    return datetime.fromtimestamp(seconds, timezone.utc)


class Runs:
    """The runs of a sweep, read in pages as they are needed: a sequence that can be sliced, filtered and sorted.

        sweep.runs[0].params
        sweep.runs.filter(status="Completed").sort("best")[:10]
        [run.value for run in sweep.runs]
    """

    _PAGE = 512

    def __init__(self, sweep: Sweep, statuses: tuple[str, ...] = (), text: str = "",
                 order: tuple[str, str, bool] = ("number", "", False), span: range | None = None) -> None:
        self._sweep = sweep
        self._statuses = statuses
        self._text = text
        self._order = order
        self._span = span

    def _but(self, **changed: Any) -> Runs:
        given: dict[str, Any] = {"statuses": self._statuses, "text": self._text, "order": self._order}
        if self._span is not None:
            raise ConfigError("filter and sort first, then slice")
        given.update(changed)
        return Runs(self._sweep, **given)

    def filter(self, status: str | tuple[str, ...] | list[str] | None = None, text: str | None = None) -> Runs:
        """Those with this status, or one of several; those with this text in parameters or reasons, case aside."""
        changed: dict[str, Any] = {}
        if status is not None:
            given: tuple[Any, ...] = (status,) if isinstance(status, str) or not hasattr(status, "__iter__") else \
                tuple(status)
            if not all(isinstance(each, str) for each in given):
                raise ConfigError(f"status: one or several of Queued, Running, Completed, Failed, Canceled are wanted, "
                                  f"not {status!r}; any other condition: [run for run in sweep.runs if ...]")
            changed["statuses"] = tuple(each.capitalize() for each in given)
        if text is not None:
            changed["text"] = given_text("text", text)
        return self._but(**changed)

    def sort(self, by: str = "best", name: str = "", descending: bool = False) -> Runs:
        """Sorted by number, status, created, started, ended, duration, attempt, cpu_time, peak_memory, "parameter"
        `name`, or the best or last value of the metric `name` (the primary one if empty). "best" puts the best first,
        whatever the goal. Runs without come last."""
        return self._but(order=("best" if by == "value" else by, name, descending))

    def _page(self, offset: int, limit: int | None, by_number: bool = False) -> tuple[list[Any], int]:
        """`by_number`: of all runs in order, so that the place of one is its number."""
        found: tuple[list[Any], int] = self._sweep._view.runs(list(self._statuses), self._text, *self._order,
                                                              0 if by_number else offset, limit,
                                                              offset if by_number else None)
        return found

    def __len__(self) -> int:
        return self._page(0, 0)[1] if self._span is None else len(self._span)

    @overload
    def __getitem__(self, place: int) -> StoredRun: ...

    @overload
    def __getitem__(self, place: slice) -> Runs: ...

    def __getitem__(self, place: Any) -> StoredRun | Runs:
        places = range(self._page(0, 0)[1]) if self._span is None else self._span
        if isinstance(place, slice):
            return Runs(self._sweep, self._statuses, self._text, self._order, places[place])
        if not hasattr(place, "__index__"):
            raise TypeError(f"a run is found by its place, a whole number, or a slice; not by {place!r}")
        try:
            at = places[place]
        except IndexError:
            raise NotFoundError(f"there is no run at {place}; there are {len(places)}") from None
        page, _ = self._page(at, 1)
        if not page:
            raise NotFoundError(f"there is no run at {place} any more")
        return StoredRun(self._sweep, page[0])

    def __iter__(self) -> Iterator[StoredRun]:
        if self._span is not None and self._span.step != 1:
            for at in range(len(self._span)):
                yield self[at]
            return
        at = 0 if self._span is None else self._span.start
        end = None if self._span is None else self._span.stop
        by_number = not self._statuses and not self._text and self._order == ("number", "", False)
        while end is None or at < end:
            # In another order each page costs as much as all, so there is but one.
            count = None if end is None else end - at
            if by_number:
                count = self._PAGE if count is None else min(self._PAGE, count)
            page = self._page(at, count, by_number)[0]
            for stored in page:
                yield StoredRun(self._sweep, stored)
            at += len(page)
            if not page or not by_number:
                return

    def __reduce__(self) -> NoReturn:
        refuse_copy("list of runs")

    def __repr__(self) -> str:
        return f"<{len(self)} runs of {self._sweep.id or 'a sweep'}>"

    def _repr_html_(self) -> str:
        from ._html import runs_html
        return runs_html(self)
