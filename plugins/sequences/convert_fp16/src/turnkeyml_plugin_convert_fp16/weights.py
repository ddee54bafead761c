"""Weights that are converted while they are written, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from turnkeyml_onnx.widening import BFLOAT16, FLOAT, WidenedTensor, place_of
from turnkeyml_plugin_convert_fp16.half import Losses, halve

if TYPE_CHECKING:
    import numpy as np
    import onnx_ir as ir


class HalvedTensor(WidenedTensor):
    """A tensor of float16 whose numbers lie in a data file as float32 or bfloat16.

    What is lost is known in ``losses`` once it has been written.

    Args:
        source: Its shape, and where its numbers are.
        kind: What they are there: ``FLOAT`` or ``BFLOAT16``.
    """

    def __init__(self, source: ir.ExternalTensor, kind: int) -> None:
        import onnx_ir as ir

        super().__init__(source, kind)
        self.dtype = ir.DataType.FLOAT16
        self.losses = Losses()

    def blocks(self) -> Iterator[np.ndarray[Any, Any]]:
        """Give the numbers, little endian, a block at a time."""
        losses = Losses()
        for values in super().blocks():
            halves, lost = halve(values)
            losses += lost
            yield halves.astype("<f2", copy=False)
        self.losses = losses


def halve_weights(
    model: ir.Model, inline_bytes: int, from_bfloat16: Mapping[str, int]
) -> dict[str, HalvedTensor]:
    """Make weights float16, or float32, that lie in their data files as something else.

    Args:
        model: As the converter left it; changed in place.
        inline_bytes: Weights below this size are put into the model.
        from_bfloat16: The data types of those that are bfloat16 in their file, by name.

    Returns:
        The tensors of float16 by the name of the initializer that has each first.
    """
    import onnx_ir as ir

    from turnkeyml_onnx import graphs_of

    made: dict[str, HalvedTensor] = {}
    by_place: dict[tuple[Any, ...], HalvedTensor | WidenedTensor] = {}
    for graph in graphs_of(model):
        for name, value in graph.initializers.items():
            tensor = value.const_value
            wanted = from_bfloat16.get(name)
            if not isinstance(tensor, ir.ExternalTensor):
                continue
            if wanted is None and not _is_float32_in_file(tensor):
                continue
            place = (*place_of(tensor), wanted)
            converted = by_place.get(place)
            if converted is None:
                if wanted == FLOAT:
                    converted = WidenedTensor(tensor)
                else:
                    kind = FLOAT if wanted is None else BFLOAT16
                    converted = made[name] = HalvedTensor(tensor, kind)
                by_place[place] = converted
            small = converted.nbytes < inline_bytes
            value.const_value = ir.tensor(converted.numpy(), name=name) if small else converted
            value.dtype = converted.dtype
    return made


def _is_float32_in_file(tensor: ir.ExternalTensor) -> bool:
    import onnx_ir as ir

    return bool(
        tensor.dtype == ir.DataType.FLOAT16 and tensor.size and tensor.length == 2 * tensor.nbytes
    )
