# SPDX-License-Identifier: Apache-2.0
"""Every example is executed: the ```python blocks of the guide and the README, and those of docstrings, be they
sessions (>>>) or indented code.

The blocks of a page share their names, in order. What a block needs that a reader knows to be there stands in a
comment before it, which pages do not show: <!-- setup: CODE -->. Blocks of docstrings find the names of ASSUMED.
"""

import ast
import doctest
import importlib
import importlib.util
import io
import pathlib
import pkgutil
import re
import sys
import textwrap
import warnings

import hdrive
import pytest

ROOT = pathlib.Path(__file__).parents[2]
PAGES = ["docs/python.md", "README.md"]
# Beside them lie packages for other frameworks, whose examples are tested with these.
OTHERS = ("hdrive._core", "hdrive._worker", "hdrive.__main__", "hdrive.azureml", "hdrive.integrations")

ASSUMED = """
import os
import hdrive
from hdrive import *

def train(run=None, params=None, **given):
    return sum(value for value in {**given, **(params or {})}.values() if isinstance(value, (int, float)))

def train_one_epoch(**params): return 0.9

sweep = hdrive.Sweep({"lr": hdrive.loguniform(-9, -2), "layers": [1, 2, 3], "momentum": hdrive.uniform(0, 1)},
                     metric="loss", goal="minimize", max_total_runs=20, seed=1, name="assumed",
                     policy=hdrive.Bandit(slack_factor=1000))
"""
# What the example of one docstring needs beyond that.
SETUPS = {
    "Run.log": "class run:\n    log = staticmethod(lambda name, value, step: None)",
    "AskedRun.report": "run, loss, epoch = sweep.ask(), 0.5, 1",
    "Metrics": "run = sweep.run(lambda run, params: run.log('loss', 0.5)).runs[0]",
    "Runs": "sweep.run(train)",
    "Results.to_dataframe": "sweep.run(train)",
    "load": "sweep.run(train)",
    "Sweep.run": "train = lambda lr, layers: type('Result', (), {'accuracy': 0.5})",
}


# What an example needs beyond the package, by a word in it.
NEEDS = {"dataframe": ["pandas"], ".plot": ["plotly", "matplotlib"], ".watch(": ["IPython"]}


def lacking(text):
    """The packages that an example needs and that are not installed here."""
    return [package for word, packages in NEEDS.items() if word in text for package in packages
            if importlib.util.find_spec(package) is None]


@pytest.fixture
def folder(own_folder, monkeypatch):
    """A folder with what the examples name: a script, its configuration, the module that scripts import."""
    (own_folder / "train.py").write_text("import hdrive_run\nhdrive_run.log('loss', hdrive_run.params['lr'])\n")
    (own_folder / "hdconfig.yml").write_text(textwrap.dedent("""
        sampling:
          type: random
          parameter_space:
          - {name: lr, expression: loguniform, values: [-9, -2]}
        primary_metric_name: loss
        primary_metric_goal: minimize
        max_total_runs: 4
        command: python3 train.py
        """))
    spec = importlib.util.spec_from_file_location("hdrive_run", ROOT / "python" / "hdrive_run.py")
    monkeypatch.setitem(sys.modules, "hdrive_run", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(sys.modules["hdrive_run"])
    return own_folder


def run_code(code, names, what):
    """Executes a block as a module of its own would be."""
    try:
        tree = ast.parse(code)
        compiled = compile(tree, what, "exec")
    except SyntaxError as error:
        if "outside loop" not in str(error):
            raise
        compiled = compile("for _ in (1,):\n" + textwrap.indent(code, "    "), what, "exec")
    with warnings.catch_warnings():
        warnings.simplefilter("error", SyntaxWarning)
        exec(compiled, names)


def run_session(text, names, what):
    """Executes a session and compares what it shows."""
    test = doctest.DocTestParser().get_doctest(text, names, what, what, 0)
    told = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False)
    runner.run(test, out=told.write, clear_globs=False)
    assert runner.failures == 0, told.getvalue()
    names.update(test.globs)


# ---- pages ----------------------------------------------------------------------------------------------------

