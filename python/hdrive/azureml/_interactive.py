# SPDX-License-Identifier: Apache-2.0
"""Experiment.start_logging: a run that consists of what a notebook does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .. import _space
from .._sweep import Sweep
from . import _context
from ._runs import Run

if TYPE_CHECKING:
    from ._workspace import Experiment

__all__ = ["InteractiveRun", "begin_interactive"]


class InteractiveRun(Run):
    """A run that is this process: log to it, then `complete()` or `fail()`. A context manager does that, too.

        with experiment.start_logging() as run:
            run.log("accuracy", 0.93)
    """

    _asked: Any = None

    def complete(self, _set_status: bool = True) -> None:
        """Ends it, as completed."""
        self._end(lambda: self._asked._sweep.complete(self._asked))

    def fail(self, error_details: Any = None, error_code: Any = None, _set_status: bool = True) -> None:
        """Ends it, as failed."""
        why = "" if error_details is None else str(error_details)
        self._end(lambda: self._asked.fail(why + (f" ({error_code})" if error_code else "")))

    def cancel(self) -> None:
        """Ends it, as failed."""
        self.fail("cancelled")

    def _end(self, tell: Any) -> None:
        if self._asked is not None:
            tell()
            self._asked = None
            self._sweep.close()

    def __enter__(self) -> InteractiveRun:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is None:
            self.complete()
        else:
            self.fail(f"{kind.__name__}: {error}")


def begin_interactive(experiment: Experiment, display_name: str | None) -> InteractiveRun:
    """A sweep of one, asked for and told by this process."""
    sweep = Sweep({"run": _space.choice(0)}, metric="none", goal="maximize", max_total_runs=1,
                  stop_without_primary_metric=False, directory=experiment.workspace.directory,
                  experiment=experiment.name)
    asked = sweep.ask()
    _context.Journal(str(sweep.directory)).add("config", "", {"type": "script", "script": None,
                                                              "arguments": list(sys.argv[1:])})
    run: InteractiveRun = InteractiveRun._made(experiment, sweep, 0)
    run._asked = asked
    if display_name is not None:
        run.display_name = display_name
    return run
