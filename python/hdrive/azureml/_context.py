# SPDX-License-Identifier: Apache-2.0
"""Run.get_context(): what a training script sees of its run, and how it logs.

The standard library alone, so that scripts can use it in any interpreter: it is loaded from its file where the
package hdrive is not installed. Numbers go into the metric file (docs/metric-protocol.md); what that has no place
for, rows, tables, texts, images and tags, into azureml.jsonl beside it.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import stat
import sys
import uuid
from typing import Any, Optional

__all__ = ["Journal", "OfflineRun", "Run", "gather", "get_context"]

JOURNAL = "azureml.jsonl"
_MOST_BYTES = 1 << 28


def plain(value: Any) -> Any:
    """`value` as JSON has it: NumPy and torch scalars as numbers, arrays, tuples and ranges as lists."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [plain(each) for each in value]
    for convert in ("tolist", "item"):
        method = getattr(value, convert, None)
        if callable(method):
            return plain(method())
    raise TypeError(f"a {type(value).__name__} can't be logged; a number, a text, or lists and dicts of them can")


def append_line(path: str, entry: dict[str, Any]) -> None:
    """Appends a JSON object as a line, with one write: several threads and processes may do so at once."""
    line = (json.dumps(entry) + "\n").encode("utf-8")
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        while line:
            line = line[os.write(descriptor, line):]
    finally:
        os.close(descriptor)


