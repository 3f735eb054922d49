# SPDX-License-Identifier: Apache-2.0
"""RunDetails: what a sweep, or a run, is doing, in a notebook live and as text elsewhere."""

from __future__ import annotations

import threading
from html import escape
from typing import Any

from . import _live
from ._hyperdrive_run import HyperDriveRun
from ._settings import ignored

__all__ = ["RunDetails"]

_SECONDS = 1.0
_SHOWN = 20


class RunDetails:
    """A view of a run.

        RunDetails(run).show()

    In a notebook a table that is renewed every second until the run has ended; elsewhere the state now, as text.
    """

    def __init__(self, run_instance: Any) -> None:
        self._run = run_instance

    def show(self, render_lib: Any = None, widget_settings: Any = None) -> None:
        """Shows it, and returns at once."""
        ignored("RunDetails.show", {"render_lib": render_lib, "widget_settings": widget_settings},
                "the view is HTML, or text")
        display = _notebook_display()
        if display is None:
            print(self.text(), flush=True)
            return
        handle = display(self, display_id=True)
        if not self._over():
            threading.Thread(target=self._renew, args=(handle,), name="hdrive-widget", daemon=True).start()

    def _renew(self, handle: Any) -> None:
        pause = threading.Event()
        while not self._over():
            pause.wait(_SECONDS)
            handle.update(self)

    def _over(self) -> bool:
        return self._run.get_status() in _live.ENDED

    def get_widget_data(self, widget_settings: Any = None) -> dict[str, Any]:
        """What is shown: status, run_properties, and of a sweep child_runs and the metric by run number."""
        details = self._run.get_details()
        found = {"status": details["status"], "run_properties": {"run_id": self._run.id, **details["properties"]}}
        if isinstance(self._run, HyperDriveRun):
            found["child_runs"] = self._run.get_children_sorted_by_primary_metric()
        else:
            found["run_metrics"] = self._run.get_metrics()
        return found

    def _rows(self) -> tuple[list[str], list[list[str]]]:
        if isinstance(self._run, HyperDriveRun):
            head = ["run", "status", self._run._sweep.metric, "parameters"]
            rows = [[each["run_id"].rpartition("_")[2], each["status"],
                     "" if each["best_primary_metric"] is None else f"{each['best_primary_metric']:g}",
                     each["hyperparameters"]]
                    for each in self._run.get_children_sorted_by_primary_metric(top=_SHOWN)]
            return head, rows
        return ["metric", "value"], [[name, str(value)] for name, value in self._run.get_metrics().items()]

    def text(self) -> str:
        """The state now: a line for the run, and a table of its best children, or of its metrics."""
        head, rows = self._rows()
        widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [head, *rows]]
        return "\n".join([f"{self._run.id}: {self._run.get_status()}", *(lines if rows else [])])

    def _repr_html_(self) -> str:
        if isinstance(self._run, HyperDriveRun):
            from .._html import sweep_html
            return sweep_html(self._run._sweep)
        head, rows = self._rows()
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        titles = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        return f"<p><b>{escape(self._run.id)}</b>: {escape(self._run.get_status())}</p>" \
               f"<table><tr>{titles}</tr>{body}</table>"

    def __repr__(self) -> str:
        return self.text()


def _notebook_display() -> Any:
    """IPython's display, where there is a kernel that shows HTML."""
    import sys
    if "IPython" not in sys.modules:
        return None
    ipython: Any = sys.modules["IPython"]
    shell = ipython.get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    import importlib
    return importlib.import_module("IPython.display").display
