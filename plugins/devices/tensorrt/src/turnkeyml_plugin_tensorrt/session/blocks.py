"""Memory for inputs and outputs: one block on each side, so that one copy moves them all."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .engine import Raw, Tensor
from .gpu import Gpu, view_of
from .refusal import RefusalError

_ALIGNMENT = 256
"""What memory of CUDA's own is aligned to, and TensorRT expects of its tensors."""
SIZES = {
    "float32": 4, "float16": 2, "bfloat16": 2, "float8_e4m3fn": 1,
    "int8": 1, "int32": 4, "int64": 8, "uint8": 1, "bool": 1,
}  # fmt: skip
_FLOATS = {"float32": "f", "float64": "d"}
_WHOLES = {"int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "int64": "q"}


@dataclass(frozen=True)
class Place:
    """Where a tensor is in a block.

    Args:
        tensor: The tensor.
        shape: Its dimensions, none of them open.
        offset: In bytes.
        size: In bytes.
    """

    tensor: Tensor
    shape: tuple[int, ...]
    offset: int
    size: int


class Block:
    """Tensors side by side, in page-locked memory of the host and in memory of the GPU.

    Args:
        gpu: Gives the memory, and takes it back when it is closed.
        tensors: Tensors with their shapes.

    Attributes:
        size: Of what is copied, in bytes; 0 if nothing is.
    """

    def __init__(self, gpu: Gpu, tensors: Mapping[Tensor, tuple[int, ...]]) -> None:
        self.places: dict[str, Place] = {}
        end = 0
        self.size = 0
        # What the engine has on the host comes last: it is not copied, nor copied over.
        for tensor, shape in sorted(tensors.items(), key=lambda each: each[0].on_host):
            size = math.prod(shape) * SIZES[tensor.dtype]
            self.places[tensor.name] = Place(tensor, shape, end, size)
            # Tensors without elements have an address of their own too.
            end += -(-max(1, size) // _ALIGNMENT) * _ALIGNMENT
            if not tensor.on_host:
                self.size = end
        self.host = gpu.host_memory(end) if end else 0
        self.device = gpu.device_memory(self.size) if self.size else 0

    def address(self, name: str) -> int:
        """Give the address that the engine reads or writes a tensor at."""
        place = self.places[name]
        return (self.host if place.tensor.on_host else self.device) + place.offset

    def view(self, name: str) -> memoryview:
        """Look at a tensor's bytes in the memory of the host."""
        place = self.places[name]
        return view_of(self.host + place.offset, place.size)


class Growing:
    """An output whose shape depends on values: its memory grows as the engine asks for it.

    Args:
        gpu: Gives the memory.
        tensor: The output.
    """

    def __init__(self, gpu: Gpu, tensor: Tensor) -> None:
        self._gpu = gpu
        self.tensor = tensor
        self.shape: tuple[int, ...] = ()
        self.capacity = 0
        self.host = gpu.host_memory(0)
        self.device = gpu.device_memory(0)
        self.error: RefusalError | None = None

    @property
    def size(self) -> int:
        """What the last inference gave, in bytes."""
        return math.prod(self.shape) * SIZES[self.tensor.dtype]

    def view(self) -> memoryview:
        """Look at what the last inference gave."""
        return view_of(self.host, self.size)

    def grow(self, size: int) -> int:
        """Have memory of at least this size; give its address on the GPU, 0 if there is none."""
        try:
            if size > self.capacity:
                for address in (self.host, self.device):
                    self._gpu.give_back(address)
                self.host = self._gpu.host_memory(size)
                self.device = self._gpu.device_memory(size)
                self.capacity = size
        except RefusalError as error:
            # TensorRT calls this, and would end the process with what is raised here.
            self.error = error
            return 0
        return self.host if self.tensor.on_host else self.device


def make_allocator(trt: Any, output: Growing) -> Any:
    """Make what TensorRT asks for the memory of an output, and tells its shape."""

    class Allocator(trt.IOutputAllocator):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IOutputAllocator.__init__(self)

        def reallocate_output(
            self, tensor_name: str, memory: Any, size: int, alignment: int
        ) -> int:
            return output.grow(size)

        def reallocate_output_async(
            self, tensor_name: str, memory: Any, size: int, alignment: int, stream: Any
        ) -> int:
            return output.grow(size)

        def notify_shape(self, tensor_name: str, shape: Any) -> None:
            output.shape = tuple(shape)

    return Allocator()


def bytes_for(tensor: Tensor, raw: Raw) -> memoryview:
    """Give a captured tensor's bytes in the type that the engine takes.

    Raises:
        RefusalError: They cannot be had without changing what the tensor says.
    """
    if raw.dtype == tensor.dtype:
        return raw.data
    for codes in (_FLOATS, _WHOLES):
        if raw.dtype in codes and tensor.dtype in codes:
            numbers: array[Any] = array(codes[raw.dtype])
            numbers.frombytes(raw.data)
            try:
                return memoryview(array(codes[tensor.dtype], numbers)).cast("B")
            except OverflowError as error:
                raise RefusalError(
                    f"The input {tensor.name} was captured as {raw.dtype} with numbers that "
                    f"{tensor.dtype}, which the engine takes, does not have.",
                    "Export the model with inputs of that type.",
                ) from error
    raise RefusalError(
        f"The engine takes {tensor.name} as {tensor.dtype}, but it was captured as {raw.dtype}.",
        "Export the model with inputs of that type.",
    )
