"""Turn what TensorRT complains about into a sentence, and say what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from turnkeyml.errors import BuildError

_ORT_DOMAINS = ("com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc")
_LOG_HINT = "The log has TensorRT's whole report."
_DAMAGED_HINT = "Make the file again with --rebuild always."
_TYPES_HINT = "It takes float16, bfloat16, float32, int8, int32, int64, uint8 and bool."
_MAX_OPERATORS, _MAX_NODES = 5, 2

_CUDA_ERROR = re.compile(r"\(cudaError \d+: (.+?)\)")
_API_ERROR = re.compile(r"^\S+:? Error Code \d+: .*?\((.*)\)$", re.DOTALL)
_SOURCE_BEFORE = re.compile(r"^(?:\[[\w.]+:\d+: \w+\] |[\w.]+:\d+: )")
_SOURCE_AFTER = re.compile(r"\.? In \w+ at \S+:\d+\b")
_SAID = re.compile(r'&& "([^"]+)"')
"""What the library's authors wrote beside a condition, for people."""
_ASSERTION = re.compile(r"^.*Assertion failed: .+?: ", re.DOTALL)
_WEIGHTS = (
    (re.compile(r"Failed to open file: (.+)$"), "the data file {} is missing or cannot be opened"),
    (re.compile(r"out of range for file: (.+) \(offset="), "the data file {} is too short"),
    (re.compile(r"\(\.\./\) are not allowed"), "a data file is outside the folder of the model"),
)
_DRIVER = ("driver version is insufficient", "no CUDA-capable device", "CUDA initialization")
_WITHOUT_A_DRIVER = "catchCudaError"
"""The library's own error paths ask the driver, and complain once more where there is none."""


def explain(
    failure: Mapping[str, Any], title: str, file: str, domains: Mapping[str, str]
) -> BuildError:
    """Make the error for what the process that builds could not do.

    Args:
        failure: What it handed back: ``phase`` and what is known.
        title: The library and its version, such as ``TensorRT-RTX 1.7.1``.
        file: The ONNX file's name.
        domains: Names of operators to their domains, which TensorRT does not tell.
    """
    phase = failure["phase"]
    if phase == "profile":
        return BuildError(str(failure["message"]), hint=str(failure["hint"]))
    if phase == "import":
        message = f"{title} is installed but cannot be imported: {failure['detail']}."
        return BuildError(message, hint="Install it anew, with all packages that it depends on.")
    if phase == "target":
        return BuildError(
            f"{title} builds no engines for the compute capability {failure['wanted']}.",
            hint=f"It knows {', '.join(failure['known'])}.",
        )
    if phase == "write":
        return BuildError(f"The engine cannot be written: {failure['detail']}.")
    if phase == "empty":
        return BuildError(f"{title} finds no model in {file}: it is no ONNX file, or damaged.")
    if phase == "parse":
        errors = [
            {**each, "domain": domains.get(each["operator"], "")} for each in failure["errors"]
        ]
        return _explain_parsing(errors, failure["log"], title, file)
    reason = _reason(failure["log"]) or str(failure.get("detail", "it does not say why"))
    what = "does not start" if phase == "start" else "cannot build this engine"
    return BuildError(f"{title} {what}: {reason}.", hint=_hint_on(reason))


def _explain_parsing(
    errors: Sequence[Mapping[str, str]], log: Sequence[Sequence[str]], title: str, file: str
) -> BuildError:
    about_nodes = [error for error in errors if error["operator"]]
    if about_nodes:
        return _explain_operators(about_nodes, title)
    if any(error["code"] == "MODEL_DESERIALIZE_FAILED" for error in errors):
        return BuildError(
            f"{title} cannot read {file}: it is damaged or cut off.", hint=_DAMAGED_HINT
        )
    for error in errors:
        # Here the parser gives the input's name where it gives a source file else.
        if error["function"] == "importInput" and "type" in error["text"]:
            message = f"{title} has no such type as the input {error['file']} of {file}."
            return BuildError(message, hint=_TYPES_HINT)
    # The parser's errors say only that a weight could not be had; the logger knew why before.
    for _, text in log:
        for pattern, what in _WEIGHTS:
            found = pattern.search(text)
            if found:
                data = PurePath(found.group(1)).name if found.groups() else ""
                return BuildError(
                    f"{title} cannot read the weights of {file}: {what.format(data)}.",
                    hint=_DAMAGED_HINT,
                )
    texts = [_plain(text) for _, text in log]
    reason = _plain(errors[0]["text"]) if errors else texts[0] if texts else "it does not say why"
    return BuildError(f"{title} cannot read {file}: {reason}.", hint=_LOG_HINT)


