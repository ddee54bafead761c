"""The packages that the runtime needs, and which of them are installed; none is imported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata

from turnkeyml.errors import BuildError

BINDINGS = "cuda-bindings"
OLDEST_BINDINGS = (12, 6)


@dataclass(frozen=True)
class Library:
    """A library that runs engines.

    Args:
        name: As the engine's artifact calls it.
        title: As messages call it.
        module: What is imported.
        distributions: What may have installed it; the first has the version.
        magic: The first bytes of its engines.
        install: The command that installs it.
    """

    name: str
    title: str
    module: str
    distributions: tuple[str, ...]
    magic: bytes
    install: str

    def version(self) -> str | None:
        """Give the version that is installed; None if it is not."""
        return next(filter(None, map(version_of, self.distributions)), None)


TENSORRT = Library(
    "tensorrt",
    "TensorRT",
    "tensorrt",
    ("tensorrt", "tensorrt-cu13", "tensorrt-cu12"),
    b"ftrt",
    "pip install tensorrt --extra-index-url https://pypi.nvidia.com",
)
TENSORRT_RTX = Library(
    "tensorrt-rtx",
    "TensorRT-RTX",
    "tensorrt_rtx",
    ("tensorrt-rtx", "tensorrt-rtx-cu13", "tensorrt-rtx-cu12"),
    b"vtrt",
    "pip install tensorrt-rtx",
)
LIBRARIES = (TENSORRT, TENSORRT_RTX)


def check_packages() -> None:
    """Check that CUDA's bindings and one of the two libraries are installed.

    Raises:
        BuildError: They are not; says which.
    """
    version = version_of(BINDINGS)
    if version is None:
        raise BuildError("CUDA's Python bindings are not installed.", hint=_install_bindings())
    numbers = tuple(int(digits) for digits in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST_BINDINGS:
        raise BuildError(
            f"CUDA's Python bindings {version} are too old for the runtime trt.",
            hint=_install_bindings(),
        )
    if not any(library.version() for library in LIBRARIES):
        raise BuildError(
            "The runtime trt needs TensorRT, and neither tensorrt nor tensorrt-rtx is installed.",
            hint=f"Install the one that built the engine, for example: {TENSORRT_RTX.install}",
        )


def _install_bindings() -> str:
    oldest = ".".join(map(str, OLDEST_BINDINGS))
    return f"Run pip install 'cuda-python>={oldest}'."


def version_of(distribution: str) -> str | None:
    """Give the version of an installed distribution; None if it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
