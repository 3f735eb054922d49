# SPDX-License-Identifier: Apache-2.0
"""What a notebook shows: pages without scripts, live outputs, a progress bar, and the sample notebook as a whole."""

import importlib.util
import pathlib
import re
import sys
import threading
from html.parser import HTMLParser

import hdrive
import pytest

SAMPLE = pathlib.Path(__file__).parents[2] / "samples" / "08_notebook" / "sweep.ipynb"


class Tags(HTMLParser):
    """The tags of a page, all of them closed in order."""

    def __init__(self, page):
        super().__init__()
        self.open, self.seen = [], set()
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        assert not any(name.startswith("on") or name in ("href", "src") for name, _ in attributes)
        self.seen.add(tag)
        self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


NASTY = "<script>alert('&\"')</script>"


def test_a_page_escapes_all_that_is_not_ours(make):
    def train(run, params):
        run.log({"loss": run.number, NASTY: 1})
        if run.number == 1:
            raise ValueError(NASTY)

    sweep = make({NASTY: [NASTY, "b"]}, name=NASTY.replace("/", ""), policy=hdrive.Bandit(slack_amount=3)).run(train)
    for shown in (sweep, sweep.runs, sweep.runs[0], sweep.runs[1], sweep.best):
        page = shown._repr_html_()
        assert NASTY not in page
        assert "&lt;script&gt;" in page
        assert Tags(page).seen <= set("div b span svg path circle table thead tbody tr th td pre p".split())


def test_a_page_tells_how_far_the_sweep_is(make):
    def train(run, params):
        if run.number == 1:
            raise ValueError
        return run.number

    sweep = make(name="spirals").run(train)
    page = sweep._repr_html_()
    text = re.sub(r"<[^>]+>", " ", page)
    assert "spirals" in text
    assert "minimize loss: Completed" in text
    assert "8 of 8 runs" in text
    assert re.search(r"7 completed.*1 failed", text)
    assert page.count("<circle") == 7
    assert page.count("<tr>") == 1 + 5
    assert "<svg" not in make(max_total_runs=1).run(lambda x: x)._repr_html_()
    assert "not begun" in make()._repr_html_()


def test_a_list_of_runs_shows_the_first_of_many(make):
    sweep = make(max_total_runs=30).run(lambda x: x)
    assert sweep.runs._repr_html_().count("<tr>") == 21
    assert "and 10 more" in sweep.runs._repr_html_()
    assert sweep.runs[:3]._repr_html_().count("<tr>") == 4
    assert sweep.runs.filter(status="Failed")._repr_html_().count("<tr>") == 1


# ---- live -----------------------------------------------------------------------------------------------------


class Output:
    """What IPython's display gives: something that can be replaced."""

    def __init__(self):
        self.pages = []
        self.completed = threading.Event()

    def update(self, page, raw):
        assert raw
        self.pages.append(page["text/html"])
        if "Completed" in page["text/html"].split("<table>")[0]:
            self.completed.set()


@pytest.fixture
def notebook(monkeypatch):
    """A notebook's display, that keeps what it is shown."""
    display = pytest.importorskip("IPython.display")
    from IPython.core import getipython
    output = Output()

    def show(page, raw, display_id):
        output.update(page, raw)
        return output

    monkeypatch.setattr(display, "display", show)
    monkeypatch.setattr(getipython, "get_ipython", lambda: type("Shell", (), {"kernel": None}))
    return output


def test_a_sweep_shown_while_it_runs_is_replaced_until_it_has_ended(make, notebook):
    go = threading.Event()
    sweep = make(max_total_runs=3)
    handle = sweep.start(lambda x: go.wait(30) and x)
    sweep.watch(interval=0.01)
    assert "Running" in notebook.pages[0]
    go.set()
    assert notebook.completed.wait(30)
    handle.result()
    assert "3 of 3 runs" in notebook.pages[-1]


def test_the_last_state_is_shown_once_the_handle_has_given_its_result(make, notebook):
    go = threading.Event()
    sweep = make(max_total_runs=3)
    handle = sweep.start(lambda x: go.wait(30) and x)
    sweep.watch(interval=3600)
    go.set()
    handle.result()
    assert "Completed" in notebook.pages[-1]


def test_a_handle_and_a_sweep_that_has_ended_show_themselves_once(make, notebook):
    sweep = make().run(lambda x: x)
    sweep._ipython_display_()
    sweep.start(lambda x: x)._ipython_display_()
    assert len(notebook.pages) == 2
    assert all(thread.name != "hdrive-watch" for thread in threading.enumerate())


def test_without_a_notebook_watching_says_what_to_do(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    with pytest.raises(hdrive.ConfigError, match="progress=True"):
        make().run(lambda x: x).watch()


# ---- the bar --------------------------------------------------------------------------------------------------


def test_a_bar_counts_runs_and_tells_the_best_value(make, capsys):
    pytest.importorskip("tqdm")
    sweep = make().run(lambda x: x, progress=True)
    told = capsys.readouterr().err
    assert "8/8" in told
    assert f"best loss={sweep.best.value:g}" in told


def test_without_tqdm_nothing_is_started(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    sweep = make()
    with pytest.raises(hdrive.ConfigError, match="pip install tqdm"):
        sweep.run(lambda x: x, progress=True)
    assert sweep.status == "NotStarted"


# ---- the sample -----------------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_the_sample_notebook_runs_and_shows_what_it_promises(own_folder):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    pytest.importorskip("pandas")
    if not any(importlib.util.find_spec(name) for name in ("plotly", "matplotlib")):
        pytest.skip("needs plotly or matplotlib")
    notebook = nbformat.read(SAMPLE, 4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") for cell in notebook.cells), "the sample is kept without outputs"
    nbclient.NotebookClient(notebook, timeout=240, kernel_name="python3",
                            resources={"metadata": {"path": str(own_folder)}}).execute()
    shown = {cell.id: cell.outputs for cell in notebook.cells if cell.get("outputs")}
    live = shown["start"][0].data["text/html"]
    assert "Completed" in live
    assert "30 of 30 runs" in live
    assert "<svg" in live
    assert "Run" in shown["best"][0].data["text/plain"]
    assert shown["why"][0].text.startswith("run ")
    for figure in ("history", "slice", "curves"):
        assert {"application/vnd.plotly.v1+json", "image/png", "text/html"} & set(shown[figure][-1].data)
    assert shown["table"][0].data["text/html"].count("<tr") == 6
    assert shown["runs"][0].data["text/html"].count("<tr>") == 4
