# SPDX-License-Identifier: Apache-2.0
"""Images that scripts run in: what an environment says of them, and what the engine is told."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import _core, _surroundings
from .._errors import HdriveError
from ._errors import UserErrorException
from ._settings import Settings, ignored, not_built

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ContainerRegistry", "DockerBuildContext", "DockerConfiguration", "DockerSection", "Image", "image_of",
           "make_surroundings"]


class ContainerRegistry(Settings):
    """Where an image is: `address` stands before its name. Who has to sign in does so with the engine.

    >>> registry = ContainerRegistry()
    >>> registry.address = "registry.example"
    """

    def __init__(self) -> None:
        self.address: str | None = None
        self.username: str | None = None
        self.password: str | None = None
        self.registry_identity: Any = None
        self._seal()


class DockerBuildContext(Settings):
    """A folder with a Dockerfile, of which an image is built.

    >>> DockerBuildContext.from_local_directory(None, "docker").dockerfile_path
    'Dockerfile'
    """

    def __init__(self, path: str, dockerfile_path: str = "Dockerfile") -> None:
        self.path = path
        self.dockerfile_path = dockerfile_path
        self._seal()

    @staticmethod
    def from_local_directory(workspace: Any, path: str, dockerfile_path: str = "Dockerfile") -> DockerBuildContext:
        """The folder as it is when the image is wanted."""
        return DockerBuildContext(os.path.abspath(path), dockerfile_path)


class DockerSection(Settings):
    """The image that scripts run in, in podman, docker or apptainer, whichever is installed: `base_image`, fetched
    where it is not there; or `base_dockerfile`, the text or the path of a Dockerfile, or `build_context`, from which it
    is built, once; unless `enabled` is False. Without one of them, and with Azure's images that hold nothing but conda
    and MPI, scripts run in an interpreter of this machine.

        env.docker.base_image = "python:3.12"
        env.docker.arguments = ["--cap-add", "SYS_PTRACE"]
    """

    def __init__(self) -> None:
        self.enabled: bool | None = None
        self.base_image: str | None = None
        self.base_image_registry = ContainerRegistry()
        self.base_dockerfile: str | None = None
        self.build_context: DockerBuildContext | None = None
        self.platform: Any = None
        self.shm_size: str | None = None
        self.arguments: list[str] = []
        self.shared_volumes = True
        self.gpu_support = False
        self._seal()


class DockerConfiguration(Settings):
    """`use_docker=True`: the environment's image is used, with these `arguments` and this `shm_size`. A configuration
    that is given with `use_docker=False` leaves it unused.

    >>> DockerConfiguration(use_docker=True, arguments=["--cap-drop", "ALL"], shm_size="2g").shm_size
    '2g'
    """

    def __init__(self, use_docker: bool = False, shared_volumes: bool = True, arguments: list[str] | None = None,
                 shm_size: str | None = None) -> None:
        self.use_docker = use_docker
        self.shared_volumes = shared_volumes
        self.arguments = list(arguments or [])
        self.shm_size = shm_size
        self._seal()


@dataclass
class Image:
    """An image by its name, or what it is built from; and how it is run."""

    name: str
    build: tuple[str, str, str] | None = None
    arguments: list[str] = field(default_factory=list)
    shm_size: str = ""
    gpu: bool = False

    def surroundings(self, volumes: Sequence[str]) -> _core.Surroundings:
        """What the engine is to make of it; the container sees these files and folders."""
        wanted = _core.Surroundings()
        wanted.set_container(self.name, self.build, self.arguments, self.shm_size, self.gpu, list(volumes))
        return wanted


def image_of(environment: str, section: DockerSection, given: DockerConfiguration | None,
             curated: bool) -> Image | None:
    """The image of an environment, with what a run configuration says of it; None where scripts run on this machine.
    Raises for what cannot be had."""
    builds = section.base_dockerfile is not None or section.build_context is not None
    wanted = given.use_docker if given is not None else section.enabled
    if not (builds or bool(section.base_image and not curated) if wanted is None else wanted):
        return None
    if builds and section.base_image:
        raise UserErrorException(f"environment {environment!r}: base_image and a Dockerfile are given; one is wanted")
    if not builds and (not section.base_image or _core.is_bare_image(section.base_image)):
        if section.base_image:
            warnings.warn(f"environment {environment!r}: the image {section.base_image} is not run, as it has conda "
                          "and MPI alone; scripts run in an interpreter of this machine", stacklevel=3)
        return None
    registry = section.base_image_registry
    if registry.username or registry.password or registry.registry_identity:
        raise not_built(f"environment {environment!r}: signing in to a registry", "sign in yourself: podman login "
                        f"{registry.address or 'ADDRESS'}, and keep passwords out of programs")
    how: Any = given if given is not None else section
    ignored(f"environment {environment!r}: docker", {"shared_volumes=False": not how.shared_volumes,
                                                     "platform": section.platform},
            "a run needs its folder and the source folder, and the engine takes the image for this machine")
    name = "" if builds else str(section.base_image)
    if registry.address and name and not name.startswith(registry.address + "/"):
        name = f"{registry.address}/{name}"
    return Image(name, _build(environment, section) if builds else None, [str(each) for each in how.arguments],
                 how.shm_size or "", bool(section.gpu_support))


def _build(environment: str, section: DockerSection) -> tuple[str, str, str]:
    """The folder, the Dockerfile's path in it, or the Dockerfile's text."""
    if section.build_context is not None:
        return os.path.abspath(section.build_context.path), section.build_context.dockerfile_path, ""
    given = str(section.base_dockerfile)
    if "\n" in given or given.lower().startswith("from "):
        return "", "", given
    path = os.path.abspath(given)
    if not os.path.isfile(path):
        raise UserErrorException(f"environment {environment!r}: there is no Dockerfile {path}; allowed: the path of "
                                 "one, or its text")
    return os.path.dirname(path), os.path.basename(path), ""


def make_surroundings(spec: _core.Spec, wanted: _core.Surroundings) -> None:
    """Makes it real; raises UserErrorException where it cannot be had."""
    try:
        _surroundings.make(spec, wanted, "leave the image out, so that scripts run in an interpreter of this machine")
    except HdriveError as error:
        raise UserErrorException(str(error)) from None
