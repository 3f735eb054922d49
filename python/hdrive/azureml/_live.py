# SPDX-License-Identifier: Apache-2.0
"""The sweeps that this process runs, and how any sweep is opened, asked to stop and waited for."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Callable

from .. import _catalog
from .._errors import NotFoundError
from ._errors import ExperimentExecutionException, UserErrorException

if TYPE_CHECKING:
    from .._handle import Handle
    from .._sweep import Sweep

__all__ = ["ENDED", "handle_of", "keep", "open_sweep", "request", "wait"]

ENDED = ("Completed", "Failed", "Canceled")
_PAUSE = 0.05

_handles: dict[str, Handle] = {}


def keep(handle: Handle) -> None:
    """Remembers the handle of a sweep that was just begun."""
    for sweep_id in [each for each, other in list(_handles.items()) if other.done]:
        _handles.pop(sweep_id, None)
    _handles[handle.sweep.id] = handle


def handle_of(sweep: Sweep) -> Handle | None:
    """The handle, where this process runs the sweep."""
    handle = _handles.get(sweep.id)
    return handle if handle is not None and handle.sweep._process == os.getpid() else None


def open_sweep(directory: str, sweep_id: str) -> Sweep:
    """The sweep with this id, or name: the one that is running here, or the stored one."""
    for handle in list(_handles.values()):
        if sweep_id in (handle.sweep.id, handle.sweep.name) and handle.sweep._process == os.getpid():
            return handle.sweep
    try:
        return _catalog.load(sweep_id, directory=directory)
    except NotFoundError as error:
        raise UserErrorException(str(error)) from None


def request(sweep: Sweep, kind: str, run: int | None = None) -> bool:
    """Asks whoever runs the sweep, here or elsewhere, to "stop" it or to "stop_run" one. Whether somebody heard."""
    kept = sweep._sweep()
    number = kept.leave(kind, run, [])
    while True:
        answer = kept.answer(number)
        if answer is not None:
            return bool(answer[0])
        if _is_over(sweep):
            return False
        time.sleep(_PAUSE / 10)


def _is_over(sweep: Sweep) -> bool:
    handle = handle_of(sweep)
    if handle is not None:
        return handle.done
    # Twice: an engine may end between the look at the status and the one for the engine.
    for _ in range(2):
        entry = sweep._entry()
        if entry["status"] in ENDED:
            return True
    if entry["engine"] is None:
        raise ExperimentExecutionException(f"nobody runs {sweep.id} any more, and it has not ended; `hdrive resume "
                                           f"{sweep.id}` goes on with it")
    return False


def wait(sweep: Sweep, look: Callable[[], Any] = lambda: None) -> None:
    """Waits until the sweep has ended, wherever it runs; calls `look` every now and then, and at the end. Ctrl-C ends
    the waiting alone. Raises HdriveError where an engine of this process could not go on."""
    handle = handle_of(sweep)
    while not _is_over(sweep):
        look()
        if handle is not None:
            handle.wait(_PAUSE)
        else:
            time.sleep(_PAUSE)
    if handle is not None:
        handle.result()
    look()