BLOCK = re.compile(r"(?:<!-- setup: (?P<setup>.*?) -->\s*)?^```(?P<kind>\w*)\n(?P<code>.*?)^```$",
                   re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_each_block_of_a_page_runs(page, folder):
    text = (ROOT / page).read_text(encoding="utf-8")
    names = {"__name__": "__main__"}
    found = 0
    for block in BLOCK.finditer(text):
        if block["kind"] != "python" or lacking(block["code"]):
            continue
        found += 1
        # So that a failure names the line of the page.
        lines = text[:block.start("code")].count("\n")
        if block["setup"]:
            run_code(block["setup"], names, f"{page}, setup")
        if block["code"].startswith(">>>"):
            run_session(block["code"], names, page)
        else:
            run_code("\n" * lines + block["code"], names, page)
    assert found


@pytest.mark.parametrize("page", [*PAGES, "docs/coming-from.md"])
def test_a_page_names_nothing_that_does_not_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for name in set(re.findall(r"\bhdrive((?:\.[A-Za-z_]\w*)+)", text)):
        thing = hdrive
        for part in name.split(".")[1:]:
            if part in ("h", "git", "yml", "md"):
                break
            if not hasattr(thing, part):
                try:
                    importlib.import_module(f"{thing.__name__}.{part}")
                except ImportError as error:
                    if str(getattr(thing, "__name__", "")).partition(".")[0] != "hdrive" or \
                            (error.name or "").startswith("hdrive"):
                        pytest.fail(f"{page}: there is no hdrive{name}")
                    break  # a framework that is not installed here
            thing = getattr(thing, part)


def ours():
    """What docs/coming-from.md writes as code in the last column of its tables."""
    text = (ROOT / "docs/coming-from.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return sorted({code for row in rows for code in re.findall(r"`([^`]+)`", row.split(" | ")[-1])})


# Words for readers, not code.
WORDS = {"--lr", "${{search_space.lr}}", "loguniform", "run_command", "STATUS_FAIL", "hdrive"}


@pytest.mark.parametrize("code", [code for code in ours() if code not in WORDS])
def test_what_is_put_beside_other_tools_calls_works(code, folder):
    if lacking(code):
        pytest.skip("needs a package that is not installed")
    names = {"__name__": "__main__"}
    exec(ASSUMED, names)
    exec("space = {'lr': hdrive.loguniform(-9, -2), 'layers': [1, 2, 3]}\nimport hdrive_run", names)
    if re.match(r"\w+=", code):
        if "grid" in code:
            names["space"]["lr"] = [0.01, 0.1]
        given = f"{code}, max_total_runs=9" if "max_total_runs" not in code else code
        run_code(f"hdrive.Sweep(space, metric='loss', goal='minimize', directory=':memory:', {given})", names, code)
        return
    if code.startswith("run.log"):
        names["run"] = type("Logs", (), {"log": staticmethod(lambda name, value=None, step=None: None)})
    elif code.startswith("handle."):
        names["handle"] = names["sweep"].start(names["train"])
    elif code.startswith(("run.", "sweep.best", "sweep.importance", "sweep.plot", "hdrive.load")):
        names["run"] = names["sweep"].run(names["train"]).runs[0]
    elif "command" in code:
        names["sweep"] = hdrive.Sweep({"lr": [0.1]}, metric="loss", goal="minimize", max_total_runs=1)
    run_code(code, names, code)
    if "start_command" in code:
        names["sweep"]._engine.result()


# ---- docstrings -----------------------------------------------------------------------------------------------


def documented():
    """The docstrings of the package, by dotted names without the module."""
    found = {}
    for info in [*pkgutil.walk_packages(hdrive.__path__, "hdrive.")]:
        if info.name.startswith(OTHERS):
            continue
        module = pathlib.Path(info.module_finder.find_spec(info.name).origin)  # which imports nothing
        if module.suffix != ".py":
            continue
        collect(ast.parse(module.read_text(encoding="utf-8")), "", info.name, found)
    collect(ast.parse(pathlib.Path(hdrive.__file__).read_text(encoding="utf-8")), "", "hdrive", found)
    return found


def collect(node, where, module, found):
    text = ast.get_docstring(node, clean=False)
    if text:
        # Not inspect.cleandoc, to which a docstring of one sentence and code is not indented.
        found[where or module] = textwrap.dedent(" " * node.body[0].value.col_offset + text)
    for child in node.body:
        if isinstance(child, (ast.ClassDef, ast.FunctionDef)):
            collect(child, f"{where}.{child.name}" if where else child.name, module, found)


def blocks_of(text):
    """The sessions and the indented code of a docstring, in order."""
    paragraphs = re.split(r"\n[ \t]*\n", text)
    code = []
    for paragraph in paragraphs:
        if paragraph.lstrip().startswith(">>>"):
            yield "session", textwrap.dedent(paragraph) + "\n"
        elif all(line.startswith("    ") for line in paragraph.splitlines()):
            code.append(paragraph)
            continue
    if code:
        yield "code", textwrap.dedent("\n\n".join(code)) + "\n"


DOCUMENTED = documented()
WITH_EXAMPLES = [name for name, text in DOCUMENTED.items() if any(blocks_of(text))]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_each_example_of_a_docstring_runs(name, folder):
    if lacking(DOCUMENTED[name]) or lacking(SETUPS.get(name, "")):
        pytest.skip("needs a package that is not installed")
    names = {"__name__": "__main__"}
    exec(ASSUMED, names)
    exec(SETUPS.get(name, ""), names)
    for kind, block in blocks_of(DOCUMENTED[name]):
        (run_session if kind == "session" else run_code)(block, names, name)
    names["sweep"].close()


PUBLIC = sorted(name for name in hdrive.__all__ if name not in ("MEMORY", "Expression", "History", "__version__"))


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_public_is_documented(name):
    members = [where for where in [name, *dir(getattr(hdrive, name))] if not where.startswith("_")]
    for member in members:
        thing = getattr(hdrive, name) if member == name else getattr(getattr(hdrive, name), member)
        if callable(thing) or isinstance(thing, property):
            assert (getattr(thing, "__doc__", None) or "").strip(), f"{name}.{member}"


@pytest.mark.parametrize("name", [name for name in PUBLIC if not isinstance(getattr(hdrive, name), type)
                                  or not issubclass(getattr(hdrive, name), Exception)])
def test_what_is_public_has_an_example(name):
    assert any(where.split(".")[0] == name for where in WITH_EXAMPLES), name
