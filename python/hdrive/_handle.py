# SPDX-License-Identifier: Apache-2.0
"""Handle: a sweep that runs in the background, and what has to end before the interpreter does."""

from __future__ import annotations

import atexit
import os
import weakref
from typing import TYPE_CHECKING, Any, NoReturn

from . import _core
from ._errors import ConfigError, HdriveError
from ._specification import count

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from ._stored_run import StoredRun
    from ._sweep import Sweep

__all__ = ["Handle"]


class Handle:
    """A sweep that runs in the background. Can be awaited: `await sweep.start(train)`.

        handle = sweep.start(train)
        handle.enqueue({"lr": 0.01})
        while not handle.wait(timeout=60):
            print(sweep)
        handle.result().best.params
    """

    def __init__(self, sweep: Sweep, engine: Any, pool: Any) -> None:
        self.sweep = sweep
        self._core = engine
        self._pool = pool
        self._trouble = ""

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return bool(self._core.wait(0))

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until it has ended, at most `timeout` seconds. Whether it has."""
        import time
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            # Short, so that Ctrl-C is heard.
            left = 0.1 if until is None else min(0.1, max(0.0, until - time.monotonic()))
            if self._core.wait(left):
                self._close_pool()
                return True
            self._tell_trouble()
            if until is not None and time.monotonic() >= until:
                return False

    def _tell_trouble(self) -> None:
        """Warns of what keeps the sweep from going on, a full disk say, once each."""
        trouble, self._trouble = self._trouble, self._core.trouble
        if self._trouble and self._trouble != trouble:
            import warnings
            warnings.warn(self._trouble, stacklevel=2)

    def _close_pool(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def stop(self) -> None:
        """Asks for a clean stop: no more runs are started, those that go on are told to stop. A second call does
        not wait for them where they can be killed."""
        if self._pool is not None:
            self._pool.stop()
        self._core.stop()

    def result(self) -> Sweep:
        """Waits for the end. Raises KeyboardInterrupt after Ctrl-C, once the sweep has stopped, and HdriveError where
        it could not go on."""
        try:
            self.wait()
        except KeyboardInterrupt:
            self._stop_cleanly()
            raise
        try:
            told = self._core.result()
        except HdriveError as error:
            self._raise_from_part(error)
        if told["end"] == "error":
            self._raise_from_part(HdriveError(told["reason"]))
        if told["end"] in ("hopeless", "failing", "blocked"):
            import warnings
            warnings.warn(f"the sweep ended early: {told['reason']}", stacklevel=3)
        import sys
        watching = sys.modules.get("hdrive._watch")
        if watching is not None:
            watching.refresh(self.sweep)
        return self.sweep

    def _raise_from_part(self, error: HdriveError) -> NoReturn:
        raised = self._core.exception
        if raised is not None:
            raise error from raised
        raise error

    def _stop_cleanly(self) -> None:
        """Waits for the runs to stop; another Ctrl-C ends the waiting, and what can be killed is."""
        self.stop()
        try:
            self.wait()
        except KeyboardInterrupt:
            self.stop()

    def pause(self) -> str:
        """No new runs are started; those that run go on."""
        return self._request("pause")

    def resume(self) -> str:
        """Goes on after `pause`."""
        return self._request("resume")

    def stop_run(self, run: StoredRun | int) -> str:
        """Stops one run."""
        return self._request("stop_run", run.number if hasattr(run, "number") else count("run", run, 0))

    def update(self, **settings: Any) -> str:
        """As Sweep.update."""
        return self.sweep.update(**settings)

    def enqueue(self, params: Mapping[str, Any]) -> None:
        """As Sweep.enqueue."""
        self.sweep.enqueue(params)

    def _request(self, kind: str, run: int | None = None, settings: list[tuple[str, str]] | None = None) -> str:
        import time
        self.sweep._check_process()
        if self.done:
            raise HdriveError(f"the sweep has ended ({self.sweep.status}); there is nothing to {kind}")
        kept = self.sweep._sweep()
        number = kept.leave(kind, run, settings or [])
        while True:
            answer = kept.answer(number)
            if answer is not None:
                if not answer[0]:
                    raise ConfigError(answer[1])
                return str(answer[1])
            if self.done:
                raise HdriveError("the sweep ended before it could answer")
            time.sleep(0.005)

    def __await__(self) -> Generator[Any, None, Sweep]:
        return self._awaited().__await__()

    async def _awaited(self) -> Sweep:
        """Whoever is cancelled while it waits, by Ctrl-C or a timeout, stops the sweep."""
        import asyncio
        try:
            while not self.done:
                self._tell_trouble()
                await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            self.stop()
            raise
        return self.result()

    def __repr__(self) -> str:
        return f"<Handle of {self.sweep!r}>"

    def _ipython_display_(self) -> None:
        self.sweep._ipython_display_()


# What has to end before the interpreter does: afterwards no thread may call Python.
_live: weakref.WeakSet[Handle] = weakref.WeakSet()
_asked: weakref.WeakSet[Sweep] = weakref.WeakSet()


def keep_running(handle: Handle) -> None:
    """It is stopped and waited for before the interpreter ends."""
    _live.add(handle)


def keep_asking(sweep: Sweep) -> None:
    """It is closed before the interpreter ends."""
    _asked.add(sweep)


def _end_all() -> None:
    """Stops what runs and waits for it. A function that does not look whether it is to stop cannot be ended but with
    the process, which Ctrl-C does."""
    mine = [handle for handle in list(_live) if handle.sweep._process == os.getpid()]
    for handle in mine:
        if not handle.done:
            handle.stop()
    for handle in mine:
        handle.wait()
    for sweep in list(_asked):
        if sweep._process == os.getpid():
            sweep.close()


atexit.register(_core.end_interpreter, _end_all)
