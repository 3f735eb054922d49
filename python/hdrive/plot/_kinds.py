# SPDX-License-Identifier: Apache-2.0
"""Each kind of plot: from a table of runs to a figure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy

from .._errors import ConfigError, NotFoundError
from ._figure import (CYCLE, Axis, Bars, Coordinate, Figure, Line, Mark, Numbers, Panel, Parallel, Points, Role, Scale,
                      Surface)
from ._table import Dimension, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

# So many parameters are shown by themselves, the most important ones.
_PANELS = 9
_PAIRS = 4
_GRID = 60
# A surface goes through so many of the runs at most, spread over all of them.
_MOST = 1000


def _value_axis(table: Table, values: Numbers | None = None) -> Axis:
    """The primary metric's axis; logarithmic where positive values span more than three decades."""
    known = table.value[table.valued] if values is None else values[numpy.isfinite(values)]
    log = bool(len(known)) and bool(numpy.min(known) > 0) and bool(numpy.max(known) > 1000 * numpy.min(known))
    return Axis(table.metric, log)


def _scale(table: Table) -> Scale:
    """Colours from the best to the worst value; those far out among the worst share the last colour."""
    good = table.good[table.valued]
    low, high = numpy.quantile(good, [0.25, 0.75])
    worst, best = max(numpy.min(good), low - 1.5 * (high - low)), numpy.max(good)
    if worst >= best:
        worst = best - max(1.0, abs(best)) * 1e-3
    span = (worst, best) if table.maximize else (-best, -worst)
    return Scale(table.metric, (float(span[0]), float(span[1])), table.maximize)


_OF_STATUS: tuple[tuple[str, Role, tuple[str, ...]], ...] = (
    ("stopped", "stopped", ("Canceled",)), ("running", "running", ("Queued", "Running")),
    ("failed", "failed", ("Failed",)), ("completed", "runs", ("Completed",)))


def _points(table: Table, x: Numbers, y: Numbers, z: Numbers | None = None, colour: bool = False) -> list[Mark]:
    """All runs that have these places, by status, and the best of all marked."""
    shown = numpy.isfinite(x) & numpy.isfinite(y) & table.valued
    if z is not None:
        shown = shown & numpy.isfinite(z)
    marks: list[Mark] = []
    for name, role, statuses in _OF_STATUS:
        rows = numpy.flatnonzero(shown & table.has(*statuses))
        if len(rows):
            marks.append(Points(x[rows], y[rows], name, role, table.texts(rows), None if z is None else z[rows],
                                table.value[rows] if colour else None))
    best = table.best
    if shown[best]:
        marks.append(Points(x[[best]], y[[best]], "best", "best", table.texts([best]),
                            None if z is None else z[[best]]))
    return marks


def _goal(table: Table) -> str:
    return f"{table.metric} ({'maximize' if table.maximize else 'minimize'})"


def history(table: Table) -> Figure:
    """Values by run number, and the best so far."""
    table.need_values("history")
    x = table.number.astype(float)
    rows = numpy.flatnonzero(table.valued)
    so_far = numpy.maximum.accumulate(table.good[rows])
    marks: list[Mark] = [Line(x[rows], so_far if table.maximize else -so_far, "best so far", "line", steps=True)]
    failed = int(table.has("Failed").sum())
    title = f"History of {_goal(table)}" + (f"; {failed} failed" if failed else "")
    return Figure(title, [Panel(Axis("run", integer=True), _value_axis(table), marks + _points(table, x, table.value))])


