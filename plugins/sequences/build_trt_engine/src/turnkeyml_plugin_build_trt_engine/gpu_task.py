"""Ask the CUDA driver for the GPU that an engine would be built on.

Run in a process of its own, because a driver once initialised stays so; standard library only.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

DRIVER = "libcuda.so.1"
_NAME_LENGTH = 256
_MAJOR, _MINOR = 75, 76
_NO_DEVICE = 100


def run(arguments: dict[str, Any]) -> dict[str, Any]:
    """Serve `turnkeyml.worker.process.run_task`."""
    return find_gpu()


def find_gpu(load: Callable[[str], Any] = ctypes.CDLL) -> dict[str, Any]:
    """Describe the first GPU that the driver shows to this process, as CUDA itself counts them.

    Args:
        load: Opens the driver's library.

    Returns:
        ``name`` and ``compute_capability``, or ``missing``: why there is none.
    """
    try:
        driver = load(DRIVER)
    except OSError:
        return {"missing": f"no NVIDIA driver is installed ({DRIVER} is not found)"}
    code = driver.cuInit(0)
    if code == _NO_DEVICE:
        return {"missing": "the NVIDIA driver finds no GPU"}
    if code != 0:
        return {"missing": f"the NVIDIA driver does not start (CUDA error {code})"}
    count, device = ctypes.c_int(), ctypes.c_int()
    driver.cuDeviceGetCount(ctypes.byref(count))
    if count.value == 0 or driver.cuDeviceGet(ctypes.byref(device), 0) != 0:
        return {"missing": "the NVIDIA driver shows no GPU to this process"}
    name = ctypes.create_string_buffer(_NAME_LENGTH)
    driver.cuDeviceGetName(name, _NAME_LENGTH, device)
    numbers = []
    for attribute in (_MAJOR, _MINOR):
        number = ctypes.c_int()
        driver.cuDeviceGetAttribute(ctypes.byref(number), attribute, device)
        numbers.append(str(number.value))
    return {"name": name.value.decode("utf-8", "replace"), "compute_capability": ".".join(numbers)}
