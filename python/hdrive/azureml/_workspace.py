# SPDX-License-Identifier: Apache-2.0
"""Workspace and Experiment: the folder that holds sweeps, and a name that groups them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

from .. import _catalog, _specification
from ._config import HyperDriveConfig
from ._errors import UserErrorException
from ._interactive import InteractiveRun, begin_interactive
from ._model import Model
from ._runs import Run, open_run
from ._settings import ignored, not_built, refuse_others
from ._submit import start_script, start_sweep

__all__ = ["Experiment", "Workspace"]


class Workspace:
    """The local store: $HDRIVE_HOME, or .hdrive in the working directory. Names and the subscription are kept for
    programs that print them; they choose nothing.

        ws = Workspace.from_config()
        ws.directory
    """

    def __init__(self, subscription_id: str | None = None, resource_group: str | None = None,
                 workspace_name: str | None = None, auth: Any = None, _location: str | None = None,
                 **kwargs: Any) -> None:
        ignored("Workspace", kwargs, "the workspace is a folder of this machine")
        self.name = workspace_name or "local"
        self.subscription_id = subscription_id or ""
        self.resource_group = resource_group or ""
        self.location = _location or "local"
        #: The folder that holds the sweeps.
        self.directory = _directory()

    @classmethod
    def from_config(cls, path: str | None = None, auth: Any = None, _logger: Any = None,
                    _file_name: str | None = None) -> Workspace:
        """The local store. Where there is a config.json of Azure, at `path` or above the working directory, its names
        are taken; none is needed."""
        found = _find_config(path, _file_name or "config.json")
        if found is None:
            return cls()
        try:
            with open(found, encoding="utf-8") as file:
                given = json.load(file)
            return cls(given.get("subscription_id"), given.get("resource_group"), given.get("workspace_name"))
        except (OSError, ValueError, AttributeError) as error:
            raise UserErrorException(f"{found}: {error}") from None

    @classmethod
    def get(cls, name: str | None = None, auth: Any = None, subscription_id: str | None = None,
            resource_group: str | None = None, **kwargs: Any) -> Workspace:
        """The local store, under this name."""
        return cls(subscription_id, resource_group, name, **kwargs)

    @classmethod
    def create(cls, name: str | None = None, auth: Any = None, subscription_id: str | None = None,
               resource_group: str | None = None, location: str | None = None, exist_ok: bool = False,
               **kwargs: Any) -> Workspace:
        """The local store, under this name."""
        return cls(subscription_id, resource_group, name, _location=location, **kwargs)

    def write_config(self, path: str | None = None, file_name: str | None = None) -> None:
        """Writes .azureml/config.json with the names."""
        folder = os.path.join(path or ".", ".azureml")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, file_name or "config.json"), "w", encoding="utf-8") as file:
            json.dump({"subscription_id": self.subscription_id, "resource_group": self.resource_group,
                       "workspace_name": self.name}, file, indent=4)

    def get_details(self) -> dict[str, Any]:
        """Its names, and the folder as its id."""
        return {"id": self.directory, "name": self.name, "location": self.location}

    @property
    def compute_targets(self) -> dict[str, Any]:
        """The targets of targets.yml by name (docs/targets.md)."""
        from ._compute import targets
        return targets()

    @property
    def environments(self) -> dict[str, Any]:
        """The registered environments by name."""
        from ._environment import Environment
        return Environment.list(self)

    @property
    def experiments(self) -> dict[str, Experiment]:
        """The experiments that have a sweep, by name."""
        names = {str(sweep._entry()["experiment"]) for sweep in self._sweeps()}
        return {name: Experiment(self, name) for name in sorted(names) if name}

    def _sweeps(self) -> list[Any]:
        return _catalog.sweeps(self.directory) if os.path.isdir(self.directory) else []

    def get_run(self, run_id: str) -> Any:
        """The run, or the sweep, with this id."""
        return open_run(None, self, run_id)

    def get_default_datastore(self) -> Any:
        """hdrive has no datastores."""
        raise not_built("Workspace.get_default_datastore", "pass the paths of files on this machine as arguments")

    @property
    def datasets(self) -> dict[str, Any]:
        """This run's data by name, or those of the variables AZUREML_DATAREFERENCE_<name>."""
        from ._datasets import registered
        return registered()

    @property
    def datastores(self) -> dict[str, Any]:
        """None."""
        return {}

    @property
    def models(self) -> dict[str, Any]:
        """The registered models by name, each in its latest version."""
        return {model.name: model for model in reversed(Model.list(self))}

    def __repr__(self) -> str:
        return f"Workspace.create(name={self.name!r}, subscription_id={self.subscription_id!r}, " \
               f"resource_group={self.resource_group!r})"


