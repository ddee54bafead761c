"""What a process that is kept warm for `export-pytorch` does once, and each fork of it."""

from __future__ import annotations

import ctypes
import functools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

_CUDA_CHECK = "PYTORCH_NVML_BASED_CUDA_CHECK"
"""With it, torch asks whether there is a GPU without waking its driver, which no fork survives."""


def warm_up() -> Callable[[], object]:
    """Export a tiny model, so that what exporters read and compile at first is there for all forks.

    Returns:
        What a fork calls first: it gives back the threads that must not be used before a fork.
    """
    give_back = _use_one_thread()
    _read_operators_once()
    before = os.environ.get(_CUDA_CHECK)
    os.environ[_CUDA_CHECK] = "1"
    try:
        with tempfile.TemporaryDirectory(prefix="turnkey-warm-") as folder:
            _export(Path(folder))
    finally:
        if before is None:
            del os.environ[_CUDA_CHECK]
        else:
            os.environ[_CUDA_CHECK] = before
    return give_back


def _export(folder: Path) -> None:
    import torch

    from turnkeyml_onnx import write_model
    from turnkeyml_onnx.opset import DEFAULT_ONNX_OPSET
    from turnkeyml_plugin_export_pytorch.choosing import export_model
    from turnkeyml_plugin_export_pytorch.eager import run_eager
    from turnkeyml_plugin_export_pytorch.exporters import Order
    from turnkeyml_plugin_export_pytorch.flat import FlatCall, output_names
    from turnkeyml_plugin_export_pytorch.names import DYNAMO
    from turnkeyml_plugin_export_pytorch.steady import steady
    from turnkeyml_torch import LiveModel, make_signature
    from turnkeyml_torch.process_state import TorchState

    # Weights that a module begins with are random; a job is to find the generator untouched.
    state = TorchState.take()
    module = torch.nn.Linear(2, 2)
    state.restore()
    inputs = (torch.zeros(1, 2),)
    call = FlatCall(LiveModel(module, inputs, {}, make_signature(module, inputs, {})))
    with steady(module):
        eager = run_eager(module, call)
        names = output_names(eager.outputs, (entry.name for entry in call.inputs))
        choice = export_model(Order(module, call, DEFAULT_ONNX_OPSET, {}, folder), names, DYNAMO)
        write_model(choice.exported.model, folder, "warm.onnx")


def _use_one_thread() -> Callable[[], object]:
    """Let torch compute on one thread from now on; gives what undoes it.

    Threads do not survive a fork, and a library that has used some waits for them for ever.
    """
    import torch

    threads = torch.get_num_threads()
    library = _openmp()
    if library is None:
        torch.set_num_threads(1)
        return lambda: torch.set_num_threads(threads)
    # torch.set_num_threads would also change, for good, how MKL chooses its threads.
    library.omp_set_num_threads(1)
    return lambda: library.omp_set_num_threads(threads)


def _read_operators_once() -> None:
    """Let forks find the list of the exporter's operators, which it else makes for each export.

    It makes up half of the time of exporting a layer, and is the same each time.
    """
    from torch.onnx._internal.exporter import _registration

    # An inner part of torch, which other versions may have elsewhere: then nothing is gained.
    apis: Any = getattr(_registration, "onnxscript_apis", None)
    original = getattr(apis, "get_torchlib_ops", None)
    if original is not None:
        apis.get_torchlib_ops = functools.cache(original)


def _openmp() -> Any:
    import torch

    try:
        library = ctypes.CDLL(str(Path(str(torch.__file__)).parent / "lib" / "libtorch_cpu.so"))
        library.omp_set_num_threads.restype = None
        return library
    except (OSError, AttributeError):
        return None
