"""The errors that turnkey raises, and the exit codes they end with."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How the command ends."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 130


class TurnkeyError(Exception):
    """Something went wrong that the user can understand and act on.

    Args:
        message: What happened and where, in one sentence.
        hint: What to do about it, in one sentence.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message} {self.hint}"


class UsageError(TurnkeyError):
    """The command, or what it names, is wrong: known before anything ran."""

    exit_code = ExitCode.USAGE


class PlanError(UsageError):
    """The chain cannot work: kinds do not meet, or a runtime, device or option does not exist."""


class PluginError(UsageError):
    """A plugin package does not keep its contract."""


class BuildError(TurnkeyError):
    """A tool could not do its work on a model."""


class CacheError(TurnkeyError):
    """A file of the cache cannot be read or is not what it should be."""


class NewerSchemaError(CacheError):
    """A file of the cache was written by a newer turnkey, and must not be overwritten."""
