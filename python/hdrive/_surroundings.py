# SPDX-License-Identifier: Apache-2.0
"""What is wanted around a program made real: an environment that is built, a container."""

from __future__ import annotations

import os
import sys
import warnings

from . import _core

__all__ = ["command_path", "make", "search_path"]


def command_path() -> str:
    """The folder with the hdrive command, for scripts that call `hdrive log` and for what starts containers."""
    return os.path.join(os.path.dirname(__file__), "bin")


def search_path() -> str:
    """In which programs are looked for: "python" is the interpreter of this process."""
    return os.path.dirname(sys.executable) + os.pathsep + os.environ.get("PATH", os.defpath)


def make(spec: _core.Spec, wanted: _core.Surroundings, instead: str = "") -> None:
    """Changes the specification's command and variables so that its runs are in what is wanted; builds or fetches
    that first, and tells so on stderr. `instead` says what helps where no container can be had."""
    _core.make_surroundings(spec, wanted, os.environ.get, os.path.join(command_path(), "hdrive"), instead, _tell, _warn)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=4)
