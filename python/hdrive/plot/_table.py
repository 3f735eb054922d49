# SPDX-License-Identifier: Apache-2.0
"""The runs of a sweep as columns of numbers, and its parameters as axes."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy

from .._errors import ConfigError, NotFoundError
from ._figure import Axis, Numbers

if TYPE_CHECKING:
    from .._core import Expression
    from .._sweep import Sweep

_LOGARITHMIC = ("loguniform", "qloguniform", "lognormal", "qlognormal", "log_uniform_values", "q_log_uniform_values",
                "int_log_uniform")
_INTEGERS = ("randint", "int_uniform", "int_log_uniform")
# Of numbers among a choice so many get a tick each.
_TICKS = 8
# Of the golden ratio and its like: multiples modulo 1 spread out, in two dimensions too.
_STEPS = (0.618034, 0.754878, 0.569840)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def label(value: Any) -> str:
    """An option as people read it: short, and a text without quotes."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 24 else text[:23] + "…"


class Dimension:
    """A parameter as an axis: `places` puts its values on it."""

    def __init__(self, name: str, expression: Expression, column: list[Any], order: int = 0) -> None:
        self.name = name
        self._step = _STEPS[order % len(_STEPS)]
        self.options: list[Any] = expression.options
        self.categories = bool(self.options) and not all(_is_number(o) for o in self.options)
        if self.categories:
            # Equal in JSON is equal here: 1 and True are two options.
            keys = {json.dumps(option, sort_keys=True): float(i) for i, option in enumerate(self.options)}
            places = [math.nan if value is None and None not in self.options
                      else keys.get(json.dumps(value, sort_keys=True), math.nan) for value in column]
        else:
            places = [float(value) if _is_number(value) else math.nan for value in column]
        self.places: Numbers = numpy.array(places, dtype=float)
        known = self.places[numpy.isfinite(self.places)]
        self.log = expression.name in _LOGARITHMIC and bool(len(known)) and bool((known > 0).all())
        self.integer = expression.name in _INTEGERS

    @property
    def shown(self) -> Numbers:
        """The places of points: of categories a little aside, each run always the same, so that they do not hide
        each other."""
        if not self.categories:
            return self.places
        aside: Numbers = self.places + (numpy.arange(len(self.places)) * self._step % 1 - 0.5) * 0.4
        return aside

    @property
    def varies(self) -> bool:
        """Whether at least two runs differ in it, or one lacks it."""
        known = self.places[numpy.isfinite(self.places)]
        return len(known) > 0 and (len(known) < len(self.places) or bool((known != known[0]).any()))

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Labels of places: of categories all, of a few numbers too."""
        if self.categories:
            return [(float(i), label(option)) for i, option in enumerate(self.options)]
        if 0 < len(self.options) <= _TICKS:
            return [(float(option), label(option)) for option in sorted(self.options)]
        return []

    def axis(self, title: str | None = None) -> Axis:
        """With categories as ticks, logarithmic where the parameter is drawn so."""
        span = (-0.5, len(self.options) - 0.5) if self.categories else None
        return Axis(self.name if title is None else title, self.log, self.ticks, span, self.integer)

    def unit(self) -> Numbers:
        """The places from 0 to 1, evenly as the axis shows them; NaN stays."""
        places = numpy.log(self.places) if self.log else self.places
        if self.categories:
            return places / max(1, len(self.options) - 1)
        known = places[numpy.isfinite(places)]
        low, high = (numpy.min(known), numpy.max(known)) if len(known) else (0.0, 1.0)
        if not high > low:
            return numpy.where(numpy.isfinite(places), 0.5, places)
        scaled: Numbers = (places - low) / (high - low)
        return scaled


class Table:
    """A sweep as it stands: a row a run.

    `value` is NaN where a run has none; `good` is the value where higher is better, for ranking.
    """

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        columns = sweep._view.columns().to_dict()
        self.metric = sweep.metric
        self.maximize = sweep.goal == "maximize"
        self.number = numpy.asarray(columns["number"], dtype=int)
        self.status: list[str] = list(columns["status"])
        self.value: Numbers = numpy.array(columns["value"], dtype=float)
        self.started: Numbers = _times(columns["started"])
        self.ended: Numbers = _times(columns["ended"])
        self.metrics = {name[len("metrics_"):]: column for name, column in columns.items()
                        if name.startswith("metrics_")}
        self.dimensions: dict[str, Dimension] = {}
        self._params: dict[str, list[Any]] = {}
        for name, expression, _ in sweep._spec.space.parameters:
            bare = name.lstrip("-")
            given = columns.get("params_" + bare, [None] * len(self))
            values = given if isinstance(given, list) else given.tolist()
            column = [None if _is_nan(value) else value for value in values]
            self._params[bare] = column
            self.dimensions.setdefault(bare, Dimension(bare, expression, column, len(self.dimensions)))

    def __len__(self) -> int:
        return len(self.number)

    @property
    def good(self) -> Numbers:
        """The value, turned so that more is better."""
        return self.value if self.maximize else -self.value

    def has(self, *statuses: str) -> numpy.ndarray[Any, numpy.dtype[numpy.bool_]]:
        """Which runs have one of these."""
        return numpy.array([status in statuses for status in self.status], dtype=bool)

    @property
    def valued(self) -> numpy.ndarray[Any, numpy.dtype[numpy.bool_]]:
        """Which runs have a value."""
        return numpy.isfinite(self.value)

    @property
    def best(self) -> int:
        """The row of the best run."""
        return int(numpy.nanargmax(self.good))

    def need(self, kind: str, found: int, of: str, least: int = 2) -> None:
        """Raises NotFoundError where there is too little to be shown."""
        if found < least:
            raise NotFoundError(f"plot.{kind} needs {least} {of}; the sweep has {found or 'none'}")

    def need_values(self, kind: str) -> None:
        """Raises NotFoundError with fewer than two runs that have a value."""
        self.need(kind, int(self.valued.sum()), f"runs with a value of {self.metric}")

    def choose(self, names: list[str] | tuple[str, ...] | None) -> list[Dimension]:
        """The parameters of these names; without names those that vary."""
        if names is None:
            return [each for each in self.dimensions.values() if each.varies]
        return [self.dimension(name) for name in names]

    def dimension(self, name: str) -> Dimension:
        """The parameter of that name, or a metric's last values as one. Raises ConfigError with the nearest match."""
        if name in self.dimensions:
            return self.dimensions[name]
        column: list[Any]
        if name in self.metrics:
            column = [float(value) if value is not None else None for value in self.metrics[name]]
        elif name == "number":
            column = [int(number) for number in self.number]
        else:
            import difflib
            known = [*self.dimensions, *self.metrics, "number"]
            near = difflib.get_close_matches(name, known, 1)
            raise ConfigError(f"{name!r} is neither a parameter nor a metric of the sweep; "
                              + (f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known)}"))
        from .. import _core
        return Dimension(name, _core.expression("uniform", [0, 1]), column)

    def by_importance(self) -> list[Dimension]:
        """Those that vary, the most important first; in the space's order where nothing is known yet."""
        varying = self.choose(None)
        try:
            shares = self.sweep.importance()
        except Exception:  # too few runs to tell
            return varying
        return sorted(varying, key=lambda each: -shares.get(each.name, 0.0))

    def text(self, row: int) -> str:
        """What is told of a run when somebody points at it."""
        value = self.value[row]
        lines = [f"run {self.number[row]}: {self.status[row]}",
                 *([f"{self.metric}: {value:g}"] if math.isfinite(value) else []),
                 *(f"{name}: {label(_short(column[row]))}" for name, column in self._params.items()
                   if column[row] is not None)]
        return "\n".join(lines)

    def texts(self, rows: Any) -> list[str]:
        """The same of several."""
        return [self.text(int(row)) for row in rows]


def _short(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) and math.isfinite(value) else value


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _times(column: Any) -> Numbers:
    """Seconds since the Unix epoch; NaN where there is none."""
    return numpy.array([math.nan if time is None else float(time) for time in column], dtype=float) / 1e6
