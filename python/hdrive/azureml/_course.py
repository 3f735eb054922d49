# SPDX-License-Identifier: Apache-2.0
"""The course of a pipeline: steps that do not need each other run at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from typing import Callable

__all__ = ["checked_limit", "run_steps"]


def checked_limit(limit: object) -> int | None:
    """`max_concurrent_steps`, or a UserErrorException."""
    from ._errors import UserErrorException
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise UserErrorException(f"max_concurrent_steps: {limit!r} is none; allowed: an integer above 0, or None for as "
                                 "many as there are processors")
    return limit


def run_steps(steps: Sequence[str], needs: Callable[[str], Iterable[str]], run: Callable[[str], str],
              limit: int | None, goes_on: Callable[[str], bool], stop: Callable[[], None]) -> dict[str, str]:
    """Runs each step by `run`, which returns how it ended, in a thread of its own, as soon as what it `needs` is
    "Completed"; up to `limit` of them at a time, or as many as there are processors.

    A step that ends otherwise keeps what needs it from beginning; and unless it `goes_on`, everything: then `stop` is
    called to interrupt those that run. Returns how those ended that were begun. What `run` raises ends the course as
    such a step does, and is raised when all have ended.
    """
    at_once = limit or len(os.sched_getaffinity(0))
    ended: dict[str, str] = {}
    errors: list[BaseException] = []
    running: set[str] = set()
    waiting = list(steps)
    changed = threading.Condition()

    def work(step: str) -> None:
        status = "Failed"
        try:
            status = run(step)
        except BaseException as error:  # what went wrong belongs to who waits
            errors.append(error)
        with changed:
            ended[step] = status
            running.discard(step)
            changed.notify()

    halted = False
    while True:
        with changed:
            for step in [] if halted else list(waiting):
                if len(running) < at_once and all(ended.get(need) == "Completed" for need in needs(step)):
                    waiting.remove(step)
                    running.add(step)
                    threading.Thread(target=work, args=(step,), name=f"hdrive-step-{step}", daemon=True).start()
            if not running:
                break
            changed.wait()
            halts = not halted and (bool(errors) or not all(goes_on(status) for status in ended.values()))
        if halts:
            halted = True
            stop()
    if errors:
        raise errors[0]
    return ended
