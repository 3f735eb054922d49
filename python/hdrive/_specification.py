# SPDX-License-Identifier: Apache-2.0
"""From what a user says of a sweep to its specification."""

from __future__ import annotations

import os
from typing import Any

from . import _core
from ._errors import ConfigError, NotFoundError

# Keyword arguments of Sweep that are fields of the specification as they are, by what is wanted.
_WANTED = {
    "a text": ("experiment", "description", "azureml_sdk", "source_directory", "working_directory", "mlflow",
               "server_address", "server_advertise", "server_certificate", "server_key"),
    "a duration": ("max_run_duration", "max_silent", "cancel_grace"),
    "a whole number": ("max_lost_retries", "max_failed_retries", "stop_without_progress",
                       "stop_after_consecutive_failures", "cpus_per_run", "memory_per_run", "nodes_per_run",
                       "processes_per_node"),
    "a number": ("stop_at", "gpus_per_run"),
    "True or False": ("stop_when_all_fail", "stop_without_primary_metric", "tensorboard_metrics",
                      "append_parameters"),
    "a list of texts": ("metric_patterns", "gpus"),
    "a dict from names to texts": ("environment_variables", "tags"),
    'a pair of whole numbers, or a text such as "3x5"': ("repeat_best",),
    "a type, or a dict with one": ("distribution",),
}
_FIELDS = {name: wanted for wanted, names in _WANTED.items() for name in names}


def path(what: str, given: str | bytes | os.PathLike[Any]) -> str:
    """The path as text, which is to be UTF-8."""
    name = os.fsdecode(given)
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{what}: {name!r} is no UTF-8; hdrive keeps sweeps under paths that are") from None
    if "\0" in name:
        raise ConfigError(f"{what}: {name!r} contains a null character, which no path does")
    return name


def home(directory: str | os.PathLike[str] | None, new: bool = False) -> str:
    """The folder that holds sweeps: as given, else $HDRIVE_HOME, else .hdrive here or (to read) above."""
    if directory is not None:
        return os.path.abspath(path("directory", directory))
    given = os.environ.get("HDRIVE_HOME")
    try:
        here = os.path.abspath(given or ".hdrive")
    except FileNotFoundError:
        raise NotFoundError("the working directory was removed, so no sweeps are kept there; give a directory, or "
                            'change to one that is there') from None
    here = path("HDRIVE_HOME" if given else "the working directory", here)
    if given or new or os.path.isdir(here):
        return here
    folder = os.getcwd()
    while os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
        above = os.path.join(folder, ".hdrive")
        if os.path.isdir(above) and os.stat(above).st_uid == os.geteuid():
            return above
    return here


def setting(value: Any) -> str:
    """As --set takes it: YAML, of which JSON is a part."""
    import json

    def plain(other: Any) -> Any:
        """Scalars of NumPy and the like as what they hold, Decimal as a float."""
        if hasattr(other, "item"):
            return other.item()
        if hasattr(other, "__float__"):
            return float(other)
        raise ConfigError(f"a {type(other).__name__} is no value; allowed: what JSON can say")

    return value if isinstance(value, str) else json.dumps(value, default=plain)


