"""What whole numbers an input may hold, read from where the graph uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx_ir as ir

_MICROSOFT = "com.microsoft"
_INDEXES = {
    ("", "Gather"): {1: 0},
    ("", "GatherElements"): {1: 0},
    ("", "ScatterElements"): {1: 0},
    (_MICROSOFT, "GatherBlockQuantized"): {1: 0},
    (_MICROSOFT, "EmbedLayerNormalization"): {0: 2, 1: 4, 8: 3},
}
"""Operators that take indexes: which input has them, and which one they point into."""
_AXES = {"GatherBlockQuantized": "gather_axis"}
_PASSED_ON = {
    "Cast", "Identity", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Transpose", "Expand",
    "Slice", "Gather", "GatherElements", "Tile", "Split", "Concat",
}  # fmt: skip
"""Operators whose outputs hold values of their first input, of all of them for ``Concat``."""
_SAME_SHAPE = {"Cast", "Identity", "DequantizeLinear", "QuantizeLinear"}
_SIZES = {
    ("", "Reshape"): {1},
    ("", "Expand"): {1},
    ("", "ConstantOfShape"): {0},
    ("", "Tile"): {1},
    ("", "TopK"): {1},
    ("", "Resize"): {3},
    ("", "Range"): {0, 1, 2},
    ("", "Slice"): {2, 4},
    ("", "OneHot"): {1},
}
"""Operators that take numbers of elements, and which inputs have them."""


@dataclass(frozen=True)
class Use:
    """How the graph uses the values of an input.

    Args:
        rows: They point into this many rows; None if they point into nothing that is known.
        is_size: They say how large something is.
    """

    rows: int | None = None
    is_size: bool = False


def use_of(model: ir.Model, name: str, shapes: Mapping[str, tuple[int, ...]]) -> Use:
    """Follow the values of an input to where they are used as indexes or as sizes.

    Args:
        model: The model.
        name: The input.
        shapes: Shapes of the inputs.
    """
    trace = _Trace(model, shapes)
    start = next(value for value in model.graph.inputs if value.name == name)
    trace.follow(start)
    return Use(min(trace.rows, default=None), trace.is_size)


@dataclass
class _Trace:
    """What was found on the way from one input."""

    model: ir.Model
    shapes: Mapping[str, tuple[int, ...]]
    rows: list[int] = field(default_factory=list)
    is_size: bool = False
    _seen: set[ir.Value] = field(default_factory=set)
    _actual: dict[ir.Value, ir.Value] = field(default_factory=dict)
    """Parameters of functions to what they are called with."""

    def follow(self, start: ir.Value) -> None:
        """Go along everything that holds values of this one."""
        todo = [start]
        while todo:
            value = todo.pop()
            if value in self._seen:
                continue
            self._seen.add(value)
            for node, index in value.uses():
                self._note(node, index)
                todo += self._onward(node, index)

    def _note(self, node: ir.Node, index: int) -> None:
        operator = (_domain(node), node.op_type)
        target = _INDEXES.get(operator, {}).get(index)
        if target is not None and target < len(node.inputs):
            axis = _integer(node, _AXES.get(node.op_type, "axis"), 0)
            self._add_rows(self._shape(node.inputs[target]), axis)
        elif operator == ("", "GatherND") and index == 1:
            self.rows += [n for n in self._shape(node.inputs[0]) or () if isinstance(n, int)]
        elif operator == ("", "OneHot") and index == 0:
            depth = getattr(node.inputs[1], "const_value", None)
            self.rows += [] if depth is None else [int(depth.numpy().reshape(-1)[0])]
        self.is_size |= index in _SIZES.get(operator, ())

    def _add_rows(self, shape: tuple[Any, ...] | None, axis: int) -> None:
        if shape is not None and -len(shape) <= axis < len(shape) and isinstance(shape[axis], int):
            self.rows.append(shape[axis])

    def _onward(self, node: ir.Node, index: int) -> Iterator[ir.Value]:
        function = self.model.functions.get((node.domain, node.op_type, node.overload))
        if function is not None:
            # Its parameters are known by the last call; one that is called twice is followed once.
            pairs = zip(function.inputs, node.inputs, strict=False)
            self._actual.update({inner: outer for inner, outer in pairs if outer is not None})
            if index < len(function.inputs):
                yield function.inputs[index]
        elif _domain(node) == "" and node.op_type in _PASSED_ON:
            yield from node.outputs if index == 0 or node.op_type == "Concat" else ()

    def _shape(self, value: ir.Value | None) -> tuple[Any, ...] | None:
        while value is not None:
            value = self._actual.get(value, value)
            if value.is_graph_input() and value.name in self.shapes:
                return self.shapes[value.name]
            if value.shape is not None:
                return tuple(value.shape)
            if value.const_value is not None:
                return tuple(value.const_value.shape)
            node = value.producer()
            if node is None or node.op_type not in _SAME_SHAPE | {"Constant"}:
                return None
            if node.op_type == "Constant":
                tensor = node.attributes.get("value")
                return None if tensor is None else tuple(tensor.as_tensor().shape)
            value = node.inputs[0]
        return None


def _domain(node: ir.Node) -> str:
    return "" if node.domain == "ai.onnx" else str(node.domain)


def _integer(node: ir.Node, name: str, default: int) -> int:
    attribute = node.attributes.get(name)
    # In a function an attribute may be a reference to one of its own.
    if attribute is None or attribute.is_ref():
        return default
    return int(attribute.value)
