"""Which domains the operators of an ONNX file are from: TensorRT knows operators by name alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_STANDARD = ("", "ai.onnx")


@dataclass(frozen=True)
class Domains:
    """What is known of the operators of one file.

    Args:
        by_operator: Names of operators to their domains; a foreign one where there are several.
        mistaken: Operators of foreign domains, and functions of the file, that TensorRT takes for
            the standard operators of the same names, such as ``acme::Relu``.
    """

    by_operator: dict[str, str] = field(default_factory=dict)
    mistaken: tuple[str, ...] = ()


def read_domains(path: Path) -> Domains:
    """Read the operators of an ONNX file; nothing is known of one that cannot be read."""
    import onnx

    try:
        model = onnx.load(path, load_external_data=False)
    # It may be anything; TensorRT is about to say what is wrong with it.
    except Exception:  # noqa: BLE001
        return Domains()
    nodes = [node for graph in (model.graph, *model.functions) for node in _nodes(graph)]
    found = {(node.domain, node.op_type) for node in nodes}
    foreign = sorted(each for each in found if each[0] not in _STANDARD)
    mistaken = [f"{domain}::{name}" for domain, name in foreign if onnx.defs.has(name)]
    # The standard domain sorts first, so that a foreign one replaces it.
    return Domains({name: domain for domain, name in sorted(found)}, tuple(mistaken))


def _nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (*attribute.graphs, attribute.g):
                yield from _nodes(inner)
