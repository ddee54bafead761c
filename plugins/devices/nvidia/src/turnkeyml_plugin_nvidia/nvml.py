"""NVIDIA's management library: opened, asked about one GPU, and closed again."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from turnkeyml.errors import BuildError

_DRIVER = "Check with nvidia-smi that NVIDIA's driver is installed and works."
_FAILURES = {
    "LibraryNotFound": (
        "NVIDIA's driver is not installed: its library NVML is not found.",
        _DRIVER,
    ),
    "DriverNotLoaded": ("NVIDIA's driver is installed, and not loaded.", _DRIVER),
    "LibRmVersionMismatch": (
        "NVIDIA's driver was updated, and the old one is still loaded.",
        "Restart the machine.",
    ),
    "NoPermission": (
        "NVIDIA's driver does not let this user ask about the GPU.",
        "See who may read /dev/nvidiactl.",
    ),
    "GpuIsLost": ("The GPU is lost: the driver cannot reach it any more.", "Restart the machine."),
    "ResetRequired": ("The GPU needs a reset.", "Restart the machine."),
}
_FATAL = ("GpuIsLost", "ResetRequired", "DriverNotLoaded", "Uninitialized")


class Nvml:
    """What NVML tells about one GPU; only valid while it is open.

    Args:
        library: The module ``pynvml``, initialized.
        handle: Its name of the GPU.
    """

    def __init__(self, library: Any, handle: Any) -> None:
        self.library = library
        self.handle = handle

    def ask(self, function: str, *arguments: Any) -> Any:
        """Ask about the GPU.

        Args:
            function: Such as ``nvmlDeviceGetPowerUsage``; its first argument is the GPU.
            arguments: The others.

        Returns:
            The answer; None if this GPU, driver or version of NVML does not give it.

        Raises:
            BuildError: The GPU cannot be used any more.
        """
        return self.ask_system(function, self.handle, *arguments)

    def ask_system(self, function: str, *arguments: Any) -> Any:
        """Ask about the driver, or with a handle about a GPU; see `ask`."""
        try:
            return getattr(self.library, function)(*arguments)
        except AttributeError:
            return None
        except self.library.NVMLError as error:
            if _kind(error) in _FATAL:
                raise _build_error_from(error) from error
            return None


@contextmanager
def opened() -> Iterator[Nvml]:
    """Open NVML for the GPU that CUDA programs of this process use first.

    Raises:
        BuildError: There is no driver or no GPU; says which.
    """
    library = _load()
    try:
        library.nvmlInit()
    except library.NVMLError as error:
        raise _build_error_from(error) from error
    try:
        yield Nvml(library, _find_gpu(library, os.environ))
    finally:
        # A GPU that was lost meanwhile is told by what was asked of it.
        with suppress(library.NVMLError):
            library.nvmlShutdown()


def _load() -> Any:
    try:
        return importlib.import_module("pynvml")
    except ImportError as error:
        raise BuildError(
            f"NVIDIA's GPUs cannot be asked about: {error}.", hint="Run pip install nvidia-ml-py."
        ) from error


def _find_gpu(library: Any, environment: Mapping[str, str]) -> Any:
    """Give the handle of the first GPU that CUDA_VISIBLE_DEVICES names, else of the first.

    Raises:
        BuildError: There is none.
    """
    try:
        count = library.nvmlDeviceGetCount()
        if not count:
            raise BuildError("NVIDIA's driver finds no GPU.", hint=_DRIVER)
        handles = [library.nvmlDeviceGetHandleByIndex(index) for index in range(count)]
        wanted = environment.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip()
        if wanted.startswith("MIG-"):
            return library.nvmlDeviceGetHandleByUUID(wanted)
        if wanted.startswith("GPU-"):
            for handle in handles:
                # CUDA takes the start of a UUID if only one GPU has it.
                if str(library.nvmlDeviceGetUUID(handle)).startswith(wanted):
                    return handle
        return handles[int(wanted) if wanted.isdigit() and int(wanted) < count else 0]
    except library.NVMLError as error:
        raise _build_error_from(error) from error


def _kind(error: Exception) -> str:
    return type(error).__name__.removeprefix("NVMLError_")


def _build_error_from(error: Exception) -> BuildError:
    known = _FAILURES.get(_kind(error))
    if known is not None:
        return BuildError(known[0], hint=known[1])
    return BuildError(f"NVIDIA's driver refuses: {str(error).rstrip('.')}.", hint=_DRIVER)
