# SPDX-License-Identifier: Apache-2.0
"""Datasets: files of this machine, under the name that a script asks for, or by their path.

The standard library alone, as scripts load this file without hdrive; tables are read by pandas, which those that ask
for one have.
"""

from __future__ import annotations

import os
import shutil
from typing import Any, Optional

from ._errors import UserErrorException
from ._settings import nearest, not_built

__all__ = ["Dataset", "DatasetPath", "FileDatasetFactory", "TabularDatasetFactory", "data_paths"]

_VARIABLE = "AZUREML_DATAREFERENCE_"


def data_paths() -> dict[str, DatasetPath]:
    """This run's data by name: the variables AZUREML_DATAREFERENCE_<name>. A name that is not there is a KeyError that
    says how to set it."""
    return _Paths({name[len(_VARIABLE):]: DatasetPath(path, name[len(_VARIABLE):]) for name, path in os.environ.items()
                   if name.startswith(_VARIABLE)})


def registered() -> dict[str, DatasetPath]:
    """The same, of a workspace: one that is not there is a UserErrorException, for `get`, too, since programs use what
    that gives without a look."""
    return _Registered(data_paths())


class _Registered(dict):  # type: ignore[type-arg]
    def __missing__(self, name: str) -> DatasetPath:
        return _known(name)

    def get(self, name: str, *default: Any) -> Any:
        return default[0] if default and name not in self else self[name]


class _Paths(dict):  # type: ignore[type-arg]
    def __missing__(self, name: str) -> DatasetPath:
        raise KeyError(f"no data is named {name!r} here; set {_VARIABLE}{name} to a path on this machine, in "
                       f"environment_variables, or pass the path as an argument ({', '.join(self) or 'none'} there)")


class DatasetPath(str):
    """Where a dataset is: its path as a text, for scripts that open it themselves, with what Azure's datasets can do.

        path = run.input_datasets["digits"]
        path.to_pandas_dataframe()
    """

    def __new__(cls, path: Any, name: str = "") -> DatasetPath:
        made = super().__new__(cls, path)
        made.name = name
        made._others = ()
        return made

    name: str
    _others: tuple[str, ...]

    def _files(self) -> list[str]:
        found: list[str] = []
        for path in (str(self), *self._others):
            if not os.path.isdir(path):
                found.append(path)
                continue
            for folder, folders, files in os.walk(path):
                folders.sort()
                found += [os.path.join(folder, file) for file in sorted(files)]
        return found

    def to_path(self) -> list[str]:
        """Its files, counted from it."""
        return ["/" + os.path.relpath(file, str(self) if os.path.isdir(self) else os.path.dirname(self) or ".")
                for file in self._files()]

    def to_pandas_dataframe(self, on_error: str = "null", out_of_range_datetime: str = "null", **options: Any) -> Any:
        """The table it is, or that its files make one below the other: CSV, TSV, Parquet, or JSON lines, by their
        names. Needs pandas. `options` are those of pandas' reader."""
        import pandas
        frames = [_read(pandas, file, options) for file in self._files()]
        if not frames:
            raise UserErrorException(f"the dataset {self.name or str(self)!r} has no files: {str(self)!r} is empty")
        return frames[0] if len(frames) == 1 else pandas.concat(frames, ignore_index=True)

    def download(self, target_path: Optional[str] = None, overwrite: bool = False, **_: Any) -> list[str]:
        """Copies its files into a folder and returns where they are; without one they are where they are."""
        if target_path is None:
            return self._files()
        top = str(self) if os.path.isdir(self) else os.path.dirname(self)
        copies = []
        for file in self._files():
            target = os.path.join(target_path, os.path.relpath(file, top or "."))
            if os.path.exists(target) and not overwrite:
                raise UserErrorException(f"{target} is there already; overwrite=True replaces it")
            os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
            shutil.copyfile(file, target)
            copies.append(target)
        return copies

    def mount(self, mount_point: Optional[str] = None, **_: Any) -> _Mount:
        """It is there already; `mount_point` of what is returned is its path."""
        return _Mount(str(self))

    def as_named_input(self, name: str) -> DatasetPath:
        """The same, under another name."""
        return DatasetPath(self, name)

    def as_mount(self, path_on_compute: Optional[str] = None) -> DatasetPath:
        """The same: it is there already."""
        return self

    as_download = as_mount


