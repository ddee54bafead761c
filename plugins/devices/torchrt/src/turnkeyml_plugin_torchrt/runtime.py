"""The runtime `torch-eager`: PyTorch as it is, measured in the process that has the model."""

from __future__ import annotations

import os
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from turnkeyml.errors import BuildError
from turnkeyml.runtime import BaseRT, MeasuredPerformance

if TYPE_CHECKING:
    import torch

    from turnkeyml_plugin_torchrt.inference import Inference

GPU_FAMILY = "nvidia"
DTYPES = ("float16", "bfloat16", "float32")
MAX_STAGED_RUNS = 50
"""What an inference consists of is taken from at most so many runs, after the timed ones."""

Dtype = Literal["float16", "bfloat16", "float32"]


class TorchRuntime(BaseRT):
    """What both runtimes have in common.

    The module is called in evaluation, without gradients, with the captured inputs. Afterwards it
    is as it was: its modes, its device, its parameters and buffers, and PyTorch's own settings.

    Args:
        dtype: Autocast to it; None: nothing is cast.
        threads: Threads within an operation on the processor; None: PyTorch decides.
    """

    _inference: Inference
    _load_ns = 0

    def __init__(self, dtype: Dtype | None = None, threads: int | None = None) -> None:
        self.dtype = dtype
        self.threads = threads
        self._undo = ExitStack()

    def _setup(self) -> None:
        import torch

        from turnkeyml_plugin_torchrt.arguments import arguments_from_inputs
        from turnkeyml_plugin_torchrt.failures import explained
        from turnkeyml_plugin_torchrt.inference import DeviceInference, HostInference
        from turnkeyml_plugin_torchrt.placing import placed
        from turnkeyml_plugin_torchrt.requirements import check_cuda
        from turnkeyml_torch import eval_mode
        from turnkeyml_torch.reference import buffers_kept

        self._check_arguments()
        if self.on_gpu:
            check_cuda()
        undo, module, device = self._undo, self.model, self.torch_device()
        with explained(self.model_name):
            undo.enter_context(_seeded(device))
            if self.threads is not None:
                undo.enter_context(_threads(self.threads))
            undo.enter_context(buffers_kept(module))
            start = time.perf_counter_ns()
            if self.on_gpu:
                undo.callback(torch.cuda.empty_cache)
            undo.enter_context(placed(module, device))
            self._load_ns = time.perf_counter_ns() - start
            undo.enter_context(eval_mode(module))
            undo.enter_context(torch.no_grad())
            if self.dtype is not None:
                undo.enter_context(_autocast(device, self.dtype))
            call = self._prepare(module)
            inputs = arguments_from_inputs(module, self.inputs)
            if self.on_gpu:
                torch.cuda.reset_peak_memory_stats(device)
                self._inference = DeviceInference(call, inputs, device)
            else:
                self._inference = HostInference(call, inputs)

    def _teardown(self) -> None:
        # What it holds on the device goes before the device's memory is given back.
        self.__dict__.pop("_inference", None)
        self._undo.close()

    @abstractmethod
    def _prepare(self, module: torch.nn.Module) -> Callable[..., Any]:
        """Give what is called in the module's place; `self._undo` undoes what it needs."""

    def _first_ns(self) -> int:
        """Run for the first time, and give the time of the first inference."""
        from turnkeyml_plugin_torchrt.inference import timed_ns

        return timed_ns(self._inference)

    def infer(self) -> dict[str, torch.Tensor]:
        """Run one inference; give the outputs by the names of `turnkeyml_torch.flatten_outputs`."""
        from turnkeyml_plugin_torchrt.failures import explained
        from turnkeyml_torch import flatten_outputs

        with explained(self.model_name):
            found = flatten_outputs(self._inference.run())
            self._inference.check()
            return {name: tensor.cpu() for name, tensor in found.items()}

    def benchmark(self) -> MeasuredPerformance:
        """Measure the bare call: outputs are not put in order, and contexts not entered, for it."""
        from turnkeyml_plugin_torchrt.failures import explained

        with explained(self.model_name):
            first_ns = self._first_ns()
            found = self.timed(self._inference.run, first_ns=first_ns)
            parts = self._part_numbers()
        numbers = {**found.statistics, "load_ms": self._load_ns / 1e6, **parts}
        return replace(found, statistics=numbers, facts=self.facts())

    def facts(self) -> dict[str, Any]:
        """Give what explains the numbers; JSON values."""
        import torch

        facts = {
            "version": self.version(),
            "dtype": self.dtype or "as the model has it",
            "threads": torch.get_num_threads(),
            "interop_threads": torch.get_num_interop_threads(),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "float32_matmul_precision": torch.get_float32_matmul_precision(),
            "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY", "default"),
            "inputs_copied_each_time": self._inference.copies_inputs,
        }
        if self.on_gpu:
            device = self.torch_device()
            capability = torch.cuda.get_device_capability(device)
            cudnn: Any = torch.backends.cudnn
            facts["cuda_version"] = torch.version.cuda
            facts["cudnn_version"] = cudnn.version()
            facts["compute_capability"] = ".".join(map(str, capability))
        return facts

    def device_name(self) -> str:
        """Name the processor or the GPU."""
        if self.on_gpu:
            import torch

            return torch.cuda.get_device_name(self.torch_device())
        info = self.context.device_info
        return info.full_name() if info is not None else self.device_type

    def version(self) -> str:
        """Give PyTorch's version."""
        import torch

        return str(torch.__version__)

    @property
    def on_gpu(self) -> bool:
        """Whether an NVIDIA GPU computes."""
        return self.context.device.family == GPU_FAMILY

    @property
    def model_name(self) -> str:
        """The class of the model, for messages."""
        return type(self.model).__name__

    def torch_device(self) -> torch.device:
        """Give PyTorch's name of the device."""
        import torch

        return torch.device("cuda:0" if self.on_gpu else "cpu")

    def _part_numbers(self) -> dict[str, Any]:
        from turnkeyml_plugin_torchrt.inference import DeviceInference, HostInference

        count = min(self.iterations, MAX_STAGED_RUNS)
        numbers: dict[str, Any] = {}
        if isinstance(self._inference, DeviceInference):
            import torch

            numbers |= self._inference.stages_ms(count)
            numbers["peak_device_memory_bytes"] = torch.cuda.max_memory_allocated()
        elif isinstance(self._inference, HostInference) and self._inference.copies_inputs:
            numbers["input_copy_ms"] = self._inference.copy_ms(count)
        return numbers

    def _check_arguments(self) -> None:
        if self.dtype is not None and self.dtype not in DTYPES:
            raise BuildError(
                f"The runtime {self.runtime!r} has no dtype {self.dtype!r}.",
                hint=f"It takes: {', '.join(DTYPES)}.",
            )
        if self.threads is not None and self.threads < 1:
            raise BuildError(f"The runtime {self.runtime!r} needs at least one thread.")


class TorchEager(TorchRuntime):
    """PyTorch, operator by operator; parts that the script compiled run uncompiled too."""

    def _prepare(self, module: torch.nn.Module) -> Callable[..., Any]:
        from turnkeyml_plugin_torchrt.compiling import nothing_compiled

        self._undo.enter_context(nothing_compiled())
        return module


@contextmanager
def _seeded(device: torch.device) -> Iterator[None]:
    """Have random numbers start from the same seed, and those of the process go on afterwards."""
    import torch

    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(0)
        yield


@contextmanager
def _threads(count: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _autocast(device: torch.device, dtype: str) -> Any:
    import torch

    # Autocast has no float32: it is what there is without it.
    if dtype == "float32":
        return torch.autocast(device.type, enabled=False)
    return torch.autocast(device.type, dtype=getattr(torch, dtype))
