"""Tools for toy models, which are lines ``NAME WEIGHT`` of a ``.toy`` file."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from turnkeyml.artifacts import INPUTS, REFERENCE
from turnkeyml.context import RunContext
from turnkeyml.device import Device, DeviceInfo, default_device, resolve_device, runtimes_for
from turnkeyml.errors import BuildError
from turnkeyml.inputs import Source
from turnkeyml.options import option
from turnkeyml.plugins.registry import Registry
from turnkeyml.rt_args import convert_rt_args, parse_rt_args
from turnkeyml.runtime import BaseRT, RuntimeContext, RuntimeStats, check_performance, opened
from turnkeyml.state import ModelInfo, State
from turnkeyml.tool import Contract, FirstTool, Tool
from turnkeyml.worker.process import run_task
from turnkeyml.worker.tensors import RawTensor, write_tensors

TOY_MODEL = "toy-model"
TOY_FILE = "toy-file"


@dataclass(frozen=True)
class FindOptions:
    limit: int | None = option(None, help="At most so many models.", minimum=1)


class Find(FirstTool):
    """Find the models of a toy file.

    A line ``NAME WEIGHT`` is a model; some words make the file misbehave. Words after the weight
    change what is made of the model, and not its hash: ``code=v2`` stands for its source,
    ``in=1,2`` for captured inputs, ``unkeyed`` for a model of which no other process knows whether
    it is the same.
    """

    name = "find"
    aliases = ("seek",)
    suffixes = (".toy",)
    produces = TOY_MODEL
    Options = FindOptions

    def start(self, source: Source, options: FindOptions, context: RunContext) -> Iterator[State]:
        seen: Counter[str] = Counter()
        for line in source.path.read_text("utf-8").splitlines():
            word, _, rest = line.partition(" ")
            if not word or word.startswith("#"):
                continue
            if word == "print":
                print(rest)
            elif word == "note":
                context.note(rest)
            elif word == "raise":
                raise ValueError(rest)
            elif word == "refuse":
                raise BuildError(rest, hint="Mend the toy.")
            elif word == "exit":
                sys.exit(int(rest))
            elif word == "interrupt":
                raise KeyboardInterrupt
            else:
                weight, *more = rest.split() or [""]
                digest = hashlib.sha256(f"{word} {weight}".strip().encode()).hexdigest()
                model = ModelInfo(word, digest, "Toy", location=source.path.name, group=len(seen))
                selected = source.selects(digest)
                state = context.new_state(source, model, selected=selected, ordinal=seen[digest])
                seen[digest] += 1
                for given in more:
                    if given.startswith("in="):
                        capture(state, [int(n) for n in given[3:].split(",")])
                code = next((given for given in more if given.startswith("code=")), "")
                key = {"weights": digest, "code": hashlib.sha256(code.encode()).hexdigest()}
                live = f"{weight} {code}".strip()
                state.add(TOY_MODEL, live=live, live_key={} if "unkeyed" in more else key)
                yield state
                if seen.total() == options.limit:
                    return
        if not seen:
            raise BuildError(f"{source.path.name} has no models.")


def capture(state: State, numbers: list[int]) -> None:
    """Hand over captured inputs, and the model itself as what says what is right for them."""
    folder = state.folder("inputs")
    files = [folder / name for name in write_tensors(folder, {"x": raw(numbers)})]
    state.add(INPUTS, files, info={"folder": "inputs"})
    state.add(REFERENCE, live=Doubled(numbers))


def raw(numbers: list[int]) -> RawTensor:
    data = b"".join(n.to_bytes(8, "little", signed=True) for n in numbers)
    return RawTensor("int64", (len(numbers),), memoryview(data))


class Doubled:
    """What toy models return."""

    def __init__(self, numbers: list[int]) -> None:
        self._numbers = numbers

    def write(self, folder: Path) -> None:
        write_tensors(folder, {"out": raw([2 * n for n in self._numbers])})


class LoadToy(FirstTool):
    """Start from a compiled toy."""

    name = "load-toy"
    suffixes = (".toyfile",)
    produces = TOY_FILE

    def start(self, source: Source, options: Any, context: RunContext) -> Iterator[State]:
        text = source.path.read_bytes()
        digest = hashlib.sha256(text).hexdigest()
        state = context.new_state(source, ModelInfo(source.path.stem, digest, "Toy file"))
        copy = state.folder("toy") / state.file_name(".txt")
        copy.write_bytes(text)
        state.add(TOY_FILE, [copy])
        yield state


@dataclass(frozen=True)
class CompileOptions:
    level: int = option(1, help="How hard to try.", minimum=0)
    tag: str | None = option(None, help="A word to put in.", flags=("-t",))
    fast: bool = option(False, help="Be quick about it.")
    checks: bool = option(True, help="Check the result.")
    only: tuple[str, ...] = option((), help="Parts to compile.")
    mode: str = option("plain", help="How.", choices=("plain", "fancy"), shorthand="--toy-mode")


class Compile(Tool):
    """Compile a toy into a file."""

    name = "compile"
    consumes = (TOY_MODEL,)
    produces = TOY_FILE
    Options = CompileOptions

    def run(self, state: State, options: CompileOptions) -> State:
        path = state.folder("toy") / state.file_name(".txt")
        path.write_text(f"{state.input.live} {options}", "utf-8")
        state.add(TOY_FILE, [path], info={"level": options.level})
        state.stats.save("level", options.level)
        print("compiled", options.tag, *options.only)
        return state


class Shrink(Tool):
    """Shrink a compiled toy."""

    name = "shrink"
    consumes = (TOY_FILE,)
    produces = TOY_FILE

    def run(self, state: State, options: Any) -> State:
        path = state.folder("toy") / state.file_name(".txt")
        path.write_text(state.input_file().read_text("utf-8")[:8], "utf-8")
        state.add(TOY_FILE, [path])
        return state


@dataclass(frozen=True)
class ActOptions:
    do: str = option("nothing", help="What to do, such as raise or exit.")
    word: str = option("", help="What to do it with.")


class Act(Tool):
    """Do what it is told, for better or worse."""

    name = "act"
    consumes = (TOY_MODEL, TOY_FILE)
    Options = ActOptions

    def run(self, state: State, options: ActOptions) -> State:
        getattr(self, options.do.replace("-", "_"))(options.word, state)
        return state

    def nothing(self, word: str, state: State) -> None:
        pass

    def say(self, word: str, state: State) -> None:
        print(word)
        print(f"err {word}", file=sys.stderr)

    def say_natively(self, word: str, state: State) -> None:
        os.write(1, f"fd1 {word}\n".encode())
        os.write(2, f"fd2 {word}\n".encode())

    def boom(self, word: str, state: State) -> None:
        raise ValueError(word)

    def refuse(self, word: str, state: State) -> None:
        raise BuildError(word, hint="Try another toy.")

    def leave(self, word: str, state: State) -> None:
        sys.exit(int(word))

    def interrupt(self, word: str, state: State) -> None:
        raise KeyboardInterrupt

    def boom_if_named(self, word: str, state: State) -> None:
        if state.model.name == word:
            raise ValueError(f"not {word}")

    def boom_if_there(self, word: str, state: State) -> None:
        if Path(word).exists():
            raise ValueError(f"there is {word}")

    def die_if_there(self, word: str, state: State) -> None:
        if Path(word).exists():
            self.die(word, state)

    def die(self, word: str, state: State) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def wait_for(self, word: str, state: State) -> None:
        Path(f"{word}.here").touch()
        deadline = time.monotonic() + 30
        while not Path(word).exists() and time.monotonic() < deadline:
            time.sleep(0.01)

    def tally(self, word: str, state: State) -> None:
        with Path(word).open("a", encoding="utf-8") as file:
            file.write(f"{state.model.name}\n")

    def work_apart(self, word: str, state: State) -> None:
        run_task(Path(word).absolute(), {})

    def tell_environment(self, word: str, state: State) -> None:
        state.stats.save("variable", os.environ.get(word))


@dataclass(frozen=True)
class BenchmarkOptions:
    device: str | None = option(None, help="What runs the toy.", shorthand="--device")
    runtime: str | None = option(None, help="The software.", shorthand="--runtime")
    iterations: int = option(4, help="How often.", minimum=1, shorthand="--iterations")
    rt_args: tuple[str, ...] = option((), help="For the runtime.", shorthand="--rt-args")


class Benchmark(Tool):
    """Measure a toy."""

    name = "benchmark"
    Options = BenchmarkOptions

    @classmethod
    def resolve(cls, options: BenchmarkOptions, registry: Registry) -> BenchmarkOptions:
        device = Device.parse(options.device) if options.device else default_device(registry)
        candidates = runtimes_for(device, registry)
        name = options.runtime or (candidates[0].name if candidates else "toyrt")
        record = registry.runtime(name)
        device = resolve_device(device, record, registry)
        convert_rt_args(name, record.ref.load_class(BaseRT), parse_rt_args(options.rt_args))
        return replace(options, device=str(device), runtime=name)

    @classmethod
    def contract(cls, options: BenchmarkOptions, registry: Registry) -> Contract:
        record = registry.runtime(str(options.runtime))
        return Contract(
            (record.consumes,),
            default_sequence=record.default_sequence,
            environment=record.environment,
        )

    def run(self, state: State, options: BenchmarkOptions) -> State:
        registry = state.context.registry
        record = registry.runtime(str(options.runtime))
        device = Device.parse(str(options.device))
        info = registry.devices[device.family].ref
        artifact = state.input
        stats = RuntimeStats()
        context = RuntimeContext(
            cache_dir=state.context.cache.path,
            build_name=state.name,
            stats=stats,
            iterations=options.iterations,
            model=state.file_of(artifact) if artifact.is_file else artifact.live,
            inputs={},
            device=device,
            device_info=None if info is None else info.load_class(DeviceInfo),
            runtime=record.name,
            output_dir=state.folder(f"benchmark/{record.name}"),
            environment=record.environment,
        )
        runtime_class = record.ref.load_class(BaseRT)
        arguments = convert_rt_args(record.name, runtime_class, parse_rt_args(options.rt_args))
        with opened(runtime_class, context, arguments) as runtime:
            found = check_performance(runtime.benchmark(), record.name)
        key = state.stats.save_result(
            {
                "artifact_step": artifact.step,
                "device": options.device,
                "runtime": record.name,
                "rt_args": list(options.rt_args),
                "iterations": options.iterations,
            },
            {
                "device_name": found.device,
                "runtime_version": found.runtime_version,
                "mean_latency_ms": found.mean_latency,
                "throughput_ips": found.throughput,
                "verdict": found.verdict,
                "verdict_reasons": list(found.verdict_reasons),
                **stats.values,
                "status_stats": {k: stats.values[k] for k in record.status_stats},
            },
        )
        state.shown_results.append(key)
        return state
