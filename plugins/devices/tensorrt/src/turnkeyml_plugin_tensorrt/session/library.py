"""TensorRT or TensorRT-RTX, imported by name, with a logger that remembers what went wrong."""

from __future__ import annotations

import importlib
import re
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from .refusal import RefusalError

_FAILURES = ("INTERNAL_ERROR", "ERROR")
_API_ERROR = re.compile(r"^\S+:? Error Code \d+: .*?\((.*)\)$", re.DOTALL)
_CUDA_ERROR = re.compile(r"\(cudaError \d+: (.+?)\)")
_SOURCE_BEFORE = re.compile(r"^(?:\[[\w.]+:\d+: \w+\] |[\w.]+:\d+: )")
_SOURCE_AFTER = re.compile(r"\.? In \w+ at \S+:\d+\b")
_MAX_LENGTH = 400


def load_library(
    module: str, title: str, load: Callable[[str], Any] = importlib.import_module
) -> Any:
    """Import TensorRT.

    Args:
        module: ``tensorrt`` or ``tensorrt_rtx``.
        title: As messages call it.
        load: Imports a module.

    Raises:
        RefusalError: It is not there, or broken.
    """
    try:
        return load(module)
    # A library that is half there raises whatever its loader meets.
    except Exception as error:
        traceback.print_exc()
        raise RefusalError(
            f"{title} cannot be imported: {type(error).__name__}: {error}.",
            f"Install it with pip install {module.replace('_', '-')}.",
        ) from error


def make_log(trt: Any) -> Any:
    """Make a logger that prints what matters, and keeps what went wrong in ``texts``."""

    class Log(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.texts: list[str] = []

        def log(self, severity: Any, msg: str) -> None:
            level = severity.name
            if level != "VERBOSE":
                # What this process prints is the step's log.
                print(f"[{level}] {msg}", flush=True)  # noqa: T201
            if level in _FAILURES:
                self.texts.append(str(msg))

    return Log()


def reason_from(texts: Sequence[str]) -> str:
    """Give the first thing that went wrong, which those that follow only repeat, in plain words."""
    if not texts:
        return "it does not say why"
    text = texts[0].strip()
    found = _CUDA_ERROR.search(text) or _API_ERROR.match(text)
    text = found.group(1) if found else text
    for pattern in (_SOURCE_BEFORE, _SOURCE_AFTER):
        text = pattern.sub("", text)
    return " ".join(text.split()).rstrip(".:! ")[:_MAX_LENGTH]
