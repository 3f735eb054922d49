# SPDX-License-Identifier: Apache-2.0
"""Draws figures with Plotly."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import numpy
from plotly import graph_objects
from plotly.subplots import make_subplots

from ._figure import COLOURS, OPACITY, Axis, Bars, Figure, Line, Mark, Panel, Parallel, Points, Scale, Surface

_SYMBOLS = {"best": "star", "failed": "x"}
_SCALE = "Cividis"


def draw(figure: Figure) -> graph_objects.Figure:
    """The figure, to be shown, written or changed further."""
    drawn = _parallel(figure, figure.parallel) if figure.parallel is not None else _panels(figure)
    drawn.update_layout(title_text=escape(figure.title), template="plotly_white", hoverlabel_align="left",
                        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "right", "x": 1.0})
    return drawn


def _panels(figure: Figure) -> graph_objects.Figure:
    rows = math.ceil(len(figure.panels) / figure.columns)
    deep = any(panel.z is not None for panel in figure.panels)
    specs = None
    if deep or not all(panel.marks for panel in figure.panels):
        kind = {"type": "scene"} if deep else {}
        cells = [kind if panel.marks else None for panel in figure.panels]
        cells += [None] * (rows * figure.columns - len(cells))
        specs = [cells[at:at + figure.columns] for at in range(0, len(cells), figure.columns)]
    drawn = make_subplots(rows, figure.columns, specs=specs, horizontal_spacing=0.1 / figure.columns + 0.02,
                          vertical_spacing=0.24 / rows if rows > 1 else 0.1)
    named: set[str] = set()
    for at, panel in enumerate(figure.panels):
        if not panel.marks:
            continue
        place = {"row": at // figure.columns + 1, "col": at % figure.columns + 1}
        for mark in panel.marks:
            drawn.add_trace(_trace(mark, panel, figure.scale, named), **place)
        if panel.z is None:
            drawn.update_xaxes(**_axis(panel.x), **place)
            drawn.update_yaxes(**_axis(panel.y), **place)
        else:
            drawn.update_scenes(xaxis=_axis(panel.x), yaxis=_axis(panel.y), zaxis=_axis(panel.z), **place)
    if figure.scale is not None:
        drawn.update_layout(coloraxis=_scale(figure.scale))
    drawn.update_layout(barmode="overlay", showlegend=len(named) > 1)
    if rows > 1:
        drawn.update_layout(height=150 + 260 * rows)
    return drawn


def _scale(scale: Scale) -> dict[str, Any]:
    return {"colorscale": _SCALE, "reversescale": scale.reverse, "cmin": scale.span[0], "cmax": scale.span[1],
            "colorbar": {"title": {"text": escape(scale.title)}}}


def _axis(axis: Axis) -> dict[str, Any]:
    given: dict[str, Any] = {"title": {"text": escape(axis.title)}}
    if axis.log:
        given.update(type="log", exponentformat="power")
    if axis.ticks:
        given.update(tickmode="array", tickvals=[at for at, _ in axis.ticks],
                     ticktext=[escape(text) for _, text in axis.ticks])
    if axis.span is not None:
        given.update(range=list(axis.span))
    if axis.integer and not axis.ticks and not axis.log:
        given.update(tickformat="d")
    return given


def _hover(texts: list[str]) -> dict[str, Any]:
    if not texts:
        return {}
    return {"text": [escape(text).replace("\n", "<br>") for text in texts], "hovertemplate": "%{text}<extra></extra>"}


def _trace(mark: Mark, panel: Panel, scale: Scale | None, named: set[str]) -> Any:
    if isinstance(mark, Surface):
        span = scale.span if scale is not None else (None, None)
        many = len(mark.x) > 1 and len(mark.y) > 1 and not (panel.x.ticks and panel.x.span) \
            and not (panel.y.ticks and panel.y.span)
        shared = {"x": mark.x, "y": mark.y, "z": numpy.clip(mark.values, *span), "coloraxis": "coloraxis",
                  "hoverinfo": "skip"}
        if many:
            return graph_objects.Contour(**shared, ncontours=16, contours={"coloring": "heatmap"},
                                         line={"width": 0.4, "color": "rgba(255,255,255,0.6)"})
        return graph_objects.Heatmap(**shared)
    given: dict[str, Any] = {"name": escape(mark.name), "legendgroup": mark.name, "showlegend": mark.name not in named}
    named.add(mark.name)
    colour = COLOURS[mark.role]
    if isinstance(mark, Bars):
        start = mark.start if mark.start is not None else numpy.zeros(len(mark.end))
        labels = {"texttemplate": "%{text}", "textposition": "outside"} if mark.labels else {"textposition": "none"}
        return graph_objects.Bar(x=mark.end - start, base=start, y=mark.y, orientation="h", width=0.8,
                                 marker={"color": colour, "line": {"color": "white", "width": 0.5},
                                         "opacity": OPACITY.get(mark.role, 1.0)},
                                 **given, **_hover(mark.texts), **labels)
    if isinstance(mark, Line):
        thick = {"best": 3.0, "line": 2.0, "runs": 1.2}.get(mark.role, 1.0)
        return graph_objects.Scatter(x=mark.x, y=mark.y, mode="lines", connectgaps=False,
                                     line={"color": mark.colour or colour, "width": 2.0 if mark.colour else thick,
                                           "shape": "hv" if mark.steps else "linear"},
                                     opacity=OPACITY.get(mark.role, 1.0), **given, **_hover(mark.texts))
    return _points(mark, given, colour)


def _points(mark: Points, given: dict[str, Any], colour: str) -> Any:
    best = mark.role == "best"
    marker: dict[str, Any] = {"color": colour, "opacity": OPACITY.get(mark.role, 0.85), "size": 14 if best else 7,
                              "symbol": _SYMBOLS.get(mark.role, "circle")}
    if mark.colours is not None:
        marker.update(color=mark.colours, coloraxis="coloraxis", symbol="circle")
        given["showlegend"] = False
    if best:
        marker.update(opacity=1.0, line={"color": "black", "width": 1})
    if mark.z is not None:
        marker.update(symbol="diamond" if best else "circle", size=8 if best else 5)
        return graph_objects.Scatter3d(x=mark.x, y=mark.y, z=mark.z, mode="markers", marker=marker, **given,
                                       **_hover(mark.texts))
    return graph_objects.Scatter(x=mark.x, y=mark.y, mode="markers", marker=marker, **given, **_hover(mark.texts))


def _parallel(figure: Figure, parallel: Parallel) -> graph_objects.Figure:
    dimensions = []
    for each in parallel.coordinates:
        least = min([-0.02, *(at for at, _ in each.ticks)])
        dimensions.append({"label": escape(each.title), "values": each.places, "range": [least, 1.02],
                           "tickvals": [at for at, _ in each.ticks],
                           "ticktext": [escape(text) for _, text in each.ticks]})
    line: dict[str, Any] = {"color": parallel.colours}
    if figure.scale is not None:
        given = _scale(figure.scale)
        line.update(given, showscale=True)
    return graph_objects.Figure(graph_objects.Parcoords(dimensions=dimensions, line=line))