def _series(table: Table, rows: Sequence[int], metric: str) -> tuple[Numbers, Numbers, list[str]]:
    """The series of these runs, one after the other with a gap between; by step, or counted where a run has none."""
    xs: list[Numbers] = []
    ys: list[Numbers] = []
    texts: list[str] = []
    for row in rows:
        values, steps, _ = table.sweep._view.series(int(table.number[row]), metric)
        if not len(values):
            continue
        if not numpy.isfinite(steps).all():
            steps = numpy.arange(1, len(values) + 1, dtype=float)
        xs += [steps, numpy.array([math.nan])]
        ys += [numpy.where(numpy.isfinite(values), values, math.nan), numpy.array([math.nan])]
        texts += [table.text(row)] * (len(values) + 1)
    if not xs:
        return numpy.array([]), numpy.array([]), []
    return numpy.concatenate(xs), numpy.concatenate(ys), texts


def curves(table: Table, metric: str | None = None, most: int = 100) -> Figure:
    """What the runs logged, over their steps; of more than `most` runs the best ones."""
    metric = metric or table.metric
    if metric not in table.metrics:
        raise NotFoundError(f"no run has logged {metric!r}; logged were: {', '.join(table.metrics) or 'nothing'}")
    logged = numpy.array([value is not None and not (isinstance(value, float) and math.isnan(value))
                          for value in table.metrics[metric]], dtype=bool)
    table.need("curves", int(logged.sum()), f"runs that logged {metric}")
    ranked: list[int] = sorted(numpy.flatnonzero(logged).tolist(), key=lambda row: -_or_worst(float(table.good[row])))
    shown = sorted(ranked[:most])
    marks: list[Mark] = []
    best = table.best if table.valued.any() else -1
    for name, role, statuses in _OF_STATUS:
        rows = [row for row in shown if table.status[row] in statuses and row != best]
        x, y, texts = _series(table, rows, metric)
        if len(x):
            marks.append(Line(x, y, name, role, texts=texts))
    if best in shown:
        x, y, texts = _series(table, [best], metric)
        marks.append(Line(x[:-1], y[:-1], "best", "best", texts=texts[:-1]))
    values = numpy.concatenate([mark.y for mark in marks if isinstance(mark, Line)] or [numpy.array([])])
    axis = _value_axis(table, values)
    axis.title = metric
    rest = f"; the best {most} of {len(ranked)} runs" if len(ranked) > most else ""
    return Figure(f"Curves of {metric}{rest}", [Panel(Axis("step"), axis, marks)])


def _or_worst(good: float) -> float:
    return good if math.isfinite(good) else -math.inf


def parallel_coordinates(table: Table, params: Sequence[str] | None = None) -> Figure:
    """A line a run through its parameters to its value; where a parameter is absent the line goes below."""
    table.need_values("parallel_coordinates")
    rows = numpy.flatnonzero(table.valued)
    chosen = _chosen(table, params, "parallel_coordinates", 1)
    coordinates = [_coordinate(each.name, each.unit()[rows], _labels(each)) for each in chosen]
    value = table.value[rows]
    log = _value_axis(table).log
    placed = numpy.log(value) if log else value
    low, high = numpy.min(placed), numpy.max(placed)
    unit = (placed - low) / (high - low) if high > low else numpy.full(len(rows), 0.5)
    ticks = [(float(at), _figure(math.exp(low + at * (high - low)) if log else low + at * (high - low)))
             for at in (0, 0.25, 0.5, 0.75, 1)] if high > low else [(0.5, _figure(float(value[0])))]
    coordinates.append(_coordinate(table.metric, unit, ticks))
    best = int(numpy.flatnonzero(rows == table.best)[0])
    return Figure(f"Parameters of {len(rows)} runs, by {_goal(table)}", scale=_scale(table),
                  parallel=Parallel(coordinates, value, best))


def _figure(value: float) -> str:
    return f"{value:.3g}"


