# SPDX-License-Identifier: Apache-2.0
"""What a notebook shows of sweeps and runs: tables without scripts, all text escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._run import StoredRun
    from ._sweep import Sweep

_SHOWN = 10


def _table(rows: list[list[Any]], head: list[str]) -> str:
    def cells(tag: str, row: list[Any]) -> str:
        return "".join(f"<{tag} style='text-align:left'>{escape(str(cell))}</{tag}>" for cell in row)
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{cells('th', head)}</tr></thead><tbody>{body}</tbody></table>"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def sweep_html(sweep: Sweep) -> str:
    """The sweep's state and its best runs."""
    if sweep._kept is None:
        return f"<p>A sweep of <b>{escape(sweep.metric)}</b> that has not begun.</p>"
    entry = sweep._entry()
    title = escape(sweep.name or sweep.id[:11])
    counts = ", ".join(f"{entry[what]} {what}" for what in ("completed", "failed", "canceled", "live") if entry[what])
    names = list(dict.fromkeys(name.lstrip("-") for name, _, _ in sweep._spec.space.parameters))
    best = [r for r in sweep.runs.sort("best")[:_SHOWN] if r.value is not None]
    rows = [[r.number, r.status, _number(r.value), *(r.params.get(n, "") for n in names)] for r in best]
    table = _table(rows, ["run", "status", sweep.metric, *names]) if rows else ""
    reason = f"<br>{escape(entry['reason'])}" if entry["reason"] else ""
    return (f"<p><b>{title}</b>: {escape(sweep.goal)} {escape(sweep.metric)}, {entry['runs']} of "
            f"{sweep._spec.max_total_runs} runs ({counts or 'none yet'}), {entry['status']}{reason}</p>{table}")


def run_html(run: StoredRun) -> str:
    """The run's facts."""
    rows: list[list[Any]] = [["status", run.status], [run._sweep.metric, _number(run.value)]]
    rows += [[name, value] for name, value in run.params.items()]
    rows += [[what, text] for what, text in (("chosen", run.proposal), ("ended", run.reason)) if text]
    table = _table(rows, ["run", str(run.number)])
    return table + (f"<pre>{escape(run.error)}</pre>" if run.error else "")