def read_regular(path: str, start: int = 0) -> bytes:
    """What a file has from `start` on; nothing where there is no regular file. A script may have put anything in its
    place: never through a link, never waiting."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return b""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return b""
    with open(descriptor, "rb") as file:
        file.seek(start)
        return file.read(_MOST_BYTES)


class Journal:
    """What is kept of a run, or of a sweep, beside its metrics: a line a fact, in `directory`/azureml.jsonl."""

    def __init__(self, directory: str) -> None:
        self.path = os.path.join(directory, JOURNAL)

    def add(self, kind: str, name: str, value: Any, attempt: int = 0) -> None:
        """One more fact. Attempt 0: of all attempts."""
        append_line(self.path, {"attempt": attempt, "kind": kind, "name": name, "value": plain(value)})

    def read(self, kind: str, attempt: Optional[int] = None) -> list[tuple[str, Any]]:
        """The facts of a kind, in the order they came: of the attempt given and of all of them."""
        found: list[tuple[str, Any]] = []
        for line in read_regular(self.path).split(b"\n"):
            try:
                entry = json.loads(line)
                if entry["kind"] == kind and (attempt is None or entry["attempt"] in (0, attempt)):
                    found.append((str(entry["name"]), entry["value"]))
            except (ValueError, KeyError, TypeError):
                continue  # a line that was cut short, or somebody else's
        return found

    def latest(self, kind: str) -> dict[str, Any]:
        """The last value under each name of a kind; a name whose last value is None is gone."""
        return {name: value for name, value in dict(self.read(kind)).items() if value is not None}


def gather(entries: list[tuple[str, str, Any]]) -> dict[str, Any]:
    """The metrics that rows, tables, texts and the like, (kind, name, value) in order, amount to."""
    metrics: dict[str, Any] = {}
    for kind, name, value in entries:
        if kind in ("row", "table") and isinstance(value, dict):
            columns = metrics.setdefault(name, {})
            for column, cell in value.items():
                columns.setdefault(column, []).extend(cell if kind == "table" and isinstance(cell, list) else [cell])
        elif name in metrics and kind == "text":
            earlier = metrics[name]
            metrics[name] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        else:
            metrics[name] = value
    return {name: _single(value) if isinstance(value, dict) else value for name, value in metrics.items()}


def _single(columns: dict[str, Any]) -> dict[str, Any]:
    """A single row as its values, several as lists of them: as Azure gives them back."""
    if all(isinstance(cells, list) and len(cells) == 1 for cells in columns.values()):
        return {name: cells[0] for name, cells in columns.items()}
    return columns


class Run:
    """A run, seen from its script. `Run.get_context()` gives it.

        run = Run.get_context()
        run.log("accuracy", 0.93)
        run.log_row("confusion", true="cat", guessed="dog", times=3)
    """

    id: str = ""

    @staticmethod
    def get_context(allow_offline: bool = True, used_for_context_manager: bool = False) -> Run:
        """The run this script is; outside hdrive one that prints what it is given. Raises RunEnvironmentException
        there with `allow_offline=False`."""
        return get_context(allow_offline)

    @staticmethod
    def get_submitted_run() -> Run:
        """What get_context was called in 2018."""
        return get_context()

    # ---- what the kinds of runs do differently --------------------------------------------------------------

    def _number(self, name: str, value: float, step: Optional[int]) -> None:
        raise NotImplementedError

    def _fact(self, kind: str, name: str, value: Any) -> None:
        raise NotImplementedError

    def _facts(self, kind: str) -> dict[str, Any]:
        raise NotImplementedError

    def _outputs(self) -> str:
        """The folder that names such as outputs/model.pkl are in."""
        raise NotImplementedError

    # ---- logging --------------------------------------------------------------------------------------------

    def log(self, name: str, value: Any, description: str = "", step: Optional[int] = None) -> None:
        """A number, or a text. Repeated, it makes a series; the sweep's primary metric is judged at each report.
        Raises TypeError for what is neither; `description` is not kept, neither in Azure."""
        if isinstance(value, str):
            self._fact("text", _name(name), value)
        else:
            self._number(_name(name), _real(name, value), None if step is None else int(step))

    def log_list(self, name: str, value: Any, description: str = "") -> None:
        """The items of a list, as `log` of each would do."""
        for each in value:
            self.log(name, each)

    def log_row(self, name: str, description: Optional[str] = None, **kwargs: Any) -> None:
        """A row of a table: its columns by name."""
        if not kwargs:
            raise ValueError("log_row: a row needs columns: run.log_row(\"table\", x=1, y=2)")
        self._fact("row", _name(name), kwargs)

    def log_table(self, name: str, value: Any, description: str = "") -> None:
        """A dict from columns to values, or to lists of values."""
        if not isinstance(value, dict):
            raise TypeError(f"log_table: a dict from columns to values is wanted, not a {type(value).__name__}")
        self._fact("table", _name(name), value)

    def log_image(self, name: str, path: Optional[str] = None, plot: Any = None, description: str = "") -> None:
        """An image: the file at `path`, or a figure of matplotlib, or its pyplot. It goes into outputs/images."""
        if (path is None) == (plot is None):
            raise ValueError("log_image: one of path and plot is wanted")
        kind = os.path.splitext(path)[1] if path is not None else ".png"
        count = len(self._facts("image"))
        file = f"outputs/images/{''.join(c if c.isalnum() or c in '-_. ' else '_' for c in _name(name))}_{count}{kind}"
        target = os.path.join(self._outputs(), *file.split("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if path is not None:
            shutil.copyfile(path, target)
        else:
            plot.savefig(target)
        self._fact("image", f"{name} {count}", file)
        self._fact("document", _name(name), file)

    def _log_document(self, name: str, value: Any, description: str = "") -> None:
        """A JSON document, as a dict or as text."""
        self._fact("document", _name(name), json.loads(value) if isinstance(value, str) else value)

    log_accuracy_table = log_confusion_matrix = log_predictions = log_residuals = _log_document

    def flush(self, timeout_seconds: float = 300) -> None:
        """Nothing waits to be sent; what was logged is there when `log` returns."""

    # ---- tags, properties, files ----------------------------------------------------------------------------

    def tag(self, key: str, value: Any = None) -> None:
        """Sets a tag; without a value, an empty one."""
        self._fact("tag", str(key), "" if value is None else str(value))

    def set_tags(self, tags: dict[str, Any]) -> None:
        """Sets several tags and leaves the others."""
        for key, value in tags.items():
            self.tag(key, value)

    def remove_tags(self, tags: Any) -> None:
        """Removes these tags."""
        for key in tags:
            self._fact("tag", str(key), None)

    def get_tags(self) -> dict[str, str]:
        """The tags."""
        return self._facts("tag")

    @property
    def tags(self) -> dict[str, str]:
        """The tags."""
        return self.get_tags()

    def add_properties(self, properties: dict[str, Any]) -> None:
        """Adds properties, which in Azure cannot be changed afterwards."""
        for key, value in properties.items():
            self._fact("property", str(key), str(value))

    def get_properties(self) -> dict[str, str]:
        """The properties."""
        return self._facts("property")

    @property
    def properties(self) -> dict[str, str]:
        """The properties."""
        return self.get_properties()

    def upload_file(self, name: str, path_or_stream: Any, datastore_name: Optional[str] = None) -> None:
        """Copies a file into the run, under a name such as outputs/model.pkl."""
        _no_datastore(datastore_name)
        target = self._place(name)
        if hasattr(path_or_stream, "read"):
            content = path_or_stream.read()
            with open(target, "wb") as file:
                file.write(content.encode("utf-8") if isinstance(content, str) else content)
        elif os.path.abspath(path_or_stream) != os.path.abspath(target) and not _same(path_or_stream, target):
            shutil.copyfile(path_or_stream, target)

    def upload_files(self, names: list[str], paths: list[str], timeout_seconds: Optional[int] = None,
                     datastore_name: Optional[str] = None) -> None:
        """Copies files into the run."""
        for name, path in zip(names, paths):
            self.upload_file(name, path, datastore_name)

    def upload_folder(self, name: str, path: str, datastore_name: Optional[str] = None) -> None:
        """Copies a folder into the run."""
        _no_datastore(datastore_name)
        for folder, _, files in os.walk(path):
            for file in files:
                within = os.path.relpath(os.path.join(folder, file), path)
                self.upload_file("/".join([name.rstrip("/"), *within.split(os.sep)]), os.path.join(folder, file))

    def _place(self, name: str) -> str:
        parts = [part for part in str(name).replace(os.sep, "/").split("/") if part not in ("", ".")]
        if not parts or ".." in parts:
            raise ValueError(f"{name!r} is no name for a file of a run; outputs/model.pkl is one")
        if parts[0] not in ("outputs", "logs"):
            parts.insert(0, "outputs")
        target = os.path.join(self._outputs(), *parts)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        return target

    # ---- its course -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """A run has begun when its script runs."""

    def complete(self, _set_status: bool = True) -> None:
        """A run is complete when its script ends; its exit code tells how."""

    def fail(self, error_details: Any = None, error_code: Any = None, _set_status: bool = True) -> None:
        """Has this script end with exit code 1, so that the run counts as failed; it goes on until then."""
        _Failure.said = True
        if error_details is not None:
            print(f"run failed: {error_details}" + (f" ({error_code})" if error_code else ""), file=sys.stderr)

    @property
    def input_datasets(self) -> dict[str, Any]:
        """The run's data by name: AZUREML_DATAREFERENCE_<name>, as a run configuration or `environment_variables` sets
        them. Each is its path, a text, that can be read as Azure's datasets can: to_pandas_dataframe()."""
        from ._datasets import data_paths
        return data_paths()

    @property
    def output_datasets(self) -> dict[str, Any]:
        """As input_datasets: where to write to."""
        return self.input_datasets