def working_directory() -> str:
    """Empty where it was removed: a sweep in memory needs none."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""


def text(what: str, given: Any) -> str:
    """A str, which is to be Unicode."""
    if not isinstance(given, str):
        raise ConfigError(f"{what}: a str is wanted, not the {type(given).__name__} {given!r}")
    try:
        given.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{what}: {given!r} is no text that can be kept: it has lone surrogates") from None
    return given


def points(what: str, given: Any) -> list[dict[str, Any]]:
    """Parameter sets, each a dict."""
    from collections.abc import Mapping
    if isinstance(given, (str, bytes, Mapping)) or not hasattr(given, "__iter__"):
        raise ConfigError(f"{what}: a list of dicts is wanted, as in [{{\"lr\": 0.01}}], not {given!r}")
    found = list(given)
    for each in found:
        if not isinstance(each, Mapping):
            raise ConfigError(f"{what}: a dict from names to values is wanted, not {each!r}")
    return [dict(each) for each in found]


def listeners(given: Any) -> list[Any]:
    """Objects that hear what happens."""
    if not hasattr(given, "__iter__"):
        raise ConfigError(f"listeners: a list of listeners is wanted, not {given!r}")
    found = list(given)
    for each in found:
        if isinstance(each, type) or not callable(getattr(each, "on_change", None)):
            raise ConfigError(f"listeners: an object of a class derived from hdrive.Listener is wanted, not {each!r}")
    return found


def command(given: Any) -> list[str]:
    """The words of a command: a list, or a text to be split as a shell would."""
    if isinstance(given, str):
        import shlex
        try:
            given = shlex.split(given)
        except ValueError as error:
            raise ConfigError(f"command: {given!r} cannot be split into words: {error}") from None
    if isinstance(given, bytes) or not hasattr(given, "__iter__"):
        raise ConfigError(f"command: a list of words is wanted, as in [\"python\", \"train.py\"], not {given!r}")
    words = []
    for each in given:
        if not isinstance(each, (str, os.PathLike)):
            raise ConfigError(f"command: a word is a str or a path, not the {type(each).__name__} {each!r}")
        words.append(text("command", os.fspath(each)))
        if "\0" in words[-1]:
            raise ConfigError(f"command: {each!r} contains a null character, which no program is given")
    return words


def earlier(what: str, given: Any) -> list[str]:
    """Earlier sweeps, or runs of them, by what the engine finds them by."""
    if isinstance(given, (str, bytes, os.PathLike)) or hasattr(given, "directory"):
        given = [given]
    if not hasattr(given, "__iter__"):
        raise ConfigError(f"{what}: a list of {'earlier sweeps' if what == 'resume_from' else 'runs, as in SWEEP/3,'} is "
                          f"wanted, not {given!r}")
    found = []
    for each in given:
        if hasattr(each, "directory"):  # a Sweep
            if each.directory is None:
                raise ConfigError(f"{what}: {each!r} is kept in memory; one in a folder can be taken over")
            each = each.directory
        elif not isinstance(each, (str, bytes, os.PathLike)):
            raise ConfigError(f"{what}: a sweep, or its id, name or folder is wanted, not {each!r}"
                              if what == "resume_from" else f"{what}: \"SWEEP/3\" is wanted, not {each!r}")
        found.append(path(what, each))
    return found


def seconds(what: str, given: Any) -> float:
    """A duration: a number of seconds, or a timedelta."""
    if hasattr(given, "total_seconds"):
        return float(given.total_seconds())
    if isinstance(given, (str, bytes)) or not hasattr(given, "__float__"):
        raise ConfigError(f"{what}: a number of seconds is wanted, or a timedelta; not {given!r}")
    return float(given)


def count(what: str, given: Any, least: int = 1) -> int:
    """A whole number of at least `least`."""
    import operator
    try:
        if isinstance(given, bool):
            raise TypeError
        number = operator.index(given)
    except TypeError:
        raise ConfigError(f"{what}: a whole number is wanted, not {given!r}") from None
    if number < least or number >= 2**63:
        raise ConfigError(f"{what}: {number} is not allowed; from {least} to 2**63 - 1")
    return number


def budget(spec: _core.Spec, max_total_runs: int | None) -> int:
    """How many runs there are to be; of a grid as many as it has points."""
    if max_total_runs is not None:
        return count("max_total_runs", max_total_runs)
    if spec.sampling[0] == "grid":
        return int(spec.space.cardinality or 1)
    raise ConfigError("max_total_runs: how many runs are there to be? (Only the sampler \"grid\" knows by itself.)")


def set_options(spec: _core.Spec, options: dict[str, Any]) -> None:
    """Sets what has the name of a field of the specification, and refuses the rest by the nearest name."""
    for key, value in options.items():
        if key == "target":
            if value is not None and not isinstance(value, (str, list, tuple)):
                raise ConfigError(f"target: the name of a target is wanted, or a list of names, not {value!r}")
            names = [value] if isinstance(value, str) else value or []
            spec.targets = [text("target", each) for each in names]
            continue
        if key not in _FIELDS:
            import difflib
            near = difflib.get_close_matches(key, [*_FIELDS, "target", "max_total_runs", "max_concurrent_runs", "sampler",
                                                   "policy", "directory", "start_points", "max_duration",
                                                   "resume_from", "resume_child_runs"], 1)
            raise ConfigError(f"Sweep takes no {key!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        if key in ("max_run_duration", "max_silent", "cancel_grace"):
            value = seconds(key, value)
        if key == "distribution" and not isinstance(value, dict):
            value = {"type": text("distribution", value or "none")}
        if key == "repeat_best" and isinstance(value, str):
            runs, _, times = value.partition("x")
            value = (int(runs), int(times)) if runs.isdecimal() and times.isdecimal() else value
        if key == "source_directory" and isinstance(value, (bytes, os.PathLike)):
            value = path(key, value)
        try:
            setattr(spec, key, value)
        except TypeError:
            raise ConfigError(f"{key}: {value!r} is not allowed; {_FIELDS[key]} is") from None
