"""Start a worker process and read what it found."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from turnkeyml.errors import BuildError
from turnkeyml.worker.environments import clean_environment

_MAIN = Path(__file__).with_name("main.py")
_TASK = Path(__file__).with_name("task.py")


@dataclass(frozen=True)
class WorkerOrder:
    """What a worker is to do.

    Args:
        worker: The runtime's ``worker.py``.
        model: The model's file.
        inputs: The folder of captured inputs.
        names: The model file's input names to the names of captured tensors.
        iterations: Timed iterations.
        arguments: For the runtime's worker; JSON values.
        schedule: More about how often is timed, by the names of `turnkeyml.measure.Schedule`.
    """

    worker: Path
    model: Path
    inputs: Path
    names: Mapping[str, str]
    iterations: int
    arguments: Mapping[str, Any] = field(default_factory=dict)
    schedule: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class WorkerResult:
    """What a worker found.

    Args:
        summary: Numbers as `turnkeyml.measure.summarize` gives them, load time and peak memory.
        facts: What the runtime says about itself.
        samples: Raw samples in ns: ``first_ns``, ``warm_up_ns``, ``timed_ns``.
        window_s: When the timed calls began and ended, by `time.perf_counter`, which all processes
            of a machine share.
    """

    summary: Mapping[str, Any]
    facts: Mapping[str, Any]
    samples: Mapping[str, Any]
    window_s: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class WorkerOutputs:
    """What a worker says after it ran a model once.

    Args:
        facts: What the runtime says about itself.
        unavailable: Why its outputs were not written; empty if they were.
    """

    facts: Mapping[str, Any]
    unavailable: str = ""


def run_worker(
    order: WorkerOrder, *, environment: Mapping[str, str], python: Path | None = None
) -> WorkerResult:
    """Run a worker to its end; what it prints goes where this process's output goes.

    Args:
        order: What to do.
        environment: Variables to set for it where the user has not set them.
        python: The interpreter; by default the one that runs turnkey.

    Raises:
        BuildError: The runtime refused the model, or the process died; says which.
    """
    content = _serve(_MAIN, _document(order), environment, python)
    began, ended = content["window_s"]
    return WorkerResult(content["summary"], content["facts"], content["samples"], (began, ended))


def run_worker_once(
    order: WorkerOrder,
    folder: Path,
    *,
    environment: Mapping[str, str],
    python: Path | None = None,
) -> WorkerOutputs:
    """Let a worker run the model once, and write its outputs into a folder of tensors.

    Args:
        order: What to do; its iterations do not matter.
        folder: Where the outputs are to be, by name and in order; it is made.
        environment: Variables to set for it where the user has not set them.
        python: The interpreter; by default the one that runs turnkey.

    Raises:
        BuildError: The runtime refused the model, or the process died; says which.
    """
    document = {**_document(order), "outputs": str(folder)}
    content = _serve(_MAIN, document, environment, python)
    return WorkerOutputs(content["facts"], content["unavailable"])


def _document(order: WorkerOrder) -> dict[str, Any]:
    return {
        "worker": str(order.worker),
        "model": str(order.model),
        "inputs": str(order.inputs),
        "names": dict(order.names),
        "iterations": order.iterations,
        "arguments": dict(order.arguments),
        "schedule": dict(order.schedule),
    }


def run_task(
    script: Path,
    arguments: Mapping[str, Any],
    *,
    environment: Mapping[str, str] | None = None,
    python: Path | None = None,
) -> dict[str, Any]:
    """Call ``run(arguments)`` of a Python file in a process of its own, and give what it returns.

    For stages whose libraries need much memory, disturb others in one process, or may crash. The
    file imports what it needs; in another environment (``python``) there is nothing of turnkey.

    Args:
        script: The file, beside the module that calls this; its ``run`` takes and gives a dict.
        arguments: JSON values.
        environment: Variables to set for it where the user has not set them.
        python: The interpreter; by default the one that runs turnkey.

    Returns:
        What ``run`` returned, and ``peak_memory_bytes`` of the process.

    Raises:
        BuildError: ``run`` raised, or returned ``{"error": "A sentence."}``, or the process died;
            says how.
    """
    document = {"script": str(script), "arguments": dict(arguments)}
    return _serve(_TASK, document, environment or {}, python)


def _serve(
    program: Path,
    document: Mapping[str, Any],
    environment: Mapping[str, str],
    python: Path | None,
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="turnkey-worker-") as folder:
        request, response = Path(folder, "request.json"), Path(folder, "response.json")
        request.write_text(json.dumps({**document, "response": str(response)}), "utf-8")
        command = [str(python or sys.executable), str(program), str(request)]
        # Another environment finds its packages by itself.
        inherited = clean_environment() if python is not None else dict(os.environ)
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, env={**environment, **inherited}
        )
        try:
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        if not response.exists():
            raise BuildError(f"The worker process {_ending(code)} before it gave a result.")
        content: dict[str, Any] = json.loads(response.read_text("utf-8"))
    if "error" in content:
        raise BuildError(str(content["error"]))
    return content


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    guess = "; probably out of memory" if -code == signal.SIGKILL else ""
    return f"was ended by {name}{guess}"
