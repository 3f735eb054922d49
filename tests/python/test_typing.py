# SPDX-License-Identifier: Apache-2.0
"""The package is typed: mypy --strict accepts it and programs that use it well, and refuses others; the stub says
what the extension has."""

import ast
import os
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap

import hdrive
import pytest
from hdrive import _core

HERE = pathlib.Path(__file__).parent
PACKAGE = pathlib.Path(hdrive.__file__).parent


def check(module, *arguments, path=None):
    """What mypy, or a module of it, says of the package at `path`, else as it is installed."""
    pytest.importorskip("mypy")
    # Of this interpreter's packages mypy knows by itself, and refuses to be told.
    if path is None and PACKAGE.parent.name != "site-packages":
        path = PACKAGE.parent
    environment = {**os.environ, "MYPYPATH": str(path)} if path else dict(os.environ)
    return subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, timeout=600,
                          env=environment)


@pytest.mark.timeout(600)
def test_mypy_accepts_the_package(tmp_path):
    # A copy, since mypy passes over what lies among installed packages.
    copy = tmp_path / "hdrive"
    for file in [*PACKAGE.glob("*.py"), *PACKAGE.glob("*.pyi"), *PACKAGE.glob("plot/*.py")]:
        (copy / file.relative_to(PACKAGE)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy / file.relative_to(PACKAGE))
    found = check("mypy", "--config-file", str(HERE.parents[1] / "pyproject.toml"), str(copy), path=tmp_path)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.timeout(600)
def test_the_stub_agrees_with_the_extension():
    found = check("mypy.stubtest", "hdrive._core", "--allowlist", str(HERE / "stubtest_allowed.txt"),
                  "--ignore-unused-allowlist")
    assert found.returncode == 0, found.stdout + found.stderr


GOOD = """
    from __future__ import annotations
    import hdrive

    def train(run: hdrive.Run, params: dict[str, float]) -> float:
        for epoch in range(3):
            run.log("loss", params["x"] ** 2, step=epoch)
        return params["x"] ** 2

    sweep = hdrive.Sweep({"x": hdrive.uniform(-1, 1), "kind": hdrive.choice("a", "b"), "n": [1, 2]}, metric="loss",
                         goal="minimize", policy=hdrive.Bandit(slack_factor=0.1), max_total_runs=8)
    best: float | None = sweep.run(train, workers="process").best.value
    numbers: list[int] = [run.number for run in sweep.runs.filter(status="Completed").sort("best")[:3]]
    while (asked := sweep.ask()) is not None:
        sweep.tell(asked, asked.params["x"])
    for each in sweep.ask(3):
        each.fail("no reason")

    class Middle(hdrive.Sampler):
        def propose(self, history: hdrive.History, run: int) -> dict[str, float]:
            return {"x": history.reports(0)[0]}
"""

WRONG = {
    'hdrive.Sweep({"x": [1]}, metric="loss", goal="minimise")': "minimise",
    'hdrive.Sweep([1, 2], metric="loss", goal="minimize")': "list[int]",
    'hdrive.Sweep({"x": [1]}, metric=None, goal="minimize")': '"metric"',
    'hdrive.uniform("0", 1)': "str",
    "hdrive.load().run(3)": "int",
    'hdrive.load().run(print, workers="threads")': "threads",
    "hdrive.load().ask().params": "None",
    "hdrive.load().runs[0].metric": "metrics",
    "hdrive.load().best.value + 1": "None",
    'hdrive.History("maximize").report(1)': "value",
}


@pytest.mark.timeout(600)
def test_a_good_program_is_accepted_and_each_wrong_line_refused(tmp_path):
    (tmp_path / "good.py").write_text(textwrap.dedent(GOOD))
    (tmp_path / "wrong.py").write_text("\n".join(["import hdrive", *WRONG]) + "\n")
    found = check("mypy", "--strict", "good.py", "wrong.py")
    assert "good.py" not in found.stdout, found.stdout
    told = dict(re.findall(r"^wrong\.py:(\d+): error: (.*)$", found.stdout, re.MULTILINE))
    for line, (program, word) in enumerate(WRONG.items(), start=2):
        assert word in told.get(str(line), ""), (program, found.stdout)


def arguments_of(function):
    """The names of a function's arguments, without self."""
    names = [each.arg for each in [*function.args.posonlyargs, *function.args.args]]
    return names[1:] if names[:1] == ["self"] else names


def stub_of(body, where, found):
    """The arguments of all functions of a stub, by their dotted names."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            stub_of(node.body, where + node.name + ".", found)
        elif isinstance(node, ast.FunctionDef) and not re.search(r"property|setter", str(node.decorator_list and
                                                                 ast.unparse(node.decorator_list[0]))):
            found[where + node.name] = arguments_of(node)
    return found


def extension():
    """The same of the extension, which tells its functions' signatures; arguments without a name are arg0, arg1, ..."""
    found = {}
    for name, thing in vars(_core).items():
        members = {f"{name}.{n}": m for n, m in vars(thing).items()} if isinstance(thing, type) else {name: thing}
        for where, member in members.items():
            for signature, *_ in getattr(member, "__nb_signature__", ()):
                found[where] = arguments_of(ast.parse(re.sub(r"\\\d+", "None", signature) + ": ...").body[0])
    return found


def test_the_stub_has_each_function_with_its_arguments():
    stub = stub_of(ast.parse((PACKAGE / "_core.pyi").read_text(encoding="utf-8")).body, "", {})
    there = extension()
    assert there.keys() == stub.keys()
    for where, names in there.items():
        assert len(stub[where]) == len(names), where
        assert [s for s, n in zip(stub[where], names) if not n.startswith("arg")] == \
            [n for n in names if not n.startswith("arg")], where
