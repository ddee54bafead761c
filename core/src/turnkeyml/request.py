"""What a command line asks for: inputs, a chain, and the options that stand before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.options import option

if TYPE_CHECKING:
    from turnkeyml.sequence import Sequence as StepSequence
    from turnkeyml.sequence import Step


@dataclass(frozen=True)
class GlobalOptions:
    """The options that stand before the first tool."""

    input_files: tuple[str, ...] = option(
        (),
        flags=("-i",),
        metavar="FILE",
        help="Scripts or model files; also patterns, .txt lists, and FILE::HASH,HASH.",
    )
    cache_dir: Path | None = option(
        None,
        flags=("-d",),
        metavar="DIR",
        help="Where builds are kept. [default: TURNKEY_CACHE_DIR, else ~/.cache/turnkey]",
        shorthand="--cache-dir",
    )
    labels: tuple[str, ...] = option(
        (),
        metavar="KEY::VALUE",
        help="Keep only scripts with these labels in their first line.",
        shorthand="--labels",
    )
    dry_run: bool = option(
        False, help="Check the chain, show it, and run nothing.", shorthand="--dry-run"
    )


@dataclass(frozen=True)
class RunRequest:
    """What is to be run.

    Args:
        options: Inputs, cache, labels.
        steps: The chain; None for the default one of each kind of input.
        shorthand: Values of options by their shorthand spelling, for ``turnkey FILE...``.
        title: What the closing line calls it.
    """

    options: GlobalOptions
    steps: Sequence[str | Step | StepSequence] | None = None
    shorthand: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
