# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, as exceptions with the texts that the command prints."""

__all__ = ["ConfigError", "HdriveError", "NoResourcesError", "NotAllowedError", "NotFoundError", "RunStopped",
           "StoreDamaged", "SweepLocked", "WorkerDied"]


class HdriveError(Exception):
    """What hdrive itself raises. Its subclasses say what a caller can do about it."""

    __module__ = "hdrive"


class ConfigError(HdriveError, ValueError):
    """What was given is not allowed: a space, an option, a limit. The text says what is."""

    __module__ = "hdrive"


class NotFoundError(HdriveError, LookupError):
    """A sweep, a run, a file or a program that is not there (any more)."""

    __module__ = "hdrive"


class NotAllowedError(HdriveError):
    """A permission is missing, or a file system is read-only."""

    __module__ = "hdrive"


class NoResourcesError(HdriveError):
    """A full disk or quota, or no more descriptors, processes or memory. It may pass by itself."""

    __module__ = "hdrive"


class SweepLocked(HdriveError):
    """Another process, or another part of this one, is running the sweep."""

    __module__ = "hdrive"


class StoreDamaged(HdriveError):
    """What is stored contradicts itself; `hdrive repair` rebuilds it."""

    __module__ = "hdrive"


class WorkerDied(HdriveError):
    """A worker process ended without saying how its run did: a crash, or no memory. It fails its run alone."""

    __module__ = "hdrive"


class RunStopped(HdriveError):
    """Raised in an objective by `run.log` once the run is to stop: the policy, or somebody, has spoken.

    It may be caught for cleaning up; let it go on, or return. A run that trains on regardless is told again at
    its next report, and what it returns counts as partial.
    """

    __module__ = "hdrive"


def printable(why: object) -> str:
    """What an exception says, whatever its text is made of."""
    try:
        text = str(why)
    except Exception:
        text = type(why).__name__
    return text.encode("utf-8", "backslashreplace").decode()
