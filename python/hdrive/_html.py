# SPDX-License-Identifier: Apache-2.0
"""What a notebook shows of sweeps and runs: tables and one drawing, without scripts, all text escaped."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._stored_run import Runs, StoredRun
    from ._sweep import Sweep

_SHOWN = 5
_LISTED = 20
# Of more runs no history is drawn: a page that is made anew each second has to be quick.
_DRAWN = 2000
# As in hdrive.plot.
_COLOURS = {"completed": "#0072B2", "canceled": "#999999", "failed": "#D55E00", "live": "#56B4E9"}
_WORDS = {"completed": "completed", "canceled": "stopped", "failed": "failed", "live": "running"}


def _table(rows: list[list[Any]], head: list[str]) -> str:
    def cells(tag: str, row: list[Any]) -> str:
        return "".join(f"<{tag} style='text-align:left'>{escape(str(cell))}</{tag}>" for cell in row)
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{cells('th', head)}</tr></thead><tbody>{body}</tbody></table>"


def number(value: Any) -> str:
    """A value as people read it: of a real number six digits, of nothing nothing."""
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _bar(entry: dict[str, Any], total: int) -> str:
    """How far it is: a stripe a kind of run, and what each stands for."""
    of = max(total, int(entry["runs"]), 1)
    stripes = "".join(f"<div style='background:{_COLOURS[what]};width:{100 * entry[what] / of:.3f}%'></div>"
                      for what in _COLOURS if entry[what])
    told = ", ".join(f"<span style='color:{_COLOURS[what]}'>&#9632;</span> {entry[what]} {_WORDS[what]}"
                     for what in _COLOURS if entry[what])
    return (f"<div style='display:flex;height:6px;max-width:480px;background:rgba(128,128,128,0.25)'>{stripes}</div>"
            f"<div>{entry['runs']} of {total} runs{': ' + told if told else ''}</div>")


def _history(sweep: Sweep, runs: int) -> str:
    """A small drawing of the values by run, and the best so far."""
    if not 2 <= runs <= _DRAWN:
        return ""
    columns = sweep._view.columns().to_dict()
    points = [(at, float(value), status) for at, (value, status) in enumerate(zip(columns["value"], columns["status"]))
              if value is not None and math.isfinite(value)]
    if len(points) < 2:
        return ""
    values = sorted(value for _, value, _ in points)
    low, high = values[0], values[-1]
    # What is far out on the worse side would press the rest together.
    spread = values[3 * len(values) // 4] - values[len(values) // 4]
    if sweep.goal == "minimize":
        high = min(high, values[3 * len(values) // 4] + 1.5 * spread) if spread else high
    else:
        low = max(low, values[len(values) // 4] - 1.5 * spread) if spread else low
    width, height = 480, 90

    def place(at: int, value: float) -> tuple[float, float]:
        share = (min(max(value, low), high) - low) / (high - low) if high > low else 0.5
        return 6 + at * (width - 12) / max(1, runs - 1), height - 6 - share * (height - 12)

    dots, best, path = [], None, ""
    for at, value, status in points:
        x, y = place(at, value)
        what = {"Canceled": "canceled", "Failed": "failed", "Completed": "completed"}.get(status, "live")
        faded = 0.4 if what == "canceled" else 0.9
        dots.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='2.5' fill='{_COLOURS[what]}' fill-opacity='{faded}'/>")
        if best is None or (value < best if sweep.goal == "minimize" else value > best):
            best = value
            path += f"V{y:.1f}" if path else f"M{x:.1f} {y:.1f}"
        path += f"H{x:.1f}"
    return (f"<svg width='{width}' height='{height}' viewBox='0 0 {width} {height}' role='img'>"
            f"<path d='{path}' fill='none' stroke='#E69F00' stroke-width='1.5'/>{''.join(dots)}</svg>")


def _names(sweep: Sweep) -> list[str]:
    return list(dict.fromkeys(name.lstrip("-") for name, _, _ in sweep._spec.space.parameters))


def _rows(runs: Any, names: list[str]) -> list[list[Any]]:
    return [[run.number, run.status, number(run.value), *(number(run.params.get(name)) for name in names)]
            for run in runs]


def sweep_html(sweep: Sweep) -> str:
    """How far the sweep is, its values so far, and its best runs."""
    if sweep._kept is None:
        return f"<p>A sweep of <b>{escape(sweep.metric)}</b> that has not begun.</p>"
    entry = sweep._entry()
    title = escape(sweep.name or sweep.id[:11])
    names = _names(sweep)
    best = [run for run in sweep.runs.sort("best")[:_SHOWN] if run.value is not None]
    table = _table(_rows(best, names), ["run", "status", sweep.metric, *names]) if best else ""
    reason = f": {escape(entry['reason'])}" if entry["reason"] else ""
    return (f"<div><div><b>{title}</b>, {escape(sweep.goal)} {escape(sweep.metric)}: {escape(entry['status'])}{reason}"
            f"</div>{_bar(entry, sweep._spec.max_total_runs)}{_history(sweep, int(entry['runs']))}{table}</div>")


def runs_html(runs: Runs) -> str:
    """The first runs as a table."""
    count = len(runs)
    names = _names(runs._sweep)
    table = _table(_rows(runs[:_LISTED] if runs._span is None else list(runs)[:_LISTED], names),
                   ["run", "status", runs._sweep.metric, *names])
    return table + (f"<p>and {count - _LISTED} more</p>" if count > _LISTED else "")


def run_html(run: StoredRun) -> str:
    """The run's facts."""
    rows: list[list[Any]] = [["status", run.status], [f"best {run._sweep.metric}", number(run.value)]]
    rows += [[name, number(value)] for name, value in run.params.items()]
    rows += [[f"last {figures.name}", f"{number(figures.last)} ({figures.count} logged)"]
             for figures in run._stored.metrics]
    rows += [["duration", run.duration]] if run.duration is not None else []
    rows += [[what, text] for what, text in (("chosen", run.proposal), ("ended", run.reason)) if text]
    table = _table(rows, ["run", str(run.number)])
    return table + (f"<pre>{escape(run.error)}</pre>" if run.error else "")
