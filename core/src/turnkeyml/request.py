"""What a command line asks for: inputs, a chain, and the options that stand before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.options import option
from turnkeyml.policy import Rebuild, RunPolicy, Skip

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
    rebuild: str = option(
        Rebuild.IF_NEEDED.value,
        choices=tuple(choice.value for choice in Rebuild),
        help="Whether steps that were run before are run again: if what decides their result has "
        "changed, always, or never.",
        shorthand="--rebuild",
    )
    skip_policy: str = option(
        Skip.NONE.value,
        choices=tuple(choice.value for choice in Skip),
        help="Leave out models on which the same chain was attempted, failed or was successful "
        "before.",
        shorthand="--skip-policy",
    )
    explain: bool = option(
        False, help="Say for each step why it was run, or not.", shorthand="--explain"
    )
    lean_cache: bool = option(
        False,
        help="Delete what was built when a model is done, all but logs and statistics.",
        shorthand="--lean-cache",
    )
    output: Path | None = option(
        None,
        metavar="DIR",
        help="Leave a self-contained copy of each result here: the model, its inputs and outputs, "
        "and a script that runs it.",
        shorthand="--output",
    )

    def policy(self, settings: Mapping[str, Any]) -> RunPolicy:
        """Give what tools and the chain are told of these options.

        Args:
            settings: Values of the options that plugins add.
        """
        return RunPolicy(
            Rebuild(self.rebuild),
            self.explain,
            self.lean_cache,
            self.output,
            Skip(self.skip_policy),
            settings,
        )


@dataclass(frozen=True)
class DefaultChainOptions:
    """The options of ``turnkey FILE...`` that say which parts of the default chain are run."""

    sequence: str | None = option(
        None,
        metavar="NAME",
        help="Build with this sequence instead of the runtime's own.",
        shorthand="--sequence",
    )
    analyze_only: bool = option(
        False, flags=("-a",), help="Only find the models.", shorthand="--analyze-only"
    )
    build_only: bool = option(
        False, flags=("-b",), help="Find and build, but do not benchmark.", shorthand="--build-only"
    )


@dataclass(frozen=True)
class RunRequest:
    """What is to be run.

    Args:
        options: Inputs, cache, labels.
        steps: The chain; None for the default one of each kind of input.
        shorthand: Values of options by their shorthand spelling, for ``turnkey FILE...``.
        title: What the closing line calls it.
        settings: Values of the global options that plugins add, by name; those not named have
            their defaults.
        default_chain: Which parts of the default chain are run, where ``steps`` is None.
    """

    options: GlobalOptions
    steps: Sequence[str | Step | StepSequence] | None = None
    shorthand: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    default_chain: DefaultChainOptions = field(default_factory=DefaultChainOptions)
