# SPDX-License-Identifier: Apache-2.0
"""Sweeps that exist already, whoever made them."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

from . import _core, _specification
from ._errors import HdriveError
from ._specification import home
from ._sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["load", "sweeps"]


def load(which: str | os.PathLike[str] = "last", *, directory: str | os.PathLike[str] | None = None,
         listeners: Iterable[Any] = ()) -> Sweep:
    """A sweep that exists, whoever made it, live or not: by its id or the beginning of it, its name, the path of its
    directory, or "last". Read it, or go on with it by `run`, `run_command` or `ask`.

        hdrive.load("last").best.params

    Raises NotFoundError, naming the nearest match.
    """
    where = home(directory)
    found = _core.find_sweep(where, _specification.path("which", which))
    kept = _core.KeptSweep.open(found)
    sweep = Sweep.__new__(Sweep)
    sweep._set_up(kept.spec(), kept, os.path.dirname(found), None, None, listeners)
    return sweep


def sweeps(directory: str | os.PathLike[str] | None = None) -> list[Sweep]:
    """All sweeps of a folder, oldest first; those that cannot be read are told as warnings.

        for each in hdrive.sweeps():
            print(each.name, each.status, len(each.runs))
    """
    where = home(directory)
    found, problems = _core.list_sweeps(where)
    for problem in problems:
        warnings.warn(problem, stacklevel=2)
    opened = []
    for path in found:
        try:
            opened.append(load(path, directory=where))
        except HdriveError as error:
            warnings.warn(str(error), stacklevel=2)
    return opened
