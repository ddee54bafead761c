"""A rule of the exporter's optimizer, kept from looking through a whole graph for each node."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx_ir as ir

_SLICE = "Slice"


@contextlib.contextmanager
def quick_rules() -> Iterator[None]:
    """Let the rule that makes a Split of two Slices look only at Slices of the same tensor.

    Of itself onnxscript lists all nodes of the graph for each of them, to find a second Slice
    (0.7.2, onnxscript/rewriter/_matcher.py). The optimizer took 40 s instead of 10 s on the
    5,210 nodes of timm's coat_small. What becomes of a model is the same.
    """
    rule = _rule()
    if rule is None:
        yield
        return
    original = rule.try_rewrite

    def try_rewrite(model: Any, graph: Any, node: ir.Node, **options: Any) -> Any:
        return original(model, graph, node, **options) if _may_be_split(node) else None

    rule.try_rewrite = try_rewrite
    try:
        yield
    finally:
        del rule.try_rewrite


def _rule() -> Any:
    # Older versions have it elsewhere, or not at all: then nothing is gained.
    with contextlib.suppress(ImportError):
        from onnxscript.rewriter.rules.common import slice_split_rule

        return slice_split_rule
    return None


def _may_be_split(node: ir.Node) -> bool:
    """Tell whether a node is a Slice, and its tensor has another."""
    if node.op_type != _SLICE or not node.inputs or node.inputs[0] is None:
        return False
    return any(user is not node and user.op_type == _SLICE for user in node.inputs[0].consumers())
