"""Read an ONNX file that nobody vouches for, and say in one sentence what is wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.errors import BuildError
from turnkeyml_onnx.opset import NEWEST_ONNX_OPSET, OLDEST_ONNX_OPSET
from turnkeyml_plugin_load_onnx.walking import has_broken_text, nodes_of
from turnkeyml_plugin_load_onnx.wire import without_weights

if TYPE_CHECKING:
    import onnx

NEWEST_IR_VERSION = 13
"""ONNX Runtime 1.31 loads no newer one."""
STANDARD_DOMAINS = ("", "ai.onnx")
RUNTIME_DOMAINS = (*STANDARD_DOMAINS, "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc")
"""Domains whose operators ONNX Runtime has."""

_OLDEST_IR_VERSION_WITH_OPSETS = 3
_GIT_LFS = b"version https://git-lfs"
_LARGEST_MESSAGE = 1 << 31
_TYPE_ATTRIBUTES = ("to", "dtype", "output_dtype")
_NEW_IN_IR_14 = ("FLOAT6E2M3", "FLOAT6E3M2")


@dataclass(frozen=True)
class OnnxFile:
    """What an ONNX file says, without its weights.

    Args:
        path: The file.
        proto: Its content; large weights are references to places in files.
        opset: Of the standard operators.
        ir_version: Of the file format, as the file says.
        domains: Other domains that it imports, with their versions.
        producer: What made the file, and its version.
        custom_operators: Operators that neither ONNX, ONNX Runtime nor the file itself defines, as
            ``domain::name``, with how often they occur.
    """

    path: Path
    proto: onnx.ModelProto
    opset: int
    ir_version: int
    domains: dict[str, int]
    producer: str
    custom_operators: dict[str, int]


def read_onnx(path: Path) -> OnnxFile:
    """Read a file and check that turnkey and ONNX Runtime know its format.

    Raises:
        BuildError: It is something else, is damaged, or is too old or too new.
    """
    proto = _parse(path)
    opset = _check_opset(proto)
    _check_ir_version(proto)
    imports = {i.domain: i.version for i in proto.opset_import}
    return OnnxFile(
        path,
        proto,
        opset,
        proto.ir_version,
        {shown(d): v for d, v in sorted(imports.items()) if d not in STANDARD_DOMAINS},
        shown(f"{proto.producer_name} {proto.producer_version}".strip()),
        _custom_operators(proto),
    )


def shown(text: str, limit: int = 80) -> str:
    """Make text from a file fit for a terminal: no control codes, not endless."""
    safe = "".join(c if c.isprintable() else "?" for c in text)
    return safe if len(safe) <= limit else f"{safe[: limit - 1]}…"


def _parse(path: Path) -> onnx.ModelProto:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        with path.open("rb") as file:
            start = file.read(len(_GIT_LFS))
        if start == _GIT_LFS:
            raise BuildError(
                "The file is a pointer of Git LFS, and not the model itself.",
                hint="Fetch the model with: git lfs pull",
            )
        content = without_weights(path)
        if not content:
            raise BuildError("The file is empty.")
        if len(content) >= _LARGEST_MESSAGE:
            raise BuildError(
                "The file holds more than 2 GiB besides its weights, which no reader can load.",
                hint="Write it with its weights as external data.",
            )
        proto: onnx.ModelProto = onnx.ModelProto.FromString(content)
    except OSError as error:
        raise BuildError(f"The file cannot be read: {error.strerror or error}.") from error
    except (ValueError, DecodeError) as error:
        raise BuildError("The file is no ONNX file, or it is damaged or cut off.") from error
    if proto.ir_version < 1 or not proto.HasField("graph"):
        raise BuildError("The file is no ONNX file: it has no format version or no graph.")
    if has_broken_text(proto):
        raise BuildError("The file is damaged: a name in it is no text.")
    if not proto.graph.output:
        raise BuildError("The model has no outputs.")
    return proto


def _check_opset(proto: onnx.ModelProto) -> int:
    """Give the opset, which stands in the model under the domain "" afterwards."""
    versions = {i.version for i in proto.opset_import if i.domain in STANDARD_DOMAINS}
    if not versions:
        if proto.ir_version < _OLDEST_IR_VERSION_WITH_OPSETS:
            versions = {1}
        elif any(node.domain in STANDARD_DOMAINS for node in nodes_of(proto)):
            raise BuildError("The file does not say which opset its operators are of.")
        else:
            # Only operators of other domains: any opset will do.
            versions = {OLDEST_ONNX_OPSET}
    opset: int = max(versions)
    if not OLDEST_ONNX_OPSET <= opset <= NEWEST_ONNX_OPSET:
        hint = (
            "Export it again with an older opset, or lower it with onnx.version_converter."
            if opset > NEWEST_ONNX_OPSET
            else "Export it again with a newer opset, or raise it with onnx.version_converter."
        )
        raise BuildError(
            f"The file has opset {opset}; opsets from {OLDEST_ONNX_OPSET} to "
            f"{NEWEST_ONNX_OPSET} work.",
            hint=hint,
        )
    others = [(i.domain, i.version) for i in proto.opset_import if i.domain not in STANDARD_DOMAINS]
    del proto.opset_import[:]
    for domain, version in [("", opset), *others]:
        proto.opset_import.add(domain=domain, version=version)
    return opset


def _check_ir_version(proto: onnx.ModelProto) -> None:
    import onnx

    version = proto.ir_version
    if version <= NEWEST_IR_VERSION:
        return
    too_new = BuildError(
        f"The file has IR version {version}; the newest that works is {NEWEST_IR_VERSION}.",
        hint="Export it again with an older onnx, or set model.ir_version before saving it.",
    )
    # Beyond what the onnx package here knows, nobody can tell what a file would need.
    if version > onnx.IR_VERSION:
        raise too_new
    new_types = {onnx.TensorProto.DataType.Value(name) for name in _NEW_IN_IR_14}
    if _element_types(proto) & new_types:
        raise too_new


def _element_types(message: Any) -> set[int]:
    """Collect the element types of everything in a message that has one."""
    found = set()
    for field, value in message.ListFields():
        if field.name in ("data_type", "elem_type") and isinstance(value, int):
            found.add(value)
        elif field.message_type is not None:
            # A field that repeats has no byte size of its own.
            for item in [value] if hasattr(value, "ListFields") else value:
                found |= _element_types(item)
        elif field.name == "i" and message.name in _TYPE_ATTRIBUTES:
            found.add(value)
    return found


def _custom_operators(proto: onnx.ModelProto) -> dict[str, int]:
    own = {(function.domain, function.name) for function in proto.functions}
    counts = Counter(
        shown(f"{node.domain}::{node.op_type}")
        for node in nodes_of(proto)
        if node.domain not in RUNTIME_DOMAINS and (node.domain, node.op_type) not in own
    )
    return dict(sorted(counts.items()))
