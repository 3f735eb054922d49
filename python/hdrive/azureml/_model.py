# SPDX-License-Identifier: Apache-2.0
"""Model: files kept under a name and a version, beside the sweeps. A folder and no service. The standard library alone,
as scripts load this file without hdrive."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from ._context import get_context
from ._errors import UserErrorException
from ._settings import ignored, nearest

if TYPE_CHECKING:
    from ._workspace import Workspace

__all__ = ["Model"]


def _folder(workspace: Workspace | None) -> str:
    if workspace is None:
        experiment = getattr(get_context(), "experiment", None)
        if experiment is not None:
            workspace = experiment.workspace
        else:
            from ._workspace import Workspace as Local
            workspace = Local.from_config()
    assert workspace is not None
    return os.path.join(workspace.directory, "azureml", "models")


def _versions(folder: str, name: str) -> list[int]:
    path = os.path.join(folder, name)
    return sorted(int(each) for each in os.listdir(path) if each.isdigit()) if os.path.isdir(path) else []


class Model:
    """A registered model: `Model(ws, "digits")` is its latest version; `download` copies it.

        best.register_model(model_name="digits", model_path="outputs/model.pkl")
        Model(ws, "digits").download(target_dir="models")
    """

    def __init__(self, workspace: Workspace | None, name: str, version: int | str | None = None) -> None:
        folder = _folder(workspace)
        versions = _versions(folder, name)
        if not versions:
            known = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
            raise UserErrorException(f"there is no model {name!r}" + (nearest(name, known) if known else ""))
        self.version = versions[-1] if version is None else int(version)
        if self.version not in versions:
            raise UserErrorException(f"model {name!r} has no version {version}; it has: "
                                     f"{', '.join(map(str, versions))}")
        self.name = name
        self._path = os.path.join(folder, name, str(self.version))
        with open(os.path.join(self._path, "model.json"), encoding="utf-8") as file:
            facts = json.load(file)
        self.tags: dict[str, str] = facts["tags"]
        self.properties: dict[str, str] = facts["properties"]
        self.description: str = facts["description"]
        self.run_id: str | None = facts["run_id"]
        self._file: str = facts["file"]

    @property
    def id(self) -> str:
        """name:version."""
        return f"{self.name}:{self.version}"

    @staticmethod
    def register(workspace: Workspace | None, model_path: str, model_name: str, tags: dict[str, str] | None = None,
                 properties: dict[str, str] | None = None, description: str | None = None, _run_id: str | None = None,
                 **kwargs: Any) -> Model:
        """Copies a file or a folder, as the next version of this name."""
        ignored("Model.register", kwargs, "a model is its files, a name, tags and a description")
        if not model_name or not all(c.isalnum() or c in "-_." for c in model_name) or model_name[0] == ".":
            raise UserErrorException(f"model_name: {model_name!r} is none; letters, digits, '-', '_' and '.' are "
                                     "allowed")
        if not os.path.exists(model_path):
            raise UserErrorException(f"model_path: there is no {model_path}")
        folder = _folder(workspace)
        version = max(_versions(folder, model_name), default=0) + 1
        while True:
            path = os.path.join(folder, model_name, str(version))
            try:
                os.makedirs(path)
                break
            except FileExistsError:  # somebody registers at the same time
                version += 1
        file = os.path.basename(os.path.abspath(model_path))
        copy: Any = shutil.copytree if os.path.isdir(model_path) else shutil.copyfile
        os.mkdir(os.path.join(path, "files"))
        copy(model_path, os.path.join(path, "files", file))
        with open(os.path.join(path, "model.json"), "w", encoding="utf-8") as out:
            json.dump({"file": file, "tags": tags or {}, "properties": properties or {},
                       "description": description or "", "run_id": _run_id}, out)
        return Model(workspace, model_name, version)

    @staticmethod
    def get_model_path(model_name: str, version: int | None = None, _workspace: Workspace | None = None) -> str:
        """Where its file, or folder, is."""
        model = Model(_workspace, model_name, version)
        return os.path.join(model._path, "files", model._file)

    @staticmethod
    def list(workspace: Workspace | None, name: str | None = None) -> Any:
        """All models, the latest version first within a name."""
        folder = _folder(workspace)
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        return [Model(workspace, each, version) for each in names if name in (None, each)
                for version in reversed(_versions(folder, each))]

    def download(self, target_dir: str = ".", exist_ok: bool = False, exists_ok: bool | None = None) -> str:
        """Copies it into the folder and returns where it is."""
        source, target = os.path.join(self._path, "files", self._file), os.path.join(target_dir, self._file)
        if os.path.exists(target) and not (exist_ok or exists_ok):
            raise UserErrorException(f"{target} is there already; exist_ok=True replaces it")
        os.makedirs(target_dir, exist_ok=True)
        if os.path.isdir(source):
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target)
        return target

    def __repr__(self) -> str:
        return f"Model(name={self.name!r}, version={self.version})"
