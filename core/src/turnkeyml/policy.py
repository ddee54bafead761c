"""How a command treats what earlier commands left in the cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any


class Rebuild(Enum):
    """When a step is run although it was run before."""

    IF_NEEDED = "if_needed"
    """When anything that decides its result has changed, or its artifacts are damaged."""
    ALWAYS = "always"
    """Whenever it comes up."""
    NEVER = "never"
    """Not at all: what was made once is used, stale or not; what was never made fails."""


class Skip(Enum):
    """Which models are left out because the same chain was run on them before."""

    NONE = "none"
    ATTEMPTED = "attempted"
    """Those on which it ended, well or not."""
    SUCCESSFUL = "successful"
    """Those on which it ended well."""
    FAILED = "failed"
    """Those on which it failed, or was cut off."""


@dataclass(frozen=True)
class RunPolicy:
    """What a user decided for a whole command.

    Args:
        rebuild: When a step is run again.
        explain: Say for each step why it was run or not.
        lean_cache: Delete artifacts when a build has ended.
        output: Where self-contained copies of the results go.
        skip: Which models are left out.
        settings: Values of the global options that plugins add, by name.
        without: Builds that are left alone, because an earlier attempt at the same input has ended
            with them.
        takes_turns: Whether a benchmark waits until no other job of this host works on its device.
    """

    rebuild: Rebuild = Rebuild.IF_NEEDED
    explain: bool = False
    lean_cache: bool = False
    output: Path | None = None
    skip: Skip = Skip.NONE
    settings: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    takes_turns: bool = False
