# SPDX-License-Identifier: Apache-2.0
"""Compute targets: the targets of targets.yml by their names, and this machine, "local"."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from typing import Any

from .. import _core, _specification
from .._errors import HdriveError
from ._errors import ComputeTargetException
from ._settings import Settings, count, ignored

__all__ = ["AdlaCompute", "AksCompute", "AmlCompute", "BatchCompute", "ComputeInstance", "ComputeTarget",
           "DataFactoryCompute", "DatabricksCompute", "HDInsightCompute", "KubernetesCompute", "RemoteCompute",
           "place_of", "slots_of", "target_named", "targets"]

# Which of Azure's classes a target of ours is.
_KINDS = {"ssh": "RemoteCompute", "slurm": "AmlCompute", "command": "AmlCompute"}


def _files(source_directory: str | None = None) -> list[str]:
    """Where targets are looked for, as a sweep does."""
    found = _core.targets_files(_specification.working_directory(), os.environ.get)
    return found if source_directory is None else [os.path.join(source_directory, "targets.yml"), *found]


def _found(name: Any, source_directory: str | None = None) -> dict[str, Any]:
    """What targets.yml says of a name. Raises ComputeTargetException for one that it has not, which tells how to make
    it."""
    if not isinstance(name, str) or not name:
        raise ComputeTargetException(f"compute target: a name is wanted, not {name!r}")
    try:
        return _core.find_targets(_files(source_directory), [name])[0]
    except HdriveError as error:
        raise ComputeTargetException(f"{error}\n{_how_to_make(name)}") from None


def _how_to_make(name: str) -> str:
    return (f"`hdrive target create {name} --host HOST` makes one of a machine that you can log in to, `hdrive target "
            f"create {name} --type slurm`, or --type command, one of a cluster (docs/targets.md); \"local\", or no compute target, is this "
            "machine")


def place_of(target: Any, source_directory: str | None = None) -> tuple[str | None, str]:
    """The name of the target that a configuration's `target` means, and its type; None and "local": this machine, which
    is meant, too, by the name of a cluster of Azure's that no targets.yml has: that is warned of, as of files."""
    if target is None or target == "local" or getattr(target, "type", "") == "local":
        return None, "local"
    named = getattr(target, "name", target)
    try:
        found = _found(named, source_directory)
    except ComputeTargetException as error:
        if "there is no target of this name" not in str(error):
            raise  # it is written down, and wrong
        _warn_of_this_machine(f"compute target {named!r}", error, stacklevel=4)
        return None, "local"
    return (None, "local") if found["type"] == "local" and found["name"] == "local" else (named, found["type"])


def _warn_of_this_machine(what: str, error: Exception, stacklevel: int) -> None:
    warnings.warn(f"{what}: the runs are processes on this machine. {error}", stacklevel=stacklevel + 1)


def _stand_in(name: str) -> ComputeTarget:
    """This machine under the name of a cluster of Azure's."""
    return ComputeTarget._of({**_found("local"), "name": name})


class _Targets(dict):  # type: ignore[type-arg]
    """By name. One that is not there is asked for by programs that know their cluster: it is this machine."""

    def __missing__(self, name: str) -> ComputeTarget:
        try:
            return ComputeTarget._of(_found(name))
        except ComputeTargetException as error:
            _warn_of_this_machine(f"compute target {name!r}", error, stacklevel=2)
            return _stand_in(name)


def target_named(compute: Any) -> Any:
    """v2's word for a target, `azureml:NAME` or NAME or an object with a name, as v1's; None is this machine."""
    named = getattr(compute, "name", compute)
    return "local" if named is None else named[8:] if isinstance(named, str) and named.startswith("azureml:") else named


def slots_of(target: str | None, source_directory: str) -> int | None:
    """How many runs the target takes at once, where that is written down."""
    slots: int | None = None if target is None else _found(target, source_directory)["slots"]
    return slots


def targets() -> dict[str, ComputeTarget]:
    """The targets of targets.yml by name, without this machine."""
    found, problems = _core.load_targets(_files())
    for problem in problems:
        warnings.warn(problem, stacklevel=3)
    return _Targets({each["name"]: ComputeTarget._of(each) for each in found})


class ProvisioningConfiguration(Settings):
    """What a target is to be: a cluster, which nobody provides here, or a machine by SSH. Kept as given."""

    def __init__(self, kind: str, given: dict[str, Any]) -> None:
        self.kind = kind
        for name, value in given.items():
            setattr(self, name, value)

    def validate_configuration(self) -> None:
        """Nothing is checked before it is used."""


class ComputeStatus:
    """The state of a target, as a cluster of Azure tells it."""

    def __init__(self, target: dict[str, Any]) -> None:
        self.provisioning_state = "Succeeded"
        self.allocation_state = "Steady"
        self.slots = target["slots"]
        self.errors = None

    def serialize(self) -> dict[str, Any]:
        """As a dict."""
        return dict(vars(self))

    def __repr__(self) -> str:
        return json.dumps(self.serialize())