def _refuse(name: str, instead: str) -> None:
    def refused(self: Run, *_: Any, **__: Any) -> Any:
        raise NotImplementedError(f"Run.{name} is not there in hdrive; {instead}")
    refused.__name__ = name
    refused.__doc__ = f"Not there: {instead}."
    setattr(Run, name, refused)


for _each, _why in {
        "child_run": "runs have no runs of their own; log under another name",
        "create_children": "runs have no runs of their own; submit a sweep",
        "submit_child": "runs have no runs of their own; submit it from outside, with an Experiment",
        "get_secret": "set environment_variables", "get_secrets": "set environment_variables",
        "take_snapshot": "a run starts from a snapshot of its source_directory",
        "restore_snapshot": "`hdrive show` tells of a sweep's snapshot"}.items():
    _refuse(_each, _why)


class _Failure:
    said = False


def _end_as_told() -> None:
    if _Failure.said:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)


atexit.register(_end_as_told)


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise ValueError(f"a metric's name is a text, not {name!r}")
    return name


def _real(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"log({name!r}): a {type(value).__name__} is neither a number nor a text; log_list, log_row "
                        "and log_table take lists and dicts") from None


def _no_datastore(name: Optional[str]) -> None:
    if name is not None:
        raise NotImplementedError(f"datastore_name={name!r}: there are no datastores; files go into the run's outputs")


def _same(one: Any, other: str) -> bool:
    return os.path.exists(other) and os.path.samefile(one, other)


class OfflineRun(Run):
    """A script that hdrive has not started: what it logs is printed."""

    def __init__(self) -> None:
        self.id = f"OfflineRun_{uuid.uuid4()}"
        self.number = 0
        self.experiment: Any = None
        self.parent: Any = None
        self._kept: dict[str, dict[str, Any]] = {}

    def _number(self, name: str, value: float, step: Optional[int]) -> None:
        print(f"{name}{'' if step is None else f' [{step}]'}: {value!r}", flush=True)

    def _fact(self, kind: str, name: str, value: Any) -> None:
        kept = self._kept.setdefault(kind, {})
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = plain(value)
        if kind in ("row", "table", "text", "document"):
            print(f"{name}: {value}", flush=True)

    def _facts(self, kind: str) -> dict[str, Any]:
        return dict(self._kept.get(kind, {}))

    def _outputs(self) -> str:
        return os.getcwd()

    def get_status(self) -> str:
        """Running."""
        return "Running"

    def get_details(self) -> dict[str, Any]:
        """Its id and that it runs, and nothing else."""
        return {"runId": self.id, "status": "Running", "target": "local"}


_current: Optional[Run] = None


def get_context(allow_offline: bool = True) -> Run:
    """The run of this process, the same one each time."""
    global _current
    if _current is None:
        if os.environ.get("HDRIVE_METRICS_FILE") and os.environ.get("HDRIVE_RUN_DIR"):
            from ._submitted import SubmittedRun
            _current = SubmittedRun()
        elif allow_offline:
            _current = OfflineRun()
        else:
            from ._errors import RunEnvironmentException
            raise RunEnvironmentException("this script is no run of hdrive (HDRIVE_METRICS_FILE is not set); "
                                          "allow_offline=True gives a run that prints")
    return _current
