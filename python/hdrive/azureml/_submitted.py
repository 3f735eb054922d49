# SPDX-License-Identifier: Apache-2.0
"""The run that a script is, when hdrive has started it: found by the variables of its environment.

The standard library alone, as _context, of which this is a part.
"""

from __future__ import annotations

import json
import math
import os
import time
from typing import Any, Optional

from ._context import Journal, Run, append_line, gather, read_regular
from ._datasets import DatasetPath, data_paths

__all__ = ["SubmittedRun"]


class StoreFolder:
    """The workspace of a script in whose interpreter hdrive is not: the folder that the sweeps are in, and no more."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.name = "local"
        self.subscription_id = self.resource_group = ""
        self.location = "local"

    @property
    def datasets(self) -> dict[str, DatasetPath]:
        """This run's data by name."""
        return data_paths()

    def get_default_datastore(self) -> Any:
        """There are no datastores."""
        raise NotImplementedError("Workspace.get_default_datastore is not there in hdrive; pass the paths of files on "
                                  "this machine as arguments")

    def get_default_keyvault(self) -> Any:
        """There are no key vaults."""
        raise NotImplementedError("Workspace.get_default_keyvault is not there in hdrive; set environment_variables")


class _Experiment:
    """The run's experiment, as its script sees it; the sweep where it belongs to none."""

    def __init__(self, sweep: str) -> None:
        self.name = os.environ.get("AZUREML_ARM_PROJECT_NAME") or os.path.basename(sweep)
        self._store = os.path.dirname(sweep)

    @property
    def workspace(self) -> Any:
        """The store that the sweep is in."""
        from importlib import import_module
        try:
            return import_module("hdrive.azureml").Workspace()
        except ModuleNotFoundError:
            return StoreFolder(self._store)


class SubmittedRun(Run):
    """A run that hdrive has started: `id`, `number`, `parent` (the sweep, which can be logged to as well)."""

    type = "azureml.scriptrun"
    description = ""

    def __init__(self) -> None:
        self._directory = os.environ["HDRIVE_RUN_DIR"]
        self._metrics = os.environ["HDRIVE_METRICS_FILE"]
        self._attempt = int(os.environ.get("HDRIVE_ATTEMPT") or 1)
        self._journal = Journal(self._directory)
        self.id = os.environ.get("HDRIVE_RUN_ID", "")
        self.number = int(os.environ.get("HDRIVE_RUN_NUMBER") or 0)
        self.display_name = self.name = f"run {self.number}"
        self.experiment = _Experiment(os.path.dirname(os.path.dirname(self._directory)))

    @property
    def parent(self) -> Run:
        """The sweep that this run belongs to."""
        return ParentRun(os.path.dirname(os.path.dirname(self._directory)))

    def _number(self, name: str, value: float, step: Optional[int]) -> None:
        number: Any = value
        if not math.isfinite(value):
            number = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        entry = {"name": name, "value": number}
        if step is not None:
            entry["step"] = step
        append_line(self._metrics, entry)

    def _fact(self, kind: str, name: str, value: Any) -> None:
        self._journal.add(kind, name, value, 0 if kind in ("tag", "property") else self._attempt)

    def _facts(self, kind: str) -> dict[str, Any]:
        return self._journal.latest(kind)

    def _outputs(self) -> str:
        return self._directory

    @property
    def status(self) -> str:
        """Running, as the script sees it."""
        return "Running"

    def get_status(self) -> str:
        """Running, as the script sees it."""
        return self.status

    def get_metrics(self, name: Optional[str] = None, recursive: bool = False, run_type: Any = None,
                    populate: bool = False) -> dict[str, Any]:
        """What it has logged until now: of a number logged once the number, of one logged several times a list."""
        metrics: dict[str, Any] = {}
        for line in read_regular(self._metrics).split(b"\n"):
            try:
                entry = json.loads(line)
                metrics.setdefault(str(entry["name"]), []).append(float(entry["value"]))
            except (ValueError, KeyError, TypeError):
                continue  # a line that was cut short, or somebody else's
        metrics = {each: values[0] if len(values) == 1 else values for each, values in metrics.items()}
        metrics.update(gather([(kind, each, value) for kind in ("row", "table", "text", "document")
                               for each, value in self._journal.read(kind, self._attempt)]))
        return metrics if name is None else {each: value for each, value in metrics.items() if each == name}

    def get_file_names(self) -> list[str]:
        """The names of its files: outputs/..., logs/..."""
        return [os.path.relpath(os.path.join(folder, file), self._directory).replace(os.sep, "/")
                for top in ("logs", "outputs") for folder, _, files in os.walk(os.path.join(self._directory, top))
                for file in sorted(files)]

    def register_model(self, model_name: str, model_path: Optional[str] = None, tags: Optional[dict[str, str]] = None,
                       properties: Optional[dict[str, str]] = None, description: Optional[str] = None,
                       **kwargs: Any) -> Any:
        """Keeps a file or a folder of its outputs, by default all of them, as the next version of a model."""
        from ._model import Model
        path = os.path.join(self._directory, *(model_path or "outputs").strip("/").split("/"))
        return Model.register(self.experiment.workspace, path, model_name, tags, properties, description,
                              _run_id=self.id, **kwargs)

    def get_details(self) -> dict[str, Any]:
        """What the run was started with."""
        try:
            with open(os.path.join(self._directory, "run.json"), encoding="utf-8") as file:
                started = json.load(file)
        except (OSError, ValueError):
            started = {}
        return {"runId": self.id, "status": "Running", "target": "local", "properties": self.get_properties(),
                "runDefinition": {"arguments": started.get("arguments", [])}}


class ParentRun(Run):
    """The sweep, from within one of its runs."""

    type = "hyperdrive"

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._journal = Journal(directory)
        self.id = os.environ.get("HDRIVE_SWEEP_ID", os.path.basename(directory))
        self.name = self.display_name = self.id
        self.experiment = _Experiment(directory)
        self.parent = None

    def _number(self, name: str, value: float, step: Optional[int]) -> None:
        self._journal.add("number", name, {"value": value if math.isfinite(value) else str(value), "step": step,
                                           "time": time.time()})

    def _fact(self, kind: str, name: str, value: Any) -> None:
        self._journal.add(kind, name, value)

    def _facts(self, kind: str) -> dict[str, Any]:
        return self._journal.latest(kind)

    def _outputs(self) -> str:
        return self._directory

    def get_status(self) -> str:
        """Running, as one of its runs sees it."""
        return "Running"
