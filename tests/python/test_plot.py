# SPDX-License-Identifier: Apache-2.0
"""Plots: what they consist of, as numbers, and that both renderers draw them."""

import math
import subprocess
import sys

import hdrive
import numpy
import pytest
from hdrive.plot import _kinds
from hdrive.plot._figure import Bars, Line, Points, Surface
from hdrive.plot._table import Table

SPACE = {
    "lr": hdrive.log_uniform_values(1e-4, 0.1),
    "layers": hdrive.choice(1, 2, 4),
    "optimizer": hdrive.choice(hdrive.option("<sgd>", {"momentum": hdrive.uniform(0, 1)}), "adam"),
    "fixed": hdrive.choice(3),
}


def train(run, params):
    value = abs(math.log10(params["lr"]) + 2) + params["layers"] + params.get("momentum", 0.5)
    for step in range(4):
        run.log("loss", value - step / 10, step)
    run.log("size", params["layers"] * 100)
    if run.number == 5:
        raise ValueError("broken")


@pytest.fixture(scope="module")
def sweep():
    return hdrive.Sweep(SPACE, metric="loss", goal="minimize", max_total_runs=24, max_concurrent_runs=2, seed=4,
                        directory=":memory:", policy=hdrive.Bandit(slack_amount=2, delay_evaluation=2)).run(train)


@pytest.fixture(scope="module")
def table(sweep):
    return Table(sweep)


def by_name(panel, kind=object):
    return {mark.name: mark for mark in panel.marks if isinstance(mark, kind) and not isinstance(mark, Surface)}


# ---- what is shown --------------------------------------------------------------------------------------------


def test_the_best_run_is_the_sweeps_best_also_when_maximized(sweep, table):
    assert table.number[table.best] == sweep.best.number
    other = hdrive.Sweep({"x": hdrive.uniform(0, 1)}, metric="a", goal="maximize", max_total_runs=9,
                         directory=":memory:").run(lambda x: x)
    assert Table(other).best == other.best.number
    line = by_name(_kinds.history(Table(other)).panels[0])["best so far"]
    assert (numpy.diff(line.y) >= 0).all()


def test_history_tells_stopped_and_failed_from_completed(sweep, table):
    figure = _kinds.history(table)
    marks = by_name(figure.panels[0])
    assert marks["failed"].x.tolist() == [5]
    stopped = [run.number for run in sweep.runs if run.status == "Canceled"]
    assert stopped
    assert marks["stopped"].x.tolist() == stopped
    assert len(marks["completed"].x) + len(stopped) + 1 == 24
    assert marks["best"].x.tolist() == [sweep.best.number]
    so_far = marks["best so far"].y
    assert (numpy.diff(so_far) <= 0).all()
    assert so_far[-1] == sweep.best.value
    assert "1 failed" in figure.title
    assert marks["completed"].texts[0].startswith(f"run {int(marks['completed'].x[0])}: Completed\nloss: ")


def test_values_over_decades_are_on_a_logarithmic_axis(make):
    wide = make(max_total_runs=10).run(lambda run, params: 10.0 ** run.number)
    assert _kinds.history(Table(wide)).panels[0].y.log
    narrow = make(max_total_runs=10).run(lambda run, params: float(run.number))
    assert not _kinds.history(Table(narrow)).panels[0].y.log


def test_curves_are_broken_between_runs_and_end_where_a_run_was_stopped(sweep, table):
    marks = by_name(_kinds.curves(table).panels[0], Line)
    assert marks["best"].y.tolist() == sweep.best.metrics["loss"].tolist()
    stopped = marks["stopped"]
    runs = [run for run in sweep.runs if run.status == "Canceled"]
    assert int(numpy.isnan(stopped.x).sum()) == len(runs)
    assert stopped.y[: len(runs[0].metrics["loss"])].tolist() == runs[0].metrics["loss"].tolist()
    few = _kinds.curves(table, most=3)
    assert "the best 3 of 24" in few.title
    assert _kinds.curves(table, "size").panels[0].y.title == "size"
    with pytest.raises(hdrive.NotFoundError, match="loss, size"):
        _kinds.curves(table, "none")


