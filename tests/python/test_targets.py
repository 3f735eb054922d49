# SPDX-License-Identifier: Apache-2.0
"""Sweeps of commands that go to a target of targets.yml."""
from __future__ import annotations

import pathlib
import shutil
import stat
import sys

import hdrive
import pytest

COMMAND = [sys.executable, "-c", "import hdrive_run; hdrive_run.log('m', 1)"]


def sweep_to(target: object, folder: pathlib.Path, **options: object) -> hdrive.Sweep:
    return hdrive.Sweep({"x": hdrive.uniform(0, 1)}, metric="m", goal="maximize", max_total_runs=2, target=target,
                        directory=folder / "sweeps", source_directory=str(folder), append_parameters=False, **options)


def test_an_unknown_target_is_told_with_those_there_are(tmp_path: pathlib.Path) -> None:
    (tmp_path / "targets.yml").write_text("targets:\n  lab: {type: ssh, hosts: [node1]}\n")
    with pytest.raises(hdrive.ConfigError, match="allowed: local, lab; did you mean \"lab\"?"):
        sweep_to("labs", tmp_path).run_command(COMMAND)
    assert hdrive.sweeps(tmp_path / "sweeps") == []


def test_a_function_runs_on_this_machine(tmp_path: pathlib.Path) -> None:
    (tmp_path / "targets.yml").write_text("targets:\n  lab: {type: ssh, hosts: [node1]}\n")
    with pytest.raises(hdrive.ConfigError, match="a Python function runs in its own process on this machine"):
        sweep_to("lab", tmp_path).run(lambda run, params: run.log("m", 1))
    assert hdrive.sweeps(tmp_path / "sweeps") == []


def test_a_command_goes_to_its_target(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A client that reaches this machine alone, whichever it is asked for.
    client = tmp_path / "bin" / "ssh"
    client.parent.mkdir()
    client.write_text("#!/bin/sh\nfor last; do :; done\nexec /bin/sh -c \"$last\"\n")
    client.chmod(client.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(client.parent), prepend=":")
    assert shutil.which("ssh") == str(client)
    (tmp_path / "targets.yml").write_text(
        f"targets:\n  lab: {{type: ssh, hosts: [node1], slots: 1, directory: {tmp_path}/there}}\n")
    sweep = sweep_to("lab", tmp_path)
    sweep.run_command(COMMAND)
    assert [(run.status, run.value) for run in sweep.runs] == [("Completed", 1.0)] * 2


@pytest.mark.parametrize("wrong", [7, [7]])
def test_a_target_is_a_name(wrong: object, tmp_path: pathlib.Path) -> None:
    with pytest.raises(hdrive.ConfigError, match="target: "):
        sweep_to(wrong, tmp_path)


RANK = [sys.executable, "-c", "import hdrive_run, os; hdrive_run.log('m', 10 + int(os.environ['RANK']))"]


def test_several_processes_of_a_run_are_started(tmp_path: pathlib.Path) -> None:
    sweep = sweep_to(None, tmp_path, distribution="pytorch", processes_per_node=2).run_command(RANK)
    assert [run.value for run in sweep.runs] == [10.0, 10.0]
    sweep = sweep_to(None, tmp_path, distribution={"type": "pytorch", "metrics": "all"},
                     processes_per_node=2).run_command(RANK)
    assert [run.value for run in sweep.runs] == [11.0, 11.0]


@pytest.mark.parametrize("given, says", [
    ("pytroch", "type is 'pytroch'; allowed: pytorch, mpi, tensorflow or none"), (3, "a str is wanted"),
    ({"type": 3}, "type is 3; allowed"), ({3: "mpi"}, "there is no 3; allowed: type, worker_count"),
    ({"type": "tensorflow", "worker_count": "a"}, "worker_count is 'a'; allowed: a whole number"),
    ({"type": "tensorflow", "worker_count": -1}, "worker_count is -1; allowed: a whole number"),
    ({"type": "mpi", "launcher": 3}, "launcher is 3; allowed: a list of words"),
    ({"type": "mpi", "metrics": "some"}, "metrics is 'some'; allowed: rank_0 or all")])
def test_a_wrong_distribution_is_named(given: object, says: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(hdrive.ConfigError, match=says):
        sweep_to(None, tmp_path, distribution=given)


@pytest.mark.parametrize("options, says", [({"nodes_per_run": 2}, "nodes is 2"),
                                           ({"processes_per_node": 2}, "nothing says what starts them")])
def test_what_a_machine_does_not_have_leaves_no_sweep(options: dict[str, int], says: str,
                                                      tmp_path: pathlib.Path) -> None:
    sweep = sweep_to(None, tmp_path, **options)
    with pytest.raises(hdrive.ConfigError, match=says):
        sweep.run_command(COMMAND)
    assert sweep.status == "NotStarted" and hdrive.sweeps(tmp_path / "sweeps") == []


def test_a_function_is_one_process(tmp_path: pathlib.Path) -> None:
    with pytest.raises(hdrive.ConfigError, match="a Python function is one process's"):
        sweep_to(None, tmp_path, distribution="pytorch", processes_per_node=2).run(lambda x: x)