def _labels(dimension: Dimension) -> list[tuple[float, str]]:
    """Ticks from 0 to 1, where the dimension's own are in its units."""
    known = dimension.places[numpy.isfinite(dimension.places)]
    if dimension.categories:
        return [(at / max(1, len(dimension.options) - 1), text) for at, text in dimension.ticks]
    low, high = float(numpy.min(known)), float(numpy.max(known))
    if high <= low:
        return [(0.5, _figure(low))]
    if dimension.log:
        low, high = math.log(low), math.log(high)
    if dimension.ticks and not dimension.log:
        return [((at - low) / (high - low), text) for at, text in dimension.ticks if low <= at <= high]
    return [(at, _figure(math.exp(low + at * (high - low)) if dimension.log else low + at * (high - low)))
            for at in (0, 0.25, 0.5, 0.75, 1)]


_ABSENT = -0.15


def _coordinate(title: str, places: Numbers, ticks: list[tuple[float, str]]) -> Coordinate:
    absent = ~numpy.isfinite(places)
    if absent.any():
        ticks = [(_ABSENT, "absent"), *ticks]
        places = numpy.where(absent, _ABSENT, places)
    return Coordinate(title, places, ticks)


def _chosen(table: Table, params: Sequence[str] | None, kind: str, least: int, most: int = 20) -> list[Dimension]:
    """The parameters that were named, else the most important ones, in the space's order."""
    if params is not None:
        if isinstance(params, str):
            raise ConfigError(f"plot.{kind}: params is a list of names, such as [{params!r}]")
        chosen = table.choose(list(params))
    else:
        wanted = {each.name for each in table.by_importance()[:most]}
        chosen = [each for each in table.choose(None) if each.name in wanted]
    if len(chosen) < least:
        word = "parameters" if least > 1 else "parameter"
        raise NotFoundError(f"plot.{kind} needs {least} {word} that vary; the sweep has {len(chosen) or 'none'}")
    return chosen


def slices(table: Table, params: Sequence[str] | None = None) -> Figure:
    """A panel a parameter: its values against the metric's. Runs that lack it are left out of it."""
    table.need_values("slice")
    chosen = _chosen(table, params, "slice", 1, _PANELS)
    panels = []
    for at, each in enumerate(chosen):
        axis = _value_axis(table)
        if at % _columns(len(chosen)):
            axis.title = ""
        panels.append(Panel(each.axis(_title(table, each)), axis, _points(table, each.shown, table.value)))
    return Figure(f"{_goal(table)} by parameter", panels, _columns(len(chosen)))


def _title(table: Table, each: Dimension) -> str:
    has = int((numpy.isfinite(each.places) & table.valued).sum())
    of = int(table.valued.sum())
    return each.name if has == of else f"{each.name} ({has} of {of} runs have it)"


def _columns(count: int) -> int:
    return count if count <= 3 else math.ceil(count / math.ceil(count / 3))


def _pair(table: Table, names: Sequence[str | None], kind: str) -> list[Dimension]:
    """The parameters of these names; where one is None the most important that is not named."""
    named = {name for name in names if name is not None}
    rest = [each for each in table.by_importance() if each.name not in named]
    chosen = []
    for name in names:
        if name is not None:
            chosen.append(table.dimension(name))
        elif rest:
            chosen.append(rest.pop(0))
        else:
            raise NotFoundError(f"plot.{kind} needs {len(names)} parameters that vary; the sweep has "
                                f"{len(table.choose(None)) or 'none'}")
    return chosen


def contour(table: Table, x: str | None = None, y: str | None = None) -> Figure:
    """The metric over two parameters: a surface between the runs that have both (Shepard's inverse-distance
    weighting, power 3, over the axes as shown), and these runs."""
    table.need_values("contour")
    across, up = _pair(table, (x, y), "contour")
    rows = numpy.flatnonzero(table.valued & numpy.isfinite(across.places) & numpy.isfinite(up.places))
    table.need("contour", len(rows), f"runs with a value that have {across.name} and {up.name}")
    grid_x, unit_x = _grid(across)
    grid_y, unit_y = _grid(up)
    if len(rows) > _MOST:
        best = rows[numpy.argmax(table.good[rows])]
        rows = numpy.unique([*rows[numpy.linspace(0, len(rows) - 1, _MOST).astype(int)], best])
    at_x, at_y = across.unit()[rows], up.unit()[rows]
    distance = (unit_x[None, :, None] - at_x) ** 2 + (unit_y[:, None, None] - at_y) ** 2
    weight = 1 / (distance + 1e-4) ** 1.5
    values = (weight * table.value[rows]).sum(axis=2) / weight.sum(axis=2)
    panel = Panel(across.axis(), up.axis(), [Surface(grid_x, grid_y, values), *_points(table, across.shown, up.shown)])
    return Figure(f"{_goal(table)}, interpolated between the runs", [panel], scale=_scale(table))


