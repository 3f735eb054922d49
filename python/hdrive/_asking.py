# SPDX-License-Identifier: Apache-2.0
"""Ask and tell: runs handed out to whoever trains them."""

from __future__ import annotations

import os
from typing import Any, Callable, overload

from . import _core
from ._errors import HdriveError, printable
from ._handle import keep_asking
from ._kept import Kept
from ._run import AskedRun
from ._specification import count as whole

__all__ = ["Asking"]


class Asking(Kept):
    """The part of a sweep that is asked and told."""

    def _study(self) -> Any:
        with self._lock:
            self._check_process()
            if self._asking is None:
                self._check_free()
                self._asking = _core.ask_and_tell(self._sweep(), self._sampler, self._policy, self._listeners)
                keep_asking(self._whole)
            return self._asking

    @overload
    def ask(self) -> AskedRun | None: ...

    @overload
    def ask(self, count: int) -> list[AskedRun]: ...

    def ask(self, count: int | None = None) -> AskedRun | None | list[AskedRun]:
        """The next run to be trained by you; None where there is nothing more to hand out. With `count` a list of
        as many, or of those that are left. What was asked for is stored before this returns, and any thread may ask.

            while (run := sweep.ask()) is not None:
                sweep.tell(run, train(**run.params))

        Runs that an earlier process asked for and never told come first, as another attempt.
        """
        if count is None:
            one = self._ask()
            self._study().prepare()  # while it trains; returns at once
            return one
        asked = []
        for _ in range(whole("count", count)):
            run = self._ask()
            if run is None:
                break
            asked.append(run)
        self._study().prepare()
        return asked

    def _ask(self) -> AskedRun | None:
        number, params, reason, attempt = self._raise_from(self._study().ask)
        return None if number is None else AskedRun(self._whole, number, params, reason, attempt)

    def _raise_from(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except HdriveError as error:
            raised = self._asking.exception if self._asking is not None else None
            if raised is not None:
                raise error from raised
            raise

    def tell(self, run: AskedRun | int, value: Any) -> None:
        """The run is done with this value of the primary metric: anything that float() takes but text. Raises
        HdriveError for a run that was told already, or never asked for.

            run = sweep.ask()
            sweep.tell(run, train(**run.params))
        """
        self._study().tell(self._number(run), value)
        self._told(run)

    def fail(self, run: AskedRun | int, why: str = "") -> None:
        """The run has failed.

            sweep.fail(sweep.ask(), "out of memory")
        """
        self._study().fail(self._number(run), printable(why))
        self._told(run)

    def complete(self, run: AskedRun | int) -> None:
        """The run is done with what it reported."""
        self._study().complete(self._number(run))
        self._told(run)

    def _stopped(self, run: AskedRun) -> None:
        self._study().stopped(self._number(run))
        self._told(run)

    @staticmethod
    def _told(run: AskedRun | int) -> None:
        if isinstance(run, AskedRun):
            run._told = True

    @staticmethod
    def _number(run: AskedRun | int) -> int:
        if isinstance(run, AskedRun):
            return run.number
        if isinstance(run, bool) or not hasattr(run, "__index__"):
            raise TypeError(f"wanted is a run that ask() gave, or its number; not a {type(run).__name__}")
        return whole("run", run, 0)

    def close(self) -> None:
        """Ends asking: runs still open are handed out again by the next one who asks. Harmless twice."""
        if self._process != os.getpid():
            return  # what is open is the other process's to close
        with self._lock:
            asking = self._asking
            if asking is not None:
                asking.close()
                self._asking = None
