"""Weights that are converted while they are written, a block at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml_plugin_convert_fp16.half import BLOCK, Losses, halve

if TYPE_CHECKING:
    import numpy as np
    import onnx_ir as ir

_FLOAT32_BYTES = 4


class HalvedTensor:
    """A tensor of float16 whose numbers lie in a data file as float32.

    It has what a writer of ONNX files asks of a tensor (see ``onnx_ir.TensorProtocol``). What is
    lost is known in ``losses`` once it has been written.

    Args:
        source: Says that it is float16, but lies in twice as many bytes.
    """

    def __init__(self, source: ir.ExternalTensor) -> None:
        self.name = source.name
        self.dtype = source.dtype
        self.shape = source.shape
        self.size = source.size
        self.nbytes = source.nbytes
        self.losses = Losses()
        self._path = Path(source.path)
        self._offset = source.offset or 0

    def tofile(self, file: Any) -> None:
        """Convert the numbers and write them, little endian."""
        import numpy as np

        losses = Losses()
        left = self.size
        buffer = bytearray(min(BLOCK, left) * _FLOAT32_BYTES)
        with self._path.open("rb") as source:
            source.seek(self._offset)
            while left:
                view = memoryview(buffer)[: min(BLOCK, left) * _FLOAT32_BYTES]
                if source.readinto(view) != len(view):
                    raise OSError(
                        f"{self._path} is shorter than the weights that are said to be in it"
                    )
                halves, lost = halve(np.frombuffer(view, "<f4"))
                file.write(halves.astype("<f2", copy=False))
                losses += lost
                left -= len(halves)
        self.losses = losses

    def tobytes(self) -> bytes:
        """Give all numbers."""
        content = bytearray()
        self.tofile(_Appender(content))
        return bytes(content)

    def numpy(self) -> np.ndarray[Any, Any]:
        """Give all numbers as an array."""
        import numpy as np

        flat = np.frombuffer(self.tobytes(), "<f2")
        array: np.ndarray[Any, Any] = flat.reshape(self.shape.numpy())
        return array


class _Appender:
    def __init__(self, content: bytearray) -> None:
        self._content = content

    def write(self, data: Any) -> None:
        self._content += memoryview(data).cast("B")


def halve_weights(model: ir.Model, inline_bytes: int) -> dict[str, HalvedTensor]:
    """Make the weights of a model float16 that say they are and lie in their file as float32.

    Args:
        model: As the converter left it; changed in place.
        inline_bytes: Weights below this size are put into the model.

    Returns:
        The tensors by the name of the initializer that has it first.
    """
    import onnx_ir as ir

    from turnkeyml_onnx import graphs_of

    made: dict[str, HalvedTensor] = {}
    by_place: dict[tuple[Any, ...], HalvedTensor] = {}
    for graph in graphs_of(model):
        for name, value in graph.initializers.items():
            tensor = value.const_value
            if not _is_float32_in_file(tensor):
                continue
            place = (str(tensor.location), tensor.offset, tuple(tensor.shape.numpy()))
            halved = by_place.get(place)
            if halved is None:
                halved = by_place[place] = made[name] = HalvedTensor(tensor)
            if halved.nbytes < inline_bytes:
                value.const_value = ir.tensor(halved.numpy(), name=name)
            else:
                value.const_value = halved
    return made


def _is_float32_in_file(tensor: Any) -> bool:
    import onnx_ir as ir

    return (
        isinstance(tensor, ir.ExternalTensor)
        and tensor.dtype == ir.DataType.FLOAT16
        and tensor.size > 0
        and tensor.length == _FLOAT32_BYTES * tensor.size
    )