def _grid(each: Dimension) -> tuple[Numbers, Numbers]:
    """Places along an axis, and the same from 0 to 1."""
    if each.categories:
        places = numpy.arange(len(each.options), dtype=float)
        return places, places / max(1, len(each.options) - 1)
    known = each.places[numpy.isfinite(each.places)]
    unit = numpy.linspace(0, 1, _GRID)
    low, high = float(numpy.min(known)), float(numpy.max(known))
    if not high > low:
        return numpy.array([low]), numpy.array([0.5])
    return (numpy.geomspace(low, high, _GRID) if each.log else low + unit * (high - low)), unit


def importance(table: Table) -> Figure:
    """How much each parameter mattered."""
    shares = table.sweep.importance()
    names = list(shares)[::-1][-30:]
    axis = Axis(ticks=[(float(at), name) for at, name in enumerate(names)], span=(-0.6, len(names) - 0.4))
    end = numpy.array([shares[name] for name in names], dtype=float)
    bars = Bars(numpy.arange(len(names), dtype=float), end, "importance", texts=[f"{share:.0%}" for share in end],
                labels=True)
    across = Axis("share of the importance", span=(0.0, max(float(numpy.max(end)) * 1.15, 1e-9)))
    return Figure(f"Importance for {table.metric}", [Panel(across, axis, [bars])])


def scatter(table: Table, x: str | None = None, y: str | None = None, z: str | None = None) -> Figure:
    """Runs by two or three parameters or metrics, coloured by value."""
    table.need_values("scatter")
    chosen = _pair(table, (x, y) if z is None else (x, y, z), "scatter")
    shown = table.valued.copy()
    for each in chosen:
        shown &= numpy.isfinite(each.places)
    table.need("scatter", int(shown.sum()), f"runs with a value that have {', '.join(each.name for each in chosen)}")
    depth = chosen[2] if len(chosen) > 2 else None
    marks = _points(table, chosen[0].shown, chosen[1].shown, None if depth is None else depth.shown, colour=True)
    panel = Panel(chosen[0].axis(), chosen[1].axis(), marks, None if depth is None else depth.axis())
    return Figure(_goal(table), [panel], scale=_scale(table))


def timeline(table: Table) -> Figure:
    """When each run went on, in as few rows as were needed at once."""
    rows = numpy.flatnonzero(numpy.isfinite(table.started))
    table.need("timeline", len(rows), "runs that have begun")
    rows = rows[numpy.argsort(table.started[rows], kind="stable")]
    begin = table.started[rows[0]]
    now = max(numpy.nanmax(table.ended[rows]) if numpy.isfinite(table.ended[rows]).any() else begin,
              numpy.max(table.started[rows]))
    start = table.started[rows] - begin
    end = numpy.where(numpy.isfinite(table.ended[rows]), table.ended[rows], now) - begin
    lanes = _lanes(start, end)
    unit, word = _unit(float(numpy.max(end)))
    marks: list[Mark] = []
    best = table.best if table.valued.any() else -1
    for name, role, statuses in (*_OF_STATUS, ("best", "best", ())):
        here = [i for i, row in enumerate(rows)
                if (row == best if role == "best" else table.status[row] in statuses and row != best)]
        if here:
            marks.append(Bars(lanes[here], end[here] / unit, name, role, start[here] / unit, table.texts(rows[here])))
    count = int(numpy.max(lanes)) + 1
    lane = Axis("runs at once", ticks=[(float(at), str(at + 1)) for at in range(count)] if count <= 16 else [],
                span=(-0.6, count - 0.4), integer=True)
    return Figure(f"Timeline of {len(rows)} runs", [Panel(Axis(f"time since the first began, {word}"), lane, marks)])