def _directory() -> str:
    """$HDRIVE_HOME, else .hdrive here; in a run's script the folder that the run itself is in."""
    run = os.environ.get("HDRIVE_RUN_DIR")
    if run and not os.environ.get("HDRIVE_HOME"):
        return os.path.dirname(os.path.dirname(os.path.dirname(run)))
    return _specification.home(None, new=True)


def _find_config(path: str | None, file_name: str) -> str | None:
    if path is not None and os.path.isfile(path):
        return path
    folder = os.path.abspath(path or ".")
    while True:
        for inner in (".azureml", "aml_config", "."):
            candidate = os.path.join(folder, inner, file_name)
            if os.path.isfile(candidate) and (inner != "." or _is_azure(candidate)):
                return candidate
        if os.path.dirname(folder) == folder:
            break
        folder = os.path.dirname(folder)
    if path is not None:
        raise UserErrorException(f"path: there is no {file_name} in {path}, nor above it")
    return None


def _is_azure(path: str) -> bool:
    # config.json is a common name; one without Azure's keys is somebody else's.
    try:
        with open(path, encoding="utf-8") as file:
            return "workspace_name" in json.load(file)
    except (OSError, ValueError, TypeError):
        return False


class Experiment:
    """A name that groups runs. `submit` begins one.

        run = Experiment(ws, "digits").submit(hyperdrive_config)
    """

    def __init__(self, workspace: Workspace, name: str, _skip_name_validation: bool = False) -> None:
        if not isinstance(name, str) or not re.match(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$", name):
            raise UserErrorException(f"Experiment: {name!r} is no name; letters, digits, '-', '_' and '.' are allowed, "
                                     "255 at most")
        self.workspace = workspace
        self.name = name

    @property
    def id(self) -> str:
        """Its name, which is unique here."""
        return self.name

    def submit(self, config: Any, tags: dict[str, str] | None = None, **kwargs: Any) -> Any:
        """Begins what `config` describes, in the background, and returns it: a HyperDriveRun of a HyperDriveConfig, a
        ScriptRun of a ScriptRunConfig or an Estimator, a PipelineRun of a Pipeline. It ends with this process: what is
        left of a sweep then goes on with `hdrive resume`. Raises UserErrorException, hdrive.ConfigError or
        ComputeTargetException for what is not allowed; nothing was begun then."""
        from ._estimator import MMLBaseEstimator
        from ._pipeline import Pipeline
        from ._runconfig import ScriptRunConfig
        if isinstance(config, Pipeline):
            return config.submit(self.name, _experiment=self, tags=tags, **kwargs)
        display_name = kwargs.pop("display_name", None)
        refuse_others("Experiment.submit", kwargs, ["config", "tags", "display_name"])
        if isinstance(config, HyperDriveConfig):
            run: Run = start_sweep(self, config)
        elif isinstance(config, ScriptRunConfig):
            run = start_script(self, config)
        elif isinstance(config, MMLBaseEstimator):
            run = start_script(self, config._script())
        else:
            raise UserErrorException(f"submit: a {type(config).__name__} is nothing to run; allowed: ScriptRunConfig, "
                                     "HyperDriveConfig, Estimator, Pipeline")
        run.set_tags(tags or {})
        if display_name is not None:
            run.display_name = display_name
        return run

    def get_runs(self, type: str | None = None, tags: Any = None, properties: Any = None, status: str | None = None,
                 include_children: bool = False) -> Iterator[Any]:
        """Its runs and sweeps, the newest first."""
        from ._hyperdrive_run import _matches
        for sweep in reversed(self.workspace._sweeps()):
            if sweep._entry()["experiment"] != self.name:
                continue
            run = open_run(self, self.workspace, sweep.id)
            runs = [run, *(run.get_children() if include_children else ())]
            for each in runs:
                if (type is None or each.type == type) and (status is None or each.get_status() == status) and \
                        _matches(tags, each.get_tags()) and _matches(properties, each.get_properties()):
                    yield each

    def start_logging(self, *, display_name: str | None = None, outputs: Any = None,
                      snapshot_directory: Any = None) -> InteractiveRun:
        """A run that is this process: log to it, and end it with complete()."""
        ignored("Experiment.start_logging", {"outputs": outputs, "snapshot_directory": snapshot_directory},
                "copy files with upload_file and upload_folder")
        return begin_interactive(self, display_name)

    @staticmethod
    def list(workspace: Workspace) -> Any:
        """The experiments of a workspace."""
        return [*workspace.experiments.values()]

    def __repr__(self) -> str:
        return f"Experiment(Name: {self.name}, Workspace: {self.workspace.name})"
