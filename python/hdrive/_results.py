# SPDX-License-Identifier: Apache-2.0
"""Results: what came of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _core, _specification
from ._errors import NotFoundError
from ._kept import Kept
from ._stored_run import Runs, StoredRun

if TYPE_CHECKING:
    import pandas

    from .plot import Plots

__all__ = ["Results"]


class Results(Kept):
    """The part of a sweep that is read."""

    @property
    def best(self) -> StoredRun:
        """The run with the best value of the primary metric. Raises NotFoundError before there is one.

            sweep.run(train).best.params
        """
        found = self._view.best()
        if found is None:
            why = f": {self.reason}" if self.reason else ""
            raise NotFoundError(f"no run has reported {self.metric} yet, so none is the best{why}")
        return StoredRun(self._whole, found)

    @property
    def runs(self) -> Runs:
        """All runs, as a sequence."""
        return Runs(self._whole)

    def to_dataframe(self) -> pandas.DataFrame:
        """A pandas data frame with a row a run: number, status, value, params_NAME, metrics_NAME (last values),
        attempt, cause, created, started, ended (UTC), seconds.

            table = sweep.to_dataframe()
            table[table.status == "Completed"].nsmallest(5, "value")
        """
        import pandas
        columns = self._view.columns()
        table = pandas.DataFrame(columns.to_dict())
        for name in columns.times:
            table[name] = pandas.to_datetime(table[name], unit="us", utc=True)
        return table

    def to_arrow(self) -> _core.Columns:
        """The same table for whatever reads Arrow's PyCapsule interface: pyarrow.table(sweep.to_arrow()),
        polars.DataFrame(...), duckdb."""
        columns: _core.Columns = self._view.columns()
        return columns

    def importance(self) -> dict[str, float]:
        """How much each parameter mattered, most important first; together 1 (PED-ANOVA: Watanabe, Bansal, Hutter,
        IJCAI 2023). Needs ten runs with a value.

            for name, share in sweep.run(train).importance().items():
                print(f"{name}: {share:.0%}")
        """
        return _core.importance(self._view, self._spec)

    def model(self) -> dict[str, Any]:
        """What a Gaussian process believes about the sweep, whatever its sampler: lengthscales and shares of the
        parameters, the noise, how well it predicts each run from the others."""
        return dict(_core.model(self._view, self._spec))

    def best_by_model(self) -> StoredRun:
        """The run of whose parameters a model of all results expects the most; under noise not the luckiest."""
        number = _core.pick(self._view, self._spec)["run"]
        return StoredRun(self._whole, self._view.run(number))

    def explain(self, run: StoredRun | int) -> str:
        """Why a run has its parameters, what the policy found, and how it ended.

        >>> print(sweep.run(train).explain(3))
        run 3: Completed, {'lr': ..., 'layers': ..., 'momentum': ...}
        chosen: drawn at random, seed 1
        policy: ...
        ended: completed
        """
        number = run.number if hasattr(run, "number") else _specification.count("run", run, 0)
        stored = StoredRun(self._whole, self._view.run(number))
        lines = [f"run {number}: {stored.status}, {stored.params}"]
        if stored.proposal:
            lines.append(f"chosen: {stored.proposal}")
        verdict = self._view.verdict(number)
        if verdict is not None:
            lines.append(f"policy: {verdict[1]}")
        if stored.reason:
            lines.append(f"ended: {stored.reason}")
        return "\n".join(lines)

    def watch(self, interval: float = 1.0) -> None:
        """Shows the sweep in a notebook, live: the output is replaced every `interval` seconds until the sweep has
        ended, whoever runs it. Returns at once. A sweep as the last line of a cell does the same. Raises ConfigError
        where there is no IPython.

            handle = sweep.start(train)
            sweep.watch()
        """
        from ._watch import show
        show(self._whole, interval)

    @property
    def plot(self) -> Plots:
        """Figures of the sweep: history, curves, parallel_coordinates, slice, contour, importance, scatter, timeline,
        edf and rank. Needs Plotly or matplotlib.

            sweep.run(train).plot.slice()
        """
        from .plot import Plots
        return Plots(self._whole)

    @property
    def notes(self) -> list[str]:
        """What was worth telling on the way: warnings, runs without the primary metric."""
        return [text if run is None else f"run {run}: {text}" for _, run, text in self._view.notes()]

    def controller_log(self) -> str:
        """What was done with the sweep and when, a line each, framed as HyperDrive's hyperdrive.txt is: drawn, started,
        stopped by the policy, ended. `hdrive logs SWEEP --controller` prints the same.

            print(sweep.run(train).controller_log())
        """
        return str(self._view.controller_log())