def _lanes(start: Numbers, end: Numbers) -> Numbers:
    """A row for each span, in order of their beginnings, so that none overlaps another in its row."""
    free: list[float] = []
    lanes = []
    for begins, ends in zip(start, end):
        lane = next((at for at, until in enumerate(free) if until <= begins), len(free))
        if lane == len(free):
            free.append(0.0)
        free[lane] = float(ends)
        lanes.append(float(lane))
    return numpy.array(lanes)


def _unit(seconds: float) -> tuple[float, str]:
    for unit, word in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds")):
        if seconds >= 3 * unit:
            return unit, word
    return (1.0, "seconds") if seconds >= 0.1 else (0.001, "milliseconds")


def edf(tables: Sequence[Table], names: Sequence[str]) -> Figure:
    """Which share of the runs with a value is at least as good: the empirical distribution function, of several
    sweeps beside each other."""
    marks: list[Mark] = []
    for at, (table, name) in enumerate(zip(tables, names)):
        table.need_values("edf")
        if (table.metric, table.maximize) != (tables[0].metric, tables[0].maximize):
            raise ConfigError(f"plot.edf: {name!r} is a sweep of {_goal(table)}, not of {_goal(tables[0])}")
        values = numpy.sort(table.value[table.valued])
        share = numpy.arange(1, len(values) + 1) / len(values)
        marks.append(Line(values, share, name, "runs" if len(tables) == 1 else "line", steps=True,
                          colour=CYCLE[at % len(CYCLE)]))
    everything = numpy.concatenate([mark.x for mark in marks if isinstance(mark, Line)])
    return Figure(f"Distribution of {_goal(tables[0])}",
                  [Panel(_value_axis(tables[0], everything), Axis("share of runs below", span=(0.0, 1.02)), marks)])


def rank(table: Table, params: Sequence[str] | None = None) -> Figure:
    """Pairs of parameters, runs coloured by their rank: 0 is the best, equal values share theirs."""
    table.need_values("rank")
    chosen = _chosen(table, params, "rank", 2, _PAIRS)
    place = numpy.full(len(table), math.nan)
    known = table.good[table.valued]
    place[table.valued] = [float((known > good).sum() + ((known == good).sum() - 1) / 2) for good in known]
    panels = []
    count = len(chosen) - 1
    for j in range(1, len(chosen)):
        for i in range(count):
            across, up = chosen[i], chosen[j]
            if i >= j:
                panels.append(Panel(Axis(), Axis(), []))
                continue
            shown = table.valued & numpy.isfinite(across.places) & numpy.isfinite(up.places)
            rows = numpy.flatnonzero(shown)[::-1]
            rows = rows[numpy.argsort(-place[rows], kind="stable")]  # the best are drawn last
            points = Points(across.shown[rows], up.shown[rows], "runs", "runs", table.texts(rows), None, place[rows])
            x, y = across.axis(), up.axis()
            x.title = x.title if j == len(chosen) - 1 else ""
            y.title = y.title if i == 0 else ""
            marks: list[Mark] = [points]
            if shown[table.best]:
                at = [table.best]
                marks.append(Points(across.shown[at], up.shown[at], "best", "best", table.texts(at)))
            panels.append(Panel(x, y, marks))
    highest = max(1.0, float(numpy.nanmax(place)))
    return Figure(f"Rank of runs by {_goal(table)}", panels, count, Scale("rank", (0.0, highest)))
