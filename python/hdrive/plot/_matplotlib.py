# SPDX-License-Identifier: Apache-2.0
"""Draws figures with matplotlib, without pyplot, so that nothing is kept or shown twice."""

from __future__ import annotations

import io
import math
from typing import Any

import matplotlib
import numpy
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure as MatplotlibFigure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from ._figure import COLOURS, OPACITY, Axis, Bars, Figure, Line, Mark, Panel, Parallel, Points, Scale, Surface

_MARKERS = {"best": "*", "failed": "x"}


class Shown(MatplotlibFigure):
    """A figure that shows itself in a notebook; `savefig` writes it."""

    def _repr_png_(self) -> bytes:
        png = io.BytesIO()
        self.savefig(png, format="png", dpi=110)
        return png.getvalue()


def draw(figure: Figure) -> Shown:
    """The figure, to be shown, saved or changed further."""
    if figure.parallel is not None:
        return _parallel(figure, figure.parallel)
    rows = math.ceil(len(figure.panels) / figure.columns)
    # Not Figure.subplots, which would make axes where there is no panel.
    drawn = Shown(figsize=(8.0 if figure.columns == 1 else 4.0 * figure.columns, 4.6 if rows == 1 else 3.2 * rows),
                  layout="constrained")
    FigureCanvasAgg(drawn)
    drawn.suptitle(_plain(figure.title), x=0.01, ha="left", fontsize=11)
    colours = _Colours(figure.scale)
    made = []
    for at, panel in enumerate(figure.panels):
        if not panel.marks:
            continue
        axes = drawn.add_subplot(rows, figure.columns, at + 1, **({} if panel.z is None else {"projection": "3d"}))
        made.append(axes)
        for mark in panel.marks:
            _mark(axes, mark, panel, colours)
        _finish(axes, panel)
    if colours.used:
        drawn.colorbar(colours.mappable, ax=made, label=_plain(colours.title))
    handles: dict[str, Any] = {}
    for axes in made:
        handles.update({text: handle for handle, text in zip(*axes.get_legend_handles_labels())})
    if len(handles) > 1:
        drawn.legend(list(handles.values()), list(handles), loc="outside lower right", ncols=min(6, len(handles)),
                     fontsize=8, frameon=False)
    return drawn


class _Colours:
    def __init__(self, scale: Scale | None) -> None:
        span = scale.span if scale is not None else (0.0, 1.0)
        self.title = scale.title if scale is not None else ""
        name = "cividis_r" if scale is not None and scale.reverse else "cividis"
        self.mappable = ScalarMappable(Normalize(*span, clip=True), matplotlib.colormaps[name])
        self.used = False

    def of(self, values: Any) -> Any:
        self.used = True
        return self.mappable.to_rgba(values)


def _plain(text: str) -> str:
    """Dollars are no formulas here."""
    return text.replace("$", r"\$")


def _mark(axes: Any, mark: Mark, panel: Panel, colours: _Colours) -> None:
    if isinstance(mark, Surface):
        colours.used = True
        if len(mark.x) > 1 and len(mark.y) > 1 and not panel.x.span and not panel.y.span:
            low, high = colours.mappable.get_clim()
            axes.contourf(mark.x, mark.y, mark.values, levels=numpy.linspace(low, high, 17), extend="both",
                          cmap=colours.mappable.get_cmap(), norm=colours.mappable.norm)
        else:
            axes.pcolormesh(_edges(mark.x, panel.x), _edges(mark.y, panel.y), mark.values,
                            cmap=colours.mappable.get_cmap(), norm=colours.mappable.norm)
        return
    colour, opacity, name = COLOURS[mark.role], OPACITY.get(mark.role, 0.9), _plain(mark.name)
    if isinstance(mark, Bars):
        start = mark.start if mark.start is not None else numpy.zeros(len(mark.end))
        bars = axes.barh(mark.y, mark.end - start, left=start, height=0.8, color=colour, alpha=opacity, label=name,
                         edgecolor="white", linewidth=0.5)
        if mark.labels:
            axes.bar_label(bars, mark.texts, padding=3, fontsize=8)
    elif isinstance(mark, Line):
        width = 2.0 if mark.colour else {"best": 2.4, "line": 1.6, "runs": 0.9}.get(mark.role, 0.8)
        axes.plot(mark.x, mark.y, color=mark.colour or colour, alpha=opacity, linewidth=width, label=name,
                  drawstyle="steps-post" if mark.steps else "default", zorder=4 if mark.role == "best" else 2)
    else:
        _points(axes, mark, panel, colours, colour, opacity, name)


