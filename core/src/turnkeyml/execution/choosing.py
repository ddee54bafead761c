"""Which executor runs a command, with which limits, and what a sweep makes of its inputs."""

from __future__ import annotations

import itertools
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from turnkeyml.errors import PlanError, UsageError
from turnkeyml.executor import (
    DEFAULT_TIMEOUT_SECONDS,
    TIMEOUT_VARIABLE,
    Executor,
    Limits,
)
from turnkeyml.inputs import Source
from turnkeyml.keyword_args import Taker, convert_arguments, parse_words
from turnkeyml.plugins.records import ToolRole
from turnkeyml.plugins.registry import Registry
from turnkeyml.request import ISOLATED, SLURM, ExecutionOptions
from turnkeyml.tool import FirstTool

IN_PROCESS = "in-process"
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?\Z", re.IGNORECASE)
_NO_SIZE = 2.0**63
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


@dataclass(frozen=True)
class Execution:
    """How a command is run.

    Args:
        name: The executor's name.
        executor: It, made for this command.
        limits: Of each job.
        jobs: How many may run side by side; None: the executor decides.
    """

    name: str
    executor: Executor
    limits: Limits
    jobs: int | None


def choose_execution(options: ExecutionOptions, registry: Registry) -> Execution:
    """Choose the executor that the options name, and check what they say of it.

    Raises:
        PlanError: Options contradict each other, or there is no such executor.
    """
    name = _name_of(options)
    record = registry.executor(name)
    cls = record.ref.load_class(Executor)
    words = parse_words(options.executor_args, "--executor-args")
    taker = Taker(f"executor {name!r}", cls, "--executor-args")
    executor = cls(**convert_arguments(taker, words))
    if not cls.isolates:
        given = {"--timeout": options.timeout, "--memory-limit": options.memory_limit}
        for flag, value in given.items():
            if value is not None:
                raise PlanError(
                    f"{flag} needs a process that can be ended, and the executor {name!r} runs "
                    "inputs in its own.",
                    hint="Add --process-isolation or --use-slurm.",
                )
    memory = None if options.memory_limit is None else parse_size(options.memory_limit)
    limits = Limits(_timeout(options), memory) if cls.isolates else Limits()
    return Execution(name, executor, limits, options.jobs)


def _name_of(options: ExecutionOptions) -> str:
    wanted = {
        "--executor": options.executor,
        "--process-isolation": ISOLATED if options.process_isolation else None,
        "--use-slurm": SLURM if options.use_slurm else None,
    }
    chosen = {flag: name for flag, name in wanted.items() if name is not None}
    if len(set(chosen.values())) > 1:
        raise PlanError(f"{' and '.join(chosen)} exclude each other.", hint="Give one of them.")
    several = (options.jobs or 1) > 1
    name = next(iter(chosen.values()), ISOLATED if several else IN_PROCESS)
    if several and name == IN_PROCESS:
        raise PlanError(
            f"--jobs {options.jobs} needs processes of their own, and {IN_PROCESS!r} has one.",
            hint="Leave out --executor, or name another one.",
        )
    return name


def _timeout(options: ExecutionOptions) -> float:
    if options.timeout is not None:
        if not math.isfinite(options.timeout):
            raise UsageError(f"--timeout {options.timeout} is no time.", hint="Give seconds.")
        return options.timeout
    text = os.environ.get(TIMEOUT_VARIABLE, "").strip()
    if not text:
        return DEFAULT_TIMEOUT_SECONDS
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageError(
            f"The variable {TIMEOUT_VARIABLE} is {text!r}, and not a number of seconds.",
            hint="Set it to one, such as 1800, or unset it.",
        )
    return seconds


def parse_size(text: str) -> int:
    """Read a size such as ``8GB``, ``512M`` or ``2GiB``, and give it in bytes.

    Raises:
        UsageError: It is none.
    """
    match = _SIZE.match(text.strip())
    size = 0.0
    if match is not None:
        base = 1024 if match[3] else 1000
        size = float(match[1]) * base ** _POWERS[match[2].upper()]
    if not 1 <= size < _NO_SIZE:
        raise UsageError(f"{text!r} is no size.", hint="Write it as 512MB, 8GB or 2GiB.")
    return int(size)


def parse_sweep(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read ``NAME=V1,V2`` words.

    Raises:
        UsageError: A word has another form, or a name comes twice.
    """
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        name, separator, text = word.partition("=")
        values = tuple(dict.fromkeys(value.strip() for value in text.split(",")))
        if not separator or not name.isidentifier() or not all(values):
            raise UsageError(
                f"--sweep: {word!r} says nothing.",
                hint="Write a parameter of the scripts and its values: batch_size=1,8,32",
            )
        if name in found:
            raise UsageError(f"--sweep: {name!r} is given twice.")
        found[name] = values
    return found


def with_parameters(
    sources: Sequence[Source], sweep: Mapping[str, tuple[str, ...]], registry: Registry
) -> list[Source]:
    """Give each input once for every combination of the values of a sweep.

    Raises:
        UsageError: An input is of a kind that has no parameters.
    """
    if not sweep:
        return list(sources)
    able = {
        suffix
        for _, tool in registry.loadable_tools(FirstTool, ToolRole.FIRST)
        if tool.takes_parameters
        for suffix in tool.suffixes
    }
    for source in sources:
        if source.suffix not in able:
            raise UsageError(
                f"{source.path.name} has no parameters that --sweep could set.",
                hint=f"Files that have: {', '.join(sorted(able)) or 'none'}.",
            )
    combinations = list(itertools.product(*sweep.values()))
    return [
        replace(source, parameters=dict(zip(sweep, values, strict=True)))
        for source in sources
        for values in combinations
    ]