def test_axes_are_as_the_parameters_are(table):
    panels = {panel.x.title.split(" ")[0]: panel for panel in _kinds.slices(table).panels}
    assert list(panels) == ["lr", "layers", "optimizer", "momentum"]  # what never varies is left out
    assert panels["lr"].x.log
    assert not panels["momentum"].x.log
    assert panels["layers"].x.ticks == [(1, "1"), (2, "2"), (4, "4")]
    assert panels["optimizer"].x.ticks == [(0, "<sgd>"), (1, "adam")]
    assert panels["optimizer"].x.span == (-0.5, 1.5)


def test_absent_values_are_left_out_and_said_so(sweep, table):
    having = sum("momentum" in run.params for run in sweep.runs)
    panel = _kinds.slices(table, ["momentum"]).panels[0]
    assert panel.x.title == f"momentum ({having} of 24 runs have it)"
    marks = [mark for name, mark in by_name(panel, Points).items() if name != "best"]
    assert sum(len(mark.x) for mark in marks) == having
    assert all(numpy.isfinite(mark.x).all() for mark in marks)
    parallel = _kinds.parallel_coordinates(table).parallel
    momentum = next(each for each in parallel.coordinates if each.title == "momentum")
    assert momentum.ticks[0] == (-0.15, "absent")
    assert int((momentum.places == -0.15).sum()) == 24 - having


def test_parallel_coordinates_end_in_the_value(sweep, table):
    parallel = _kinds.parallel_coordinates(table, ["lr", "layers"]).parallel
    assert [each.title for each in parallel.coordinates] == ["lr", "layers", "loss"]
    assert parallel.coordinates[-1].places[parallel.best] == 0
    for each in parallel.coordinates:
        assert ((each.places >= 0) & (each.places <= 1)).all()
    lowest, highest = parallel.coordinates[0].ticks[0], parallel.coordinates[0].ticks[-1]
    drawn = sorted(run.params["lr"] for run in sweep.runs)
    assert (float(lowest[1]), float(highest[1])) == pytest.approx((drawn[0], drawn[-1]), rel=0.01)


def test_a_contour_goes_through_the_runs(table):
    figure = _kinds.contour(table, "lr", "momentum")
    surface = next(mark for mark in figure.panels[0].marks if isinstance(mark, Surface))
    assert surface.values.shape == (len(surface.y), len(surface.x))
    known = table.value[numpy.isfinite(table.dimensions["momentum"].places)]
    assert known.min() <= surface.values.min() <= surface.values.max() <= known.max()
    at = numpy.abs(surface.values - known.min()).min()
    assert at < 0.2 * (known.max() - known.min())
    categories = _kinds.contour(table, "optimizer", "layers").panels[0]
    assert next(mark for mark in categories.marks if isinstance(mark, Surface)).x.tolist() == [0, 1]


def test_importance_is_what_the_sweep_says(sweep, table):
    bars = _kinds.importance(table).panels[0].marks[0]
    shares = sweep.importance()
    assert bars.end.tolist() == list(shares.values())[::-1]


def test_a_scatter_takes_parameters_and_metrics_in_two_or_three_dimensions(sweep, table):
    flat = _kinds.scatter(table, "lr", "size")
    assert flat.panels[0].z is None
    shown = [mark for name, mark in by_name(flat.panels[0]).items() if name != "best"]
    assert sum(len(mark.x) for mark in shown) == sum("size" in run.metrics for run in sweep.runs)
    deep = _kinds.scatter(table, "lr", "layers", "optimizer").panels[0]
    assert deep.z.ticks == [(0, "<sgd>"), (1, "adam")]
    with pytest.raises(hdrive.ConfigError, match="did you mean 'layers'"):
        _kinds.scatter(table, "layer")


def test_colours_are_dark_for_the_best_and_forgive_what_is_far_out(make):
    sweep = make(max_total_runs=20).run(lambda run, params: 1e6 if run.number == 3 else 1 + run.number / 10)
    scale = _kinds.scatter(Table(sweep), "x", "number").scale
    assert scale.span[0] == 1
    assert scale.span[1] < 10
    assert not scale.reverse
    other = make(goal="maximize").run(lambda x: x)
    assert _kinds.scatter(Table(other), "x", "number").scale.reverse