class ComputeTarget:
    """A target of targets.yml by its name: `type` ("ssh", "slurm", "command"), `properties`, its keys as they are written there.

        workstation = ComputeTarget(ws, "workstation")
        ScriptRunConfig(".", "train.py", compute_target=workstation)

    Raises ComputeTargetException for a name that no targets.yml has, as Azure does: programs make one then.
    """

    _target: dict[str, Any]

    def __new__(cls, workspace: Any = None, name: str = "", **_: Any) -> ComputeTarget:
        """Of its own class, where only the name is given."""
        made: ComputeTarget = super().__new__(_class_of(_found(name)) if cls is ComputeTarget else cls)
        return made

    def __init__(self, workspace: Any = None, name: str = "", **_: Any) -> None:
        self.workspace = workspace
        self._target = _found(name)

    @staticmethod
    def _of(target: dict[str, Any]) -> ComputeTarget:
        made = object.__new__(_class_of(target))
        made.workspace, made._target = None, target
        return made

    @property
    def name(self) -> str:
        """Its name."""
        return str(self._target["name"])

    @property
    def type(self) -> str:
        """ssh, slurm or command; local."""
        return str(self._target["type"])

    @property
    def properties(self) -> dict[str, str]:
        """Its keys, each value as YAML."""
        return dict(self._target["keys"])

    provisioning_state = "Succeeded"
    provisioning_errors = None

    def get_status(self) -> ComputeStatus:
        """That it is there; `hdrive target test` tries it."""
        return ComputeStatus(self._target)

    def serialize(self) -> dict[str, Any]:
        """Its name, type and keys."""
        return {"name": self.name, "computeType": self.type, "provisioningState": self.provisioning_state,
                "properties": self.properties}

    def refresh_state(self) -> None:
        """Reads targets.yml again."""
        if self.type != "local":
            self._target = _found(self.name)

    def wait_for_completion(self, show_output: bool = False, *_: Any, **__: Any) -> None:
        """Returns at once: what is written is there."""
        if show_output:
            print(f"{self.name}: {self.provisioning_state}", flush=True)

    def detach(self) -> None:
        """Takes it out of targets.yml. Sweeps that still have runs there cannot go on without it."""
        file = self._target["file"]
        if not file:
            raise ComputeTargetException(f"{self.name}: this machine cannot be detached")
        _change(file, lambda text: _core.without_target(text, file, self.name))

    delete = detach

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, type={self.type!r})"

    # ---- making them ----------------------------------------------------------------------------------------

    @staticmethod
    def create(workspace: Any, name: str, provisioning_configuration: Any) -> ComputeTarget:
        """The target of this name where there is one; else this machine under that name, and a warning which says how to
        name other machines that you have: hdrive rents none."""
        try:
            return ComputeTarget._of(_found(name))
        except ComputeTargetException as error:
            kind = getattr(provisioning_configuration, "kind", "cluster")
            _warn_of_this_machine(f"{kind} {name!r}: hdrive makes no clusters", error, stacklevel=2)
            return _stand_in(name)

    @staticmethod
    def attach(workspace: Any, name: str, attach_configuration: Any) -> ComputeTarget:
        """A machine by SSH under this name, written into targets.yml of the working directory, as `hdrive target
        attach` does; the same one again changes nothing. Raises ComputeTargetException for other kinds, and where the
        name is another target's."""
        kind = getattr(attach_configuration, "kind", type(attach_configuration).__name__)
        if kind != "RemoteCompute":
            raise ComputeTargetException(f"{kind} {name!r} cannot be attached: a machine by SSH can "
                                         f"(RemoteCompute.attach_configuration). {_how_to_make(name)}")
        _specification.text("name", name)
        keys = attach_configuration._keys()
        known = {each["name"]: each for each in _core.load_targets(_files())[0]}
        if name in known:
            # Quotes are a matter of how it was written; further keys, such as slots, are the user's.
            written = known[name]["keys"]
            if all(written.get(key, "").replace('"', "") == value.replace('"', "") for key, value in keys):
                return ComputeTarget._of(known[name])
            raise ComputeTargetException(f"there is another target {name!r} in {known[name]['file']}; detach() takes it "
                                         "out")
        file = os.path.join(_specification.working_directory(), "targets.yml")
        _change(file, lambda text: _core.with_target(text, file, name, keys))
        return ComputeTarget(workspace, name)

    @staticmethod
    def list(workspace: Any) -> Any:
        """The targets of targets.yml."""
        return [*targets().values()]

    @classmethod
    def provisioning_configuration(cls, *_: Any, **given: Any) -> ProvisioningConfiguration:
        """A description, which `create` takes."""
        return ProvisioningConfiguration(cls.__name__, given)

    @classmethod
    def attach_configuration(cls, *_: Any, **given: Any) -> ProvisioningConfiguration:
        """A description, which `attach` takes."""
        return ProvisioningConfiguration(cls.__name__, given)


