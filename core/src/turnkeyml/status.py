"""The status tree: what was found in an input, and how each model fared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from turnkeyml.console import format_bytes, format_latency
from turnkeyml.execution.reports import JobReport, ModelReport
from turnkeyml.outcomes import Status
from turnkeyml.runtime import THROUGHPUT_UNITS

HEADER = "Models discovered during profiling:"
_INDENT = " " * 8
_LABEL = 16
_VALUE = 7


def status_tree(report: JobReport) -> list[str]:
    """Give the lines that show an input's models.

    Invocations of one model with several input shapes stand under it; modules inside a model stand
    under their parent, indented.
    """
    lines = [f"{report.source.title}:"]
    for group in _groups(report.models):
        lines += _group_lines(group)
        lines.append("")
    return lines


def _groups(reports: Sequence[ModelReport]) -> list[list[ModelReport]]:
    groups: dict[int, list[ModelReport]] = {}
    for report in reports:
        groups.setdefault(report.model.group, []).append(report)
    children: dict[int | None, list[int]] = {}
    for key, group in groups.items():
        parent = group[0].model.parent
        children.setdefault(parent if parent in groups else None, []).append(key)

    def walk(parent: int | None) -> Iterator[list[ModelReport]]:
        for key in children.get(parent, ()):
            yield groups[key]
            yield from walk(key)

    return list(walk(None))


def _group_lines(group: list[ModelReport]) -> list[str]:
    model = group[0].model
    outer = _INDENT * (1 + 2 * model.depth)
    inner = outer + _INDENT
    several = len(group) > 1
    title = model.name if several else model.name + _executed(group[0])
    lines = [outer + title, *_facts(group[0], inner)]
    for number, report in enumerate(group, start=1):
        if several:
            lines += ["", f"{inner}With input shape {number}{_executed(report)}"]
        lines += _invocation_lines(report, inner)
    return lines


def _executed(report: ModelReport) -> str:
    model = report.model
    if model.executions is None:
        return ""
    took = "" if model.seconds is None else f" - {model.seconds:.2f}s"
    return f" (executed {model.executions}x{took})"


def _facts(report: ModelReport, indent: str) -> list[str]:
    model = report.model
    lines = [_line(indent, "Model Type", model.model_type)]
    if model.class_name:
        lines.append(_line(indent, "Class", model.class_name))
    if model.location:
        line = "" if model.line is None else f", line {model.line}"
        lines.append(_line(indent, "Location", f"{model.location}{line}"))
    if model.parameter_count is not None:
        size = format_bytes(model.parameter_bytes or 0)
        lines.append(_line(indent, "Parameters", f"{model.parameter_count:,} ({size})"))
    return lines


def _invocation_lines(report: ModelReport, indent: str) -> list[str]:
    model = report.model
    lines = []
    if model.input_shapes:
        shapes = ", ".join(
            f"{name!r}: {tuple(shape)}" for name, shape in model.input_shapes.items()
        )
        lines.append(_line(indent, "Input Shape", shapes))
    lines.append(_line(indent, "Hash", model.short_hash))
    lines.append(_line(indent, "Build dir", str(report.build.path)))
    if report.selected:
        lines += _status_lines(report, indent)
    return lines


def _status_lines(report: ModelReport, indent: str) -> list[str]:
    if report.status is Status.SKIPPED:
        return [_line(indent, "Status", f"Skipped: {report.skipped}")]
    lines = []
    for result in report.results:
        lines += _result_lines(result, indent)
    for failure in report.failures:
        lines.append(_line(indent, "Status", f"Failed in {failure.step}: {failure.error}"))
        if failure.log is not None:
            lines.append(_line(indent, "Log", str(failure.log)))
    if not lines:
        lines = _plain_status(report, indent)
    return [*lines, *(_line(indent, what, text) for what, text in report.findings.items())]


def _plain_status(report: ModelReport, indent: str) -> list[str]:
    if report.status is not Status.SUCCESSFUL:
        return [_line(indent, "Status", report.status.value.replace("_", " ").capitalize())]
    return [_line(indent, "Status", "Model successfully built!")] if report.has_built else []


def _result_lines(result: Mapping[str, Any], indent: str) -> list[str]:
    version = f" v{result['runtime_version']}" if result.get("runtime_version") else ""
    where = f"{result['device_name']} ({result['runtime']}{version})"
    below = indent + " " * _LABEL
    throughput = result["throughput_ips"]
    latency, unit = format_latency(_number(result["mean_latency_ms"]))
    lines = [
        _line(indent, "Status", f"Successfully benchmarked on {where}"),
        _line(below, "Mean Latency", f"{latency:{_VALUE}} {unit}"),
        _line(below, "Throughput", f"{f'{_number(throughput):.1f}':{_VALUE}} {THROUGHPUT_UNITS}"),
    ]
    items = result.get("throughput_items_per_s")
    if items is not None:
        text = f"{_number(items):.1f} items per second (batch of {result.get('batch_size')})"
        lines.append(_line(below, "Per Item", text))
    shown = result.get("status_stats")
    if isinstance(shown, dict):
        lines += [_line(below, str(key), str(value)) for key, value in shown.items()]
    if result.get("verdict") != "valid":
        reasons = result.get("verdict_reasons")
        text = "; ".join(map(str, reasons)) if isinstance(reasons, list) else ""
        lines.append(_line(below, "Verdict", f"{result.get('verdict')}: {text}"))
    return lines


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _line(indent: str, label: str, value: str) -> str:
    return f"{indent}{label + ':':{_LABEL - 1}} {value}"
