# SPDX-License-Identifier: Apache-2.0
"""Plots of a sweep: `sweep.plot.history()` and others, with Plotly where it is installed, else with matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from .._errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._sweep import Sweep
    from ._figure import Figure
    from ._table import Table

__all__ = ["Plots"]

Backend = Literal["plotly", "matplotlib"]


class Plots:
    """The plots of a sweep, as they stand when they are made.

        figure = sweep.run(train).plot.history()
        figure.write_html("history.html")                  # Plotly's; of matplotlib figure.savefig("history.png")
        sweep.plot("matplotlib").slice()                   # with this one, whatever is installed

    In a notebook a figure shows itself. Colours are told apart by the colour-blind; the best run is orange, runs
    that were stopped are faded; axes are logarithmic where a parameter is drawn so. All raise NotFoundError where
    the sweep has too few runs, with fewer than two as a rule, and ConfigError for a parameter that it has not.
    """

    def __init__(self, sweep: Sweep, backend: Backend | None = None) -> None:
        self._sweep = sweep
        self._backend = backend

    def __call__(self, backend: Backend) -> Plots:
        """The same plots by "plotly" or "matplotlib"."""
        if backend not in ("plotly", "matplotlib"):
            raise ConfigError(f"plot: {backend!r} is none; allowed: plotly, matplotlib")
        return Plots(self._sweep, backend)

    def _table(self, sweep: Sweep | None = None) -> Table:
        from ._table import Table
        return Table(self._sweep if sweep is None else sweep)

    def _draw(self, figure: Figure) -> Any:
        if self._backend != "matplotlib":
            try:
                from . import _plotly
                return _plotly.draw(figure)
            except ImportError:
                if self._backend == "plotly":
                    raise ConfigError("plot: Plotly is not installed (pip install plotly)") from None
        try:
            from . import _matplotlib
        except ImportError:
            raise ConfigError("plot: needs Plotly or matplotlib (pip install plotly)") from None
        return _matplotlib.draw(figure)

    def history(self) -> Any:
        """The runs' values in the order of their numbers, and the best so far."""
        from . import _kinds
        return self._draw(_kinds.history(self._table()))

    def curves(self, metric: str | None = None, most: int = 100) -> Any:
        """What the runs logged of a metric (by default the primary one) over their steps, or over the count of their
        reports where they gave no steps. Of more than `most` runs the best ones are shown."""
        from . import _kinds
        return self._draw(_kinds.curves(self._table(), metric, most))

    def parallel_coordinates(self, params: Sequence[str] | None = None) -> Any:
        """A line a run through its parameters to its value. A parameter that a run lacks is "absent" there."""
        from . import _kinds
        return self._draw(_kinds.parallel_coordinates(self._table(), params))

    def slice(self, params: Sequence[str] | None = None) -> Any:
        """Each parameter by itself against the value; without `params` those that vary, at most nine."""
        from . import _kinds
        return self._draw(_kinds.slices(self._table(), params))

    def contour(self, x: str | None = None, y: str | None = None) -> Any:
        """The value over two parameters, by default the two most important. The surface is interpolated between the
        runs (inverse-distance weighting): for the eye, and no model."""
        from . import _kinds
        return self._draw(_kinds.contour(self._table(), x, y))

    def importance(self) -> Any:
        """How much each parameter mattered: `sweep.importance()` as bars. Needs ten runs with a value."""
        from . import _kinds
        return self._draw(_kinds.importance(self._table()))

    def scatter(self, x: str | None = None, y: str | None = None, z: str | None = None) -> Any:
        """Runs by two parameters or metrics ("number" is the run's), coloured by value; with `z` in three dimensions.
        By default the two most important parameters.

            sweep.run(train).plot.scatter("lr", "momentum", "layers")
        """
        from . import _kinds
        return self._draw(_kinds.scatter(self._table(), x, y, z))

    def timeline(self) -> Any:
        """When each run began and ended, in as many rows as there were runs at once."""
        from . import _kinds
        return self._draw(_kinds.timeline(self._table()))

    def edf(self, *others: Sweep) -> Any:
        """Which share of the runs has a value below each: the empirical distribution function. With other sweeps of
        the same metric beside each other: where searches are compared, the one whose curve lies to the better
        side is the better."""
        from . import _kinds
        sweeps = [self._sweep, *others]
        names = [each.name or each.id[:11] or f"sweep {at}" for at, each in enumerate(sweeps, 1)]
        return self._draw(_kinds.edf([self._table(each) for each in sweeps], names))

    def rank(self, params: Sequence[str] | None = None) -> Any:
        """Pairs of parameters with the runs coloured by their rank, 0 the best: where good ones lie is seen
        whatever the values are. Without `params` the four most important."""
        from . import _kinds
        return self._draw(_kinds.rank(self._table(), params))

    def __repr__(self) -> str:
        kinds = ", ".join(name for name in dir(type(self)) if not name.startswith("_"))
        return f"<Plots of {self._sweep!r}: {kinds}>"