class _Mount:
    def __init__(self, path: str) -> None:
        self.mount_point = path

    def start(self) -> None:
        """Nothing to do."""

    def stop(self) -> None:
        """Nothing to do."""

    def __enter__(self) -> _Mount:
        return self

    def __exit__(self, *_: Any) -> None:
        pass


def _read(pandas: Any, file: str, options: dict[str, Any]) -> Any:
    name = file.lower().partition("?")[0]
    name = name[:-3] if name.endswith(".gz") else name
    if name.endswith(".parquet"):
        return pandas.read_parquet(file, **options)
    if name.endswith((".jsonl", ".ndjson", ".json")):
        return pandas.read_json(file, **{"lines": True, **options})
    return pandas.read_csv(file, **{"sep": "\t" if name.endswith(".tsv") else ",", **options})


def _at(where: str, path: Any) -> DatasetPath:
    """A dataset of what is at a path or a URL, or at each of several."""
    paths = [str(each) for each in path] if isinstance(path, (list, tuple)) else [str(path)]
    if not paths or any(type(each).__name__ in ("DataPath", "Datastore") for each in
                        (path if isinstance(path, (list, tuple)) else [path])):
        raise not_built(f"{where} of a datastore", "pass the path of a file on this machine")
    found = DatasetPath(paths[0])
    found._others = tuple(paths[1:])
    return found


class TabularDatasetFactory:
    """Tables from files, by path or URL."""

    @staticmethod
    def from_delimited_files(path: Any, validate: bool = True, include_path: bool = False,
                             infer_column_types: bool = True, set_column_types: Any = None, separator: str = ",",
                             header: Any = True, **_: Any) -> DatasetPath:
        """A table of text files; to_pandas_dataframe() reads it."""
        found = _at("from_delimited_files", path)
        if separator != ",":
            return _Delimited.made(found, separator)
        return found

    @staticmethod
    def from_parquet_files(path: Any, **_: Any) -> DatasetPath:
        """A table of Parquet files."""
        return _at("from_parquet_files", path)

    @staticmethod
    def from_json_lines_files(path: Any, **_: Any) -> DatasetPath:
        """A table of files with an object of JSON in each line."""
        return _at("from_json_lines_files", path)


class _Delimited(DatasetPath):
    _separator = ","

    @staticmethod
    def made(found: DatasetPath, separator: str) -> _Delimited:
        made = _Delimited(found, found.name)
        made._others, made._separator = found._others, separator
        return made

    def to_pandas_dataframe(self, on_error: str = "null", out_of_range_datetime: str = "null", **options: Any) -> Any:
        return super().to_pandas_dataframe(**{"sep": self._separator, **options})


class FileDatasetFactory:
    """Files, by path."""

    @staticmethod
    def from_files(path: Any, validate: bool = True, is_file: Any = None, **_: Any) -> DatasetPath:
        """The files at a path, or at each of several."""
        return _at("from_files", path)


class Dataset:
    """Datasets by name, as this run's data is told, or by path.

        Dataset.get_by_name(run.experiment.workspace, "digits").to_pandas_dataframe()
        Dataset.Tabular.from_delimited_files("digits.csv").to_pandas_dataframe()
    """

    Tabular = TabularDatasetFactory
    File = FileDatasetFactory

    @staticmethod
    def get_by_name(workspace: Any, name: str, version: Any = "latest") -> DatasetPath:
        """This run's data of that name."""
        return _known(name)

    @staticmethod
    def get_by_id(workspace: Any, id: str, **_: Any) -> DatasetPath:
        """This run's data of that name: an id is one."""
        return _known(id)

    @staticmethod
    def get_all(workspace: Any) -> dict[str, DatasetPath]:
        """This run's data by name."""
        return data_paths()


def _known(name: str) -> DatasetPath:
    paths = data_paths()
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in name)
    for each in (name, plain):
        if each in paths:
            return paths[each]
    raise UserErrorException(
        f"there is no dataset {name!r} here{nearest(name, paths) if paths else ''}; set {_VARIABLE}{plain} to its path "
        "on this machine, in environment_variables, or name it under data in the run configuration and in azureml.yml")
