"""What runs in a worker process: load a model, measure it, write what was found.

Started as ``python main.py REQUEST.json`` with the Python of any environment; it uses the standard
library, the files beside it, and the ``worker.py`` of a runtime, which imports that runtime's own
packages. A ``worker.py`` has::

    def open_session(request):   # loads the model; its time is the load time
        return a session with
            outputs              # names of the outputs
            infer()              # one inference, all outputs fetched, in the order of `outputs`
            describe()           # facts to keep: versions, providers, threads; JSON values
            close()
            tensors(outputs)     # only where `infer` gives other things than arrays of NumPy or
                                 # tensors of PyTorch: turns them into such, or into objects with
                                 # dtype (text), shape and data (bytes); gives them by name

A request either has the model measured, or has it run once and its outputs kept.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Request:
    """What a runtime's worker is given.

    Args:
        model: The model's file.
        inputs: Tensors by the names that the model file uses.
        arguments: What the runtime's class wants its worker to know; JSON values.
    """

    model: Path
    inputs: dict[str, Any]
    arguments: dict[str, Any]


def load_module(name: str, path: Path) -> ModuleType:
    """Import a file by its path, whatever the environment has installed."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def serve(order: dict[str, Any]) -> dict[str, Any]:
    """Do what a request orders, and give the response."""
    measuring = load_module("turnkey_measure", _HERE.parent / "measure.py")
    tensors = load_module("turnkey_tensors", _HERE / "tensors.py")
    raw = tensors.read_tensors(Path(order["inputs"]))
    missing = [leaf for leaf in order["names"].values() if leaf not in raw]
    if missing:
        raise ValueError(f"the captured inputs have no tensor {', '.join(missing)}")
    inputs = {name: raw[leaf] for name, leaf in order["names"].items()}
    runtime = load_module("turnkey_runtime_worker", Path(order["worker"]))
    start = time.perf_counter_ns()
    session = runtime.open_session(Request(Path(order["model"]), inputs, order["arguments"]))
    load_ns = time.perf_counter_ns() - start
    if "outputs" in order:
        return _keep_outputs(session, Path(order["outputs"]), tensors)
    try:
        schedule = measuring.Schedule(order["iterations"], **order["schedule"])
        conditions = load_module("turnkey_conditions", _HERE.parent / "conditions.py")
        placing = load_module("turnkey_placing", _HERE / "placing.py")
        window_s: list[float] = []

        def watch() -> Callable[[], dict[str, float | None]]:
            watched = conditions.watch()
            window_s.append(time.perf_counter())

            def end() -> dict[str, float | None]:
                window_s.append(time.perf_counter())
                found: dict[str, float | None] = watched()
                return found

            return end

        samples = measuring.measure(
            session.infer, schedule, watch=watch, place=placing.place_caller
        )
        summary = measuring.summarize(samples, clock_step_ns=conditions.clock_step_ns())
        facts = session.describe()
    finally:
        session.close()
    return {
        "summary": {
            "load_ms": load_ns / 1e6,
            **summary,
            "caller_cores": placing.caller_cores(),
            "peak_memory_bytes": peak_memory_bytes(),
        },
        "facts": facts,
        "window_s": window_s,
        "samples": {
            "first_ns": samples.first_ns,
            "warm_up_ns": samples.warm_up_ns,
            "timed_ns": samples.timed_ns,
        },
    }


def _keep_outputs(session: Any, folder: Path, tensors: ModuleType) -> dict[str, Any]:
    """Run a session once, and write what it gives; or say why that cannot be kept."""
    arrays = load_module("turnkey_arrays", _HERE / "arrays.py")
    try:
        given = session.infer()
        facts = session.describe()
        try:
            convert = getattr(session, "tensors", None)
            found = convert(given) if convert is not None else given
            names = getattr(session, "outputs", ())
            raw = arrays.raw_tensors(found, names, sizes=tensors.ITEM_SIZES)
        except TypeError as error:
            return {"facts": facts, "unavailable": str(error)}
        # Before the session is closed, whose memory the outputs may be.
        tensors.write_tensors(folder, raw)
    finally:
        session.close()
    return {"facts": facts, "unavailable": ""}


def peak_memory_bytes() -> int:
    """Give the most memory that this process has had resident."""
    # What getrusage says begins with the memory of the process that started this one.
    try:
        for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(request_file: str, serve: Callable[[dict[str, Any]], dict[str, Any]] = serve) -> int:
    """Serve one request; the response goes to the file that it names, not to stdout."""
    order = json.loads(Path(request_file).read_text("utf-8"))
    try:
        response = json.dumps(serve(order))
        code = 0
    # A runtime's own code runs here: whatever it raises becomes the response.
    except Exception as error:
        traceback.print_exc()
        text = " ".join(str(error).split())
        response = json.dumps({"error": f"{type(error).__name__}: {text}"})
        code = 1
    target = Path(order["response"])
    partial = target.with_name(f".tmp-{os.getpid()}-{target.name}")
    partial.write_text(response, "utf-8")
    partial.replace(target)
    return code


def leave_interrupts_to_parent() -> None:
    """Ignore Ctrl-C, which a terminal sends to all: the parent ends this process if it is meant."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    # The script's own folder is no place to import from.
    del sys.path[0]
    leave_interrupts_to_parent()
    sys.exit(main(sys.argv[1]))