def test_a_timeline_has_as_many_rows_as_there_were_runs_at_once(table):
    panel = _kinds.timeline(table).panels[0]
    spans = [(lane, start, end) for mark in panel.marks if isinstance(mark, Bars)
             for lane, start, end in zip(mark.y, mark.start, mark.end)]
    assert len(spans) == 24
    assert {lane for lane, _, _ in spans} <= {0.0, 1.0}
    for lane in (0.0, 1.0):
        here = sorted((start, end) for at, start, end in spans if at == lane)
        assert all(first[1] <= second[0] for first, second in zip(here, here[1:]))


def test_an_edf_compares_sweeps_of_one_metric(table, make):
    line = _kinds.edf([table], ["a"]).panels[0].marks[0]
    assert line.y[-1] == 1
    assert line.x.tolist() == sorted(table.value[table.valued].tolist())
    assert [mark.name for mark in _kinds.edf([table, table], ["a", "b"]).panels[0].marks] == ["a", "b"]
    with pytest.raises(hdrive.ConfigError, match="maximize"):
        _kinds.edf([table, Table(make(goal="maximize").run(lambda x: x))], ["a", "b"])


def test_ranks_are_shared_by_equal_values(make):
    sweep = make({"x": hdrive.uniform(0, 1), "y": hdrive.uniform(0, 1)}, max_total_runs=4).run(
        lambda run, params: [2.0, 1.0, 2.0, 3.0][run.number])
    points = by_name(_kinds.rank(Table(sweep)).panels[0])["runs"]
    assert sorted(points.colours.tolist()) == [0, 1.5, 1.5, 3]


KINDS = ["history", "curves", "parallel_coordinates", "slice", "contour", "importance", "scatter", "timeline", "edf",
         "rank"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("runs", [0, 1])
def test_with_fewer_than_two_runs_a_plot_says_what_it_needs(make, kind, runs):
    sweep = make({"x": hdrive.uniform(0, 1), "y": hdrive.uniform(0, 1)}, max_total_runs=1)
    if runs:
        sweep.run(lambda x: x)
    with pytest.raises(hdrive.HdriveError):
        getattr(sweep.plot, kind)()


# ---- drawing --------------------------------------------------------------------------------------------------

CALLS = {**{kind: (kind, ()) for kind in KINDS},
         "scatter in three dimensions": ("scatter", ("lr", "momentum", "layers")),
         "contour of categories": ("contour", ("optimizer", "layers"))}


@pytest.mark.parametrize("call", CALLS)
def test_plotly_draws_each_kind(sweep, call):
    objects = pytest.importorskip("plotly.graph_objects")
    kind, arguments = CALLS[call]
    figure = getattr(sweep.plot("plotly"), kind)(*arguments)
    assert isinstance(figure, objects.Figure)
    page = figure.to_json()
    assert "\\u003csgd" not in page
    assert "<sgd" not in page  # text is text, not markup


@pytest.mark.parametrize("call", CALLS)
def test_matplotlib_draws_each_kind(sweep, call):
    pytest.importorskip("matplotlib")
    kind, arguments = CALLS[call]
    figure = getattr(sweep.plot("matplotlib"), kind)(*arguments)
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_plotly_is_taken_where_it_is_installed_and_else_matplotlib(sweep, monkeypatch):
    pytest.importorskip("plotly")
    pytest.importorskip("matplotlib")
    assert type(sweep.plot.history()).__module__.startswith("plotly")
    monkeypatch.setitem(sys.modules, "hdrive.plot._plotly", None)
    monkeypatch.delattr(hdrive.plot, "_plotly")
    assert type(sweep.plot.history()).__module__ == "hdrive.plot._matplotlib"
    with pytest.raises(hdrive.ConfigError, match="pip install plotly"):
        sweep.plot("plotly").history()
    monkeypatch.setitem(sys.modules, "hdrive.plot._matplotlib", None)
    monkeypatch.delattr(hdrive.plot, "_matplotlib")
    with pytest.raises(hdrive.ConfigError, match="Plotly or matplotlib"):
        sweep.plot.history()
    with pytest.raises(hdrive.ConfigError, match="bokeh"):
        sweep.plot("bokeh")


def test_importing_hdrive_brings_none_of_them():
    code = "import sys, hdrive; print([m for m in ('plotly', 'matplotlib', 'hdrive.plot') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
