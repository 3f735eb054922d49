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
    assert not (tmp_path / "sweeps").exists()


def test_a_function_runs_on_this_machine(tmp_path: pathlib.Path) -> None:
    (tmp_path / "targets.yml").write_text("targets:\n  lab: {type: ssh, hosts: [node1]}\n")
    with pytest.raises(hdrive.ConfigError, match="a Python function runs in its own process on this machine"):
        sweep_to("lab", tmp_path).run(lambda run, params: run.log("m", 1))
    assert not (tmp_path / "sweeps").exists()


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
