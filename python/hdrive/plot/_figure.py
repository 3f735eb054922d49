# SPDX-License-Identifier: Apache-2.0
"""What a figure consists of, whatever draws it: panels of marks over axes, as plain numbers.

`_kinds` makes figures, `_plotly` and `_matplotlib` draw them. NaN breaks a line and hides a point.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Union

import numpy
from numpy.typing import NDArray

Numbers = NDArray[numpy.float64]
# What a mark stands for, from which its colour, width and opacity follow.
Role = Literal["runs", "stopped", "failed", "running", "best", "line", "second"]

# Okabe and Ito's colours, which the colour-blind tell apart.
COLOURS = {"runs": "#0072B2", "stopped": "#999999", "failed": "#D55E00", "running": "#56B4E9", "best": "#E69F00",
           "line": "#333333", "second": "#009E73"}
# More of them, for what is only to be told apart.
CYCLE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#333333")
OPACITY = {"stopped": 0.35, "running": 0.6}


@dataclass
class Axis:
    """`ticks` are places and their labels, where they are not numbers of the axis itself."""

    title: str = ""
    log: bool = False
    ticks: list[tuple[float, str]] = field(default_factory=list)
    span: tuple[float, float] | None = None
    integer: bool = False


@dataclass
class Points:
    """Runs as points. `colours` are values on the figure's scale, and replace the colour of the role."""

    x: Numbers
    y: Numbers
    name: str
    role: Role = "runs"
    texts: list[str] = field(default_factory=list)
    z: Numbers | None = None
    colours: Numbers | None = None


@dataclass
class Line:
    """A line through points; with `steps` it goes on level until the next."""

    x: Numbers
    y: Numbers
    name: str
    role: Role = "line"
    steps: bool = False
    texts: list[str] = field(default_factory=list)
    colour: str | None = None


@dataclass
class Bars:
    """Horizontal bars from `start` (else 0) to `end`, one at each `y`."""

    y: Numbers
    end: Numbers
    name: str
    role: Role = "runs"
    start: Numbers | None = None
    texts: list[str] = field(default_factory=list)
    labels: bool = False


@dataclass
class Surface:
    """Values over a grid: `values[j][i]` at `x[i]`, `y[j]`. On an axis of categories the grid has one place each."""

    x: Numbers
    y: Numbers
    values: Numbers


Mark = Union[Points, Line, Bars, Surface]


@dataclass
class Panel:
    """Axes and what is drawn between them; with `z` in three dimensions."""

    x: Axis
    y: Axis
    marks: list[Mark]
    z: Axis | None = None


@dataclass
class Coordinate:
    """One axis of parallel coordinates: each run's place from 0 to 1, and labels of places."""

    title: str
    places: Numbers
    ticks: list[tuple[float, str]]


@dataclass
class Parallel:
    """A line a run across coordinates; the best runs are drawn last."""

    coordinates: list[Coordinate]
    colours: Numbers
    best: int


@dataclass
class Scale:
    """How values become colours: dark is good. `reverse` where high values are good."""

    title: str
    span: tuple[float, float]
    reverse: bool = False


@dataclass
class Figure:
    """Panels, `columns` beside each other; or parallel coordinates."""

    title: str
    panels: list[Panel] = field(default_factory=list)
    columns: int = 1
    scale: Scale | None = None
    parallel: Parallel | None = None
