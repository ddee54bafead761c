"""The two libraries that build engines, and which of them is installed; neither is imported."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec

from turnkeyml.errors import PlanError


@dataclass(frozen=True)
class Library:
    """A library with TensorRT's Python interface.

    Args:
        name: As given to ``--library``.
        title: As messages call it.
        module: What is imported.
        distributions: What may have installed it; the first has the version.
        oldest: The oldest major version whose interface is the one that is used.
        needs_gpu: Whether it builds on the GPU that the engine is for, and for that one only.
        install: The command that installs it.
    """

    name: str
    title: str
    module: str
    distributions: tuple[str, ...]
    oldest: int
    needs_gpu: bool
    install: str

    def version(self) -> str | None:
        """Give the version that is installed; None if there is none that could be imported."""
        spec = find_spec(self.module)
        if spec is None or spec.origin is None:
            return None
        for distribution in self.distributions:
            try:
                return metadata.version(distribution)
            except metadata.PackageNotFoundError:
                continue
        return None


TENSORRT = Library(
    "tensorrt",
    "TensorRT",
    "tensorrt",
    ("tensorrt", "tensorrt-cu13", "tensorrt-cu12"),
    10,
    True,
    "pip install tensorrt --extra-index-url https://pypi.nvidia.com",
)
TENSORRT_RTX = Library(
    "tensorrt-rtx",
    "TensorRT-RTX",
    "tensorrt_rtx",
    ("tensorrt-rtx", "tensorrt-rtx-cu13", "tensorrt-rtx-cu12"),
    1,
    False,
    "pip install tensorrt-rtx",
)
LIBRARIES = {library.name: library for library in (TENSORRT, TENSORRT_RTX)}
"""In the order in which they are preferred."""


def choose_library(name: str | None) -> Library:
    """Give the library of that name, or the first that is installed.

    Raises:
        PlanError: It is not installed, or too old.
    """
    candidates = list(LIBRARIES.values()) if name is None else [LIBRARIES[name]]
    for library in candidates:
        version = library.version()
        if version is not None:
            return _check_version(library, version)
    if name is None:
        raise PlanError(
            "build-trt-engine needs TensorRT, and neither tensorrt nor tensorrt-rtx is installed.",
            hint=f"Install one of them, for example: {TENSORRT_RTX.install}",
        )
    raise PlanError(
        f"{name} is not installed, which --library asks for.",
        hint=f"Install it with: {LIBRARIES[name].install}",
    )


def _check_version(library: Library, version: str) -> Library:
    major = version.partition(".")[0]
    if major.isdecimal() and int(major) < library.oldest:
        raise PlanError(
            f"{library.name} {version} is too old: engines are built with {library.oldest}.0 and "
            "newer, which keep the types of the ONNX file.",
            hint=f"Replace it with: {library.install} --upgrade",
        )
    return library
