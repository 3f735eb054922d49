# SPDX-License-Identifier: Apache-2.0
"""A sweep in a notebook, live: one output that is replaced until the sweep has ended."""

from __future__ import annotations

import atexit
import threading
import weakref
from typing import TYPE_CHECKING, Any

from ._errors import ConfigError, HdriveError

if TYPE_CHECKING:
    from ._sweep import Sweep

# What may still change without anybody in this process doing it.
_GOES_ON = ("Running", "Paused")


def _page(sweep: Sweep) -> dict[str, str]:
    return {"text/html": sweep._repr_html_(), "text/plain": repr(sweep)}


class _Watcher(threading.Thread):
    """Replaces an output. It keeps no sweep alive, and is no reason for the interpreter to go on."""

    def __init__(self, sweep: Sweep, output: Any, interval: float) -> None:
        super().__init__(name="hdrive-watch", daemon=True)
        self.sweep = weakref.ref(sweep)
        self.over = threading.Event()
        self._output = output
        self._interval = interval
        self._lock = threading.Lock()
        self._shown: dict[str, str] = {}

    def run(self) -> None:
        """Until the sweep has ended: its last state is shown, too."""
        while not self.over.is_set():
            self.refresh()
            self.over.wait(self._interval)

    def refresh(self) -> None:
        """Shows the sweep as it is now; for the last time where it has ended."""
        with self._lock:
            sweep = self.sweep()
            if sweep is None or self.over.is_set():
                self.over.set()
                return
            try:
                # Asked for first: what happens meanwhile is shown the next time.
                goes_on = sweep.status in _GOES_ON
                page = _page(sweep)
            except HdriveError:  # its folder was removed
                self.over.set()
                return
            if page != self._shown:
                self._output.update(page, raw=True)
                self._shown = page
            if not goes_on:
                self.over.set()


_watchers: weakref.WeakSet[_Watcher] = weakref.WeakSet()


def _end_all() -> None:
    for watcher in list(_watchers):
        watcher.over.set()
    for watcher in list(_watchers):
        watcher.join(5)


atexit.register(_end_all)


def refresh(sweep: Sweep) -> None:
    """Brings up to date what is shown of a sweep, from the calling thread: what executes notebooks without a browser
    keeps only what the thread of a cell shows."""
    for watcher in list(_watchers):
        if watcher.sweep() is sweep:
            watcher.refresh()


def show(sweep: Sweep, interval: float = 1.0) -> None:
    """Shows a sweep where the notebook is now, live while it goes on. Raises ConfigError without IPython."""
    try:
        from IPython.core.getipython import get_ipython
        from IPython.display import display
    except ImportError:
        raise ConfigError("watch: needs a notebook, or IPython; elsewhere sweep.run(..., progress=True) shows a bar") \
            from None
    untyped: Any = display
    output = untyped(_page(sweep), raw=True, display_id=True)
    # A terminal cannot replace what it has shown.
    shell = get_ipython()
    if output is None or shell is None or not hasattr(shell, "kernel") or sweep.status not in _GOES_ON:
        return
    watcher = _Watcher(sweep, output, interval)
    _watchers.add(watcher)
    watcher.start()