def _explain_operators(errors: Sequence[Mapping[str, str]], title: str) -> BuildError:
    groups: dict[tuple[str, str], list[str]] = {}
    for error in errors:
        operator = (
            f"{error['domain']}::{error['operator']}" if error["domain"] else error["operator"]
        )
        groups.setdefault((operator, _reason_of_node(error)), []).append(error["node"])
    named = [
        f"{operator} ({_nodes_shown(nodes)}{': ' if reason else ''}{reason})"
        for (operator, reason), nodes in groups.items()
    ]
    more = f" and {len(named) - _MAX_OPERATORS} more" if len(named) > _MAX_OPERATORS else ""
    listed = ", ".join(named[:_MAX_OPERATORS]) + more
    message = f"{title} cannot take these operators of the model: {listed}."
    return BuildError(message, hint=_hint_on_domains({error["domain"] for error in errors}))


def _hint_on_domains(domains: set[str]) -> str:
    if domains & set(_ORT_DOMAINS):
        return (
            "com.microsoft operators are ONNX Runtime's own: use optimize-onnx --level basic, "
            "which puts none in."
        )
    foreign = sorted(domain for domain in domains if domain not in ("", "ai.onnx"))
    if foreign:
        return f"Operators of {', '.join(foreign)} are no part of ONNX: export the model without."
    return "Try another opset with export-pytorch --opset N, or express this part otherwise."


def _nodes_shown(nodes: Sequence[str]) -> str:
    names = [node for node in nodes if node]
    shown = names[:_MAX_NODES]
    rest = len(nodes) - len(shown)
    if not shown:
        return "a node without a name" if rest == 1 else f"{rest} nodes without names"
    more = f" and {rest} more" if rest else ""
    return f"{'nodes' if len(nodes) > 1 else 'node'} {', '.join(shown)}{more}"


def _reason_of_node(error: Mapping[str, str]) -> str:
    """Give what the parser says for people, if anything: often it is only the failed condition."""
    text = error["text"]
    if "Plugin not found" in text:
        return ""
    return _plain(text) if _SAID.search(text) or _ASSERTION.match(text) else ""


def _reason(log: Sequence[Sequence[str]]) -> str:
    """Give the first error of the log, which those that follow only repeat; else a warning."""
    errors = [text for level, text in log if level != "WARNING"]
    first = [text for text in errors if _WITHOUT_A_DRIVER not in text] or errors
    if first:
        return _plain(first[0])
    warnings = [text for _, text in log]
    about_driver = [text for text in warnings if any(words in text for words in _DRIVER)]
    return _plain(next(iter(about_driver or warnings), ""))


def _plain(text: str) -> str:
    """Take the library's own function names and source lines from a message."""
    found = _SAID.search(text) or _CUDA_ERROR.search(text) or _API_ERROR.match(text.strip())
    text = found.group(1) if found else text
    for pattern in (_SOURCE_BEFORE, _SOURCE_AFTER, _ASSERTION):
        text = pattern.sub("", text)
    return _end(text)


def _end(text: str) -> str:
    return " ".join(text.split()).rstrip(".:! ")[:400]


def _hint_on(reason: str) -> str:
    if any(words in reason for words in _DRIVER):
        return "It needs an NVIDIA GPU and a driver that is new enough; nvidia-smi shows both."
    if "SM75" in reason:
        return "Leave 7.5 out of --compute-capability, or put convert-fp16 before this step."
    if "workspace" in reason.lower() or "memory" in reason.lower():
        return "Give another --workspace-mib, or a machine with more memory."
    return _LOG_HINT
