"""What a command line asks for: inputs, a chain, and the options that stand before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.cache.stats import plain
from turnkeyml.options import PAIRS, json_from_options, option, options_from_json
from turnkeyml.policy import Rebuild, RunPolicy, Skip

if TYPE_CHECKING:
    from turnkeyml.sequence import Sequence as StepSequence
    from turnkeyml.sequence import Step

ISOLATED = "isolated"
SLURM = "slurm"


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
        metavar=PAIRS,
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
    skip_policy: str | None = option(
        None,
        choices=tuple(choice.value for choice in Skip),
        help="Leave out models on which the same chain was attempted, failed or was successful "
        "before; none leaves out nothing, not even inputs that the same command had ended with "
        "when it was stopped.",
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
            Skip(self.skip_policy or Skip.NONE.value),
            settings,
        )


@dataclass(frozen=True)
class ExecutionOptions:
    """The options that say where and how the inputs are run; results do not depend on them."""

    executor: str | None = option(
        None,
        metavar="NAME",
        help="What runs the inputs: in-process (default), isolated, or an installed one.",
        shorthand="--executor",
    )
    process_isolation: bool = option(
        False,
        help="Run each input in a process of its own, so that none can harm the others: "
        "--executor isolated.",
        shorthand="--process-isolation",
    )
    use_slurm: bool = option(
        False, help="Run each input as a Slurm job: --executor slurm.", shorthand="--use-slurm"
    )
    executor_args: tuple[str, ...] = option(
        (),
        metavar=PAIRS,
        help="Arguments for the executor, such as partition::gpu.",
        shorthand="--executor-args",
    )
    timeout: float | None = option(
        None,
        metavar="SECONDS",
        minimum=0.1,
        help="What one input may take; with --process-isolation or --use-slurm. "
        "[default: TURNKEY_TIMEOUT_SECONDS, else 3600]",
        shorthand="--timeout",
    )
    memory_limit: str | None = option(
        None,
        metavar="SIZE",
        help="What one input may have of memory, such as 8GB; with --process-isolation or "
        "--use-slurm.",
        shorthand="--memory-limit",
    )
    jobs: int | None = option(
        None,
        metavar="N",
        minimum=1,
        help="Build so many inputs side by side; benchmarks on one device still take turns. More "
        "than one implies --process-isolation. [default: 1]",
        shorthand="--jobs",
    )
    sweep: tuple[str, ...] = option(
        (),
        metavar="NAME=V1,V2",
        help="Run every script with each of these values for its own parameter NAME.",
        shorthand="--sweep",
    )
    verbosity: str = option(
        "auto",
        choices=("auto", "dynamic", "static", "quiet"),
        help="How progress is shown: redrawn in place, as lines, or not at all; auto chooses by "
        "what the output is.",
        shorthand="--verbosity",
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
    sequence_file: Path | None = option(
        None,
        metavar="FILE",
        help="Build with the Sequence that this Python file defines.",
        shorthand="--sequence-file",
    )


GLOBAL_OPTIONS: tuple[type, ...] = (GlobalOptions, ExecutionOptions)
"""The core's options that stand before the first tool."""


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
        execution: Where and how it is run.
    """

    options: GlobalOptions
    steps: Sequence[str | Step | StepSequence] | None = None
    shorthand: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    default_chain: DefaultChainOptions = field(default_factory=DefaultChainOptions)
    execution: ExecutionOptions = field(default_factory=ExecutionOptions)

    def to_json(self) -> dict[str, Any]:
        """Give what decides the results as JSON values: all but how it is run."""
        steps = None if self.steps is None else [_step_to_json(step) for step in self.steps]
        return {
            "options": json_from_options(self.options),
            "steps": steps,
            "shorthand": _plain_values(self.shorthand),
            "title": self.title,
            "settings": _plain_values(self.settings),
            "default_chain": json_from_options(self.default_chain),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunRequest:
        """Read back what `to_json` gave.

        Raises:
            UsageError: An option does not exist or has a wrong value.
            ValueError, TypeError, KeyError, AttributeError: It is something else.
        """
        steps = data["steps"]
        return cls(
            options_from_json(GlobalOptions, data["options"]),
            None if steps is None else [_step_from_json(step) for step in steps],
            dict(data["shorthand"]),
            str(data["title"]),
            dict(data["settings"]),
            options_from_json(DefaultChainOptions, data["default_chain"]),
        )


def _step_to_json(step: str | Step | StepSequence) -> dict[str, Any]:
    from turnkeyml.sequence import Sequence as StepSequence

    if isinstance(step, StepSequence):
        return {"steps": [_step_to_json(inner) for inner in step.steps], "name": step.name}
    if isinstance(step, str):
        return {"tool": step, "options": {}}
    return {"tool": step.tool, "options": _plain_values(step.options)}


def _step_from_json(data: Mapping[str, Any]) -> Step | StepSequence:
    from turnkeyml.sequence import Sequence as StepSequence
    from turnkeyml.sequence import Step

    if "steps" in data:
        return StepSequence(*map(_step_from_json, data["steps"]), name=data["name"])
    return Step(str(data["tool"]), dict(data["options"]))


def _plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give options as they were given; paths become text, from which options read them back."""
    found: dict[str, Any] = plain(values)
    return found
