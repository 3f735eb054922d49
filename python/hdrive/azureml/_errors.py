# SPDX-License-Identifier: Apache-2.0
"""The exceptions of azureml.exceptions. The standard library alone: scripts load this file without hdrive."""

from __future__ import annotations

__all__ = ["ActivityFailedException", "AzureMLException", "ComputeTargetException", "ExperimentExecutionException",
           "NotBuiltError", "RunEnvironmentException", "TrainingException", "UserErrorException",
           "WorkspaceException"]


class AzureMLException(Exception):
    """The base of them all; `message` is the text."""

    def __init__(self, exception_message: str = "", **_: object) -> None:
        super().__init__(exception_message)
        self.message = exception_message


class UserErrorException(AzureMLException, ValueError):
    """What was given is not allowed. The text says what is."""


class NotBuiltError(UserErrorException, NotImplementedError):
    """A part of Azure ML that hdrive does not have. The text names it, and what to do instead."""


class ComputeTargetException(AzureMLException):
    """A compute target that is not there: no targets.yml has it."""


class ExperimentExecutionException(AzureMLException):
    """A submission that could not begin."""


class TrainingException(AzureMLException):
    """A sweep that has not what was asked for."""


class RunEnvironmentException(AzureMLException):
    """Run.get_context(allow_offline=False) outside of a run."""


class WorkspaceException(AzureMLException):
    """A workspace that cannot be used."""


class ActivityFailedException(AzureMLException):
    """A run or a sweep that has failed; `error_details` is what is known of it."""

    def __init__(self, error_details: str = "", **_: object) -> None:
        super().__init__(error_details)
        self.error_details = error_details