def _points(axes: Any, mark: Points, panel: Panel, colours: _Colours, colour: str, opacity: float, name: str) -> None:
    best = mark.role == "best"
    given: dict[str, Any] = {"c": colour} if mark.colours is None else {"c": colours.of(mark.colours)}
    given.update(marker="o" if mark.colours is not None else _MARKERS.get(mark.role, "o"), s=150 if best else 26,
                 alpha=1.0 if best else opacity, label=name if mark.colours is None else None, zorder=5 if best else 3)
    if best:
        given.update(edgecolors="black", linewidths=0.8)
    elif given["marker"] == "o":
        given.update(linewidths=0.3, edgecolors="white")
    if mark.z is None:
        axes.scatter(mark.x, mark.y, **given)
    else:
        # Three dimensions have no logarithmic axes: what is drawn is the logarithm, and ticks say of what.
        x, y, z = (numpy.log10(places) if axis is not None and axis.log else places
                   for places, axis in ((mark.x, panel.x), (mark.y, panel.y), (mark.z, panel.z)))
        axes.scatter(x, y, z, depthshade=False, **given)


def _edges(places: Any, axis: Axis) -> Any:
    """The bounds of cells around places; one more than these."""
    if len(places) == 1:
        return numpy.array([places[0] - 0.5, places[0] + 0.5])
    at = numpy.log(places) if axis.log else places
    middle = (at[1:] + at[:-1]) / 2
    edges = numpy.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])
    return numpy.exp(edges) if axis.log else edges


def _power(at: float, _: int) -> str:
    """Of ten, to one digit."""
    return f"{float(f'{10 ** at:.1g}'):g}"


def _logarithmic(axes: Any, name: str, axis: Axis) -> None:
    getattr(axes, f"set_{name}scale")("log")
    if axis.ticks:
        return
    low, high = getattr(axes, f"get_{name}lim")()
    drawn = getattr(axes, f"{name}axis")
    if high < 100 * low:  # decades alone would be too few ticks
        drawn.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        drawn.set_major_formatter(FuncFormatter(lambda at, _: f"{at:g}"))
    drawn.set_minor_formatter(NullFormatter())


def _finish(axes: Any, panel: Panel) -> None:
    for name, axis in (("x", panel.x), ("y", panel.y), ("z", panel.z)):
        if axis is None:
            continue
        getattr(axes, f"set_{name}label")(_plain(axis.title))
        if axis.log and panel.z is None:
            _logarithmic(axes, name, axis)
        elif axis.log:
            getattr(axes, f"{name}axis").set_major_formatter(FuncFormatter(_power))
        elif axis.integer and not axis.ticks:
            getattr(axes, f"{name}axis").set_major_locator(MaxNLocator(integer=True))
        if axis.ticks and not (axis.log and panel.z is not None):
            getattr(axes, f"set_{name}ticks")([at for at, _ in axis.ticks], [_plain(text) for _, text in axis.ticks])
            if axis.log:
                getattr(axes, f"{name}axis").minorticks_off()
        if axis.span is not None:
            getattr(axes, f"set_{name}lim")(*axis.span)
    if panel.z is None:
        axes.spines[["top", "right"]].set_visible(False)
        if not any(isinstance(mark, Surface) for mark in panel.marks):
            axes.grid(alpha=0.25, linewidth=0.6)
            axes.set_axisbelow(True)


def _parallel(figure: Figure, parallel: Parallel) -> Shown:
    count = len(parallel.coordinates)
    drawn = Shown(figsize=(max(7.0, 1.5 * count), 4.6), layout="constrained")
    FigureCanvasAgg(drawn)
    drawn.suptitle(_plain(figure.title), x=0.01, ha="left", fontsize=11)
    axes = drawn.add_subplot()
    colours = _Colours(figure.scale)
    places = numpy.array([each.places for each in parallel.coordinates])
    shades = colours.of(parallel.colours)
    better = numpy.argsort(parallel.colours)
    if figure.scale is not None and not figure.scale.reverse:
        better = better[::-1]
    across = numpy.arange(count)
    for run in better:  # the best last, over the others
        axes.plot(across, places[:, run], color=shades[run], alpha=0.6, linewidth=0.9)
    axes.plot(across, places[:, parallel.best], color=COLOURS["best"], linewidth=2.4, label="best")
    for at, each in enumerate(parallel.coordinates):
        axes.axvline(at, color="#666666", linewidth=0.8, zorder=0)
        for place, text in each.ticks:
            axes.annotate(_plain(text), (at, place), xytext=(4, 0), textcoords="offset points", fontsize=7, va="center",
                          bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.7})
    axes.set_xticks(across, [_plain(each.title) for each in parallel.coordinates])
    axes.set_yticks([])
    axes.set_xlim(-0.1, count - 0.6)
    axes.spines[:].set_visible(False)
    axes.legend(loc="upper right", bbox_to_anchor=(1.0, 1.1), fontsize=8, frameon=False)
    drawn.colorbar(colours.mappable, ax=axes, label=_plain(colours.title))
    return drawn
