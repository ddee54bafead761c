"""One inference, ready to be called again and again: on the processor, or on a GPU."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from turnkeyml.measure import time_calls
from turnkeyml_plugin_torchrt.arguments import Arguments, Mark
from turnkeyml_torch import flatten_outputs

if TYPE_CHECKING:
    import torch

STAGES = ("host_to_device_ms", "compute_ms", "device_to_host_ms")


class Inference(Protocol):
    """What is timed.

    Args:
        run: One inference, and nothing else: what is added here is added to the latency.
        copies_inputs: Whether each inference gets inputs of its own, as the model changes them.
    """

    run: Callable[[], Any]
    copies_inputs: bool

    def check(self) -> None:
        """See whether the last call changed its inputs; then later ones get inputs anew."""


def timed_ns(inference: Inference, clock: Callable[[], int] = time.perf_counter_ns) -> int:
    """Run once, outside the timed calls: give the time, and see what the call did to its inputs."""
    start = clock()
    inference.run()
    took = clock() - start
    inference.check()
    return took


class HostInference:
    """Calls a module on the processor with its own copy of the inputs.

    A model that writes to its inputs (a cache of keys and values, say) would compute something else
    at each call. From the first such call on, each gets a copy, and the copying counts.

    Args:
        call: The module, or what was compiled of it.
        inputs: The captured ones, which stay as they are.
    """

    def __init__(self, call: Callable[..., Any], inputs: Arguments) -> None:
        self._call = call
        self._inputs = inputs.on_host()
        own = self._inputs.copied()
        self._mark = Mark(own)
        self.copies_inputs = False
        self.run: Callable[[], Any] = partial(call, *own.args, **own.kwargs)

    def check(self) -> None:
        """Copy the inputs for each inference from now on, if this one changed them."""
        if not self.copies_inputs and self._mark.is_written():
            self.copies_inputs = True
            self.run = self._run_on_copies

    def copy_ms(self, count: int) -> float:
        """Give the median time of copying the inputs, in ms: a part of what each inference takes.

        Args:
            count: How often they are copied for it.
        """
        times = time_calls(self._inputs.copied, count, time.perf_counter_ns)
        return statistics.median(times) / 1e6

    def _run_on_copies(self) -> Any:
        args, kwargs = self._inputs.copied()
        return self._call(*args, **kwargs)


class DeviceInference:
    """Calls a module on a GPU: inputs are copied there, and all outputs back, each time.

    Args:
        call: The module on the device, or what was compiled of it.
        inputs: The captured ones, which stay as they are.
        device: Where the module is.
        synchronize: Waits until the device has done everything; by default CUDA's.
        new_event: Makes an event that notes the device's time; by default CUDA's.
    """

    def __init__(
        self,
        call: Callable[..., Any],
        inputs: Arguments,
        device: torch.device,
        *,
        synchronize: Callable[[], None] | None = None,
        new_event: Callable[[], Any] | None = None,
    ) -> None:
        import torch

        self._call = call
        self._device = device
        # The model never sees these, so they need no copy.
        self._host = inputs.on_host()
        self._there = self._sent()
        pairs = zip(self._host.tensors(), self._there.tensors(), strict=True)
        self._pairs = list({id(there): (here, there) for here, there in pairs}.values())
        self._mark = Mark(self._there)
        self._synchronize = synchronize or partial(torch.cuda.synchronize, device)
        self._new_event = new_event or partial(torch.cuda.Event, enable_timing=True)
        self.copies_inputs = False
        self.run: Callable[[], dict[str, torch.Tensor]] = self._run

    def check(self) -> None:
        """Send the inputs as new tensors from now on, if this inference put others in their place.

        What it wrote into them does not matter: they are filled anew each time.
        """
        if not self.copies_inputs and self._mark.is_rebuilt():
            self.copies_inputs = True

    def stages_ms(self, count: int) -> dict[str, float]:
        """Give the median times of copying to the device, computing, and copying back, in ms.

        Args:
            count: How often the model is run for it.
        """
        found: dict[str, list[float]] = {stage: [] for stage in STAGES}
        for _ in range(count):
            events = [self._new_event() for _ in range(len(STAGES) + 1)]
            self._run(lambda place, now=events: now[place].record())  # type: ignore[misc]
            for stage, start, end in zip(STAGES, events, events[1:], strict=False):
                found[stage].append(start.elapsed_time(end))
        return {stage: statistics.median(times) for stage, times in found.items()}

    def _run(self, note: Callable[[int], None] | None = None) -> dict[str, torch.Tensor]:
        if note is not None:
            note(0)
        there = self._refilled()
        if note is not None:
            note(1)
        outputs = self._call(*there.args, **there.kwargs)
        if note is not None:
            note(2)
        here = {name: tensor.to("cpu") for name, tensor in flatten_outputs(outputs).items()}
        if note is not None:
            note(3)
        self._synchronize()
        return here

    def _refilled(self) -> Arguments:
        if self.copies_inputs:
            return self._sent()
        for here, there in self._pairs:
            there.copy_(here)
        return self._there

    def _sent(self) -> Arguments:
        return self._host.mapped(lambda tensor: tensor.to(self._device, copy=True))