def _class_of(target: dict[str, Any]) -> type[ComputeTarget]:
    found: type[ComputeTarget] = globals()[_KINDS.get(target["type"], "ComputeTarget")]
    return found


def _change(file: str, changed: Any) -> None:
    try:
        text = ""
        if os.path.exists(file):
            with open(file, encoding="utf-8") as before:
                text = before.read()
        text = changed(text)
        place = os.path.realpath(file)  # a link stays one
        temporary = f"{place}.{os.getpid()}"
        with open(temporary, "w", encoding="utf-8") as after:
            after.write(text)
        if os.path.exists(place):
            shutil.copymode(place, temporary)
        os.replace(temporary, place)
    except (OSError, ValueError) as error:
        raise ComputeTargetException(str(error)) from None


class SshConfiguration(ProvisioningConfiguration):
    """A machine by SSH, which `ComputeTarget.attach` names."""

    def __init__(self, username: str | None, address: str | None, ssh_port: int, password: str, private_key_file: str,
                 private_key_passphrase: str) -> None:
        super().__init__("RemoteCompute", {})
        self.username = username
        self.address = address
        self.ssh_port = ssh_port
        self.password = password
        self.private_key_file = private_key_file
        self.private_key_passphrase = private_key_passphrase

    def _keys(self) -> list[tuple[str, str]]:
        """As targets.yml has it, values as YAML. Raises for a password."""
        if self.password or self.private_key_passphrase:
            raise ComputeTargetException("attach: hdrive keeps no secrets: log in by a key (private_key_file), and give "
                                         "a key's passphrase to ssh-agent")
        if not self.address:
            raise ComputeTargetException("attach: address: the name of a machine is wanted, or its IP address, not "
                                         f"{self.address!r}")
        host: dict[str, Any] = {"host": self.address}
        if self.ssh_port != 22:
            host["port"] = count("attach: ssh_port", self.ssh_port)
        if self.username:
            host["user"] = self.username
        if self.private_key_file:
            host["identity_file"] = os.path.abspath(os.path.expanduser(self.private_key_file))
        members = ", ".join(f"{key}: {value if isinstance(value, int) else json.dumps(value)}"
                            for key, value in host.items())
        return [("type", "ssh"), ("hosts", f"[{{{members}}}]")]


class AmlCompute(ComputeTarget):
    """A cluster; here the target of its name: a cluster of yours, or machines by SSH."""

    @staticmethod
    def supported_vmsizes(*_: Any, **__: Any) -> Any:
        """None: there are the machines you have."""
        return []

    def list_nodes(self) -> Any:
        """None: nodes are the target's."""
        return []

    def update(self, **given: Any) -> None:
        """A cluster of yours has the size that it has."""
        ignored("AmlCompute.update", given, "`hdrive target update` changes a target")


class RemoteCompute(ComputeTarget):
    """A machine by SSH.

        configuration = RemoteCompute.attach_configuration(address="node1", ssh_port=22, username="ada",
                                                           private_key_file="~/.ssh/id_ed25519")
        node1 = ComputeTarget.attach(ws, "node1", configuration)
    """

    @classmethod
    def attach_configuration(cls, username: str | None = None, address: str | None = None, ssh_port: int = 22,
                             password: str = "", private_key_file: str = "", private_key_passphrase: str = "",
                             resource_id: str | None = None, **given: Any) -> ProvisioningConfiguration:
        """A description, which `attach` takes."""
        ignored("RemoteCompute.attach_configuration", {"resource_id": resource_id, **given},
                "a machine is found by its address")
        return SshConfiguration(username, address, ssh_port, password, private_key_file, private_key_passphrase)


class HDInsightCompute(ComputeTarget):
    """A cluster of HDInsight; here the target of its name. Spark is not started: attach its head node by
    RemoteCompute."""


class BatchCompute(ComputeTarget):
    """An account of Azure Batch; here the target of its name."""


class DatabricksCompute(ComputeTarget):
    """A workspace of Databricks; here the target of its name."""


class AdlaCompute(ComputeTarget):
    """An account of Data Lake Analytics; here the target of its name."""


class DataFactoryCompute(ComputeTarget):
    """A data factory; here the target of its name."""


class AksCompute(ComputeTarget):
    """A cluster of Kubernetes in Azure; here the target of its name."""


class KubernetesCompute(ComputeTarget):
    """A cluster of Kubernetes elsewhere; here the target of its name."""


class ComputeInstance(ComputeTarget):
    """A workstation in Azure; here the target of its name."""
