"""The rows of a report: one for each result of a build, and for each attempt that has none."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from turnkeyml.outcomes import Status
from turnkeyml.report import columns as c
from turnkeyml.report.chains import Step, StepTable, is_measuring

Value = Any
"""None, a flag, a number, text, or a list or mapping of them."""
Values = dict[str, Value]

PLAN = " plan"
"""Tools, options and what a sweep set, as JSON; `turnkeyml.report.reproduce` makes a command of it.
Its name begins with a space, so that it is no statistic's, and it is in no report."""

MAX_COLUMNS = 2000
"""What a row has more is put into the column ``more``, as JSON."""

_STAGES = {
    "discover": c.FOUND,
    "load": c.FOUND,
    "find": c.FOUND,
    "given": c.FOUND,
    "export": c.EXPORTED,
    "optimize": c.OPTIMIZED,
    "convert": c.CONVERTED,
    "build": c.BUILT,
    "benchmark": c.RUN,
}
_ONE_CELL = {"input_shapes", "operators", "inputs"}
"""Mappings whose keys are the model's, so that each model would bring columns of its own."""
_OF_STEPS = {"tool", "number", "occurrence", "libraries"}
_OF_RESULTS = (
    c.DEVICE, c.DEVICE_NAME, c.RUNTIME, c.RUNTIME_VERSION, c.RT_ARGS, c.ITERATIONS, c.MEAN_LATENCY,
    c.MEDIAN_LATENCY, c.THROUGHPUT, c.VERDICT, c.VERDICT_REASONS, c.SAMPLES_FILE, c.MEASURED_AT,
)  # fmt: skip
_RESERVED = frozenset(c.WELL_KNOWN).difference(_OF_RESULTS)
"""Names that a runtime's own statistics cannot take."""
_ENDED_BADLY = (Status.FAILED.value, Status.INTERRUPTED.value)
_NOTHING: tuple[Value, ...] = ([], {})
_CAUSE_LENGTH = 160
_NAMES = re.compile(
    r"'[^']*'|\"[^\"]*\"|`[^`]*`|(?:/[\w.@+-]+)+/?|\b0x[0-9a-fA-F]+\b|\b[0-9a-f]{8,}\b"
)
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


def rows_from(build: str, state: Mapping[str, Any], stats: Mapping[str, Any]) -> list[Values]:
    """Give the rows of one build.

    Args:
        build: Its name.
        state: What its state file says.
        stats: What its file of statistics says.

    Returns:
        Values by column; paths are relative to the build directory.
    """
    return _Rows(build, state, stats).all()


def unreadable_row(build: str, error: str) -> Values:
    """Give the row of a build whose files say nothing."""
    return {c.BUILD_NAME: build, c.STATUS: "unreadable", c.ERROR: error, c.CAUSE: cause_of(error)}


def cause_of(error: str, model: str = "") -> str:
    """Give an error without what is different from model to model: names, paths and numbers.

    Args:
        error: The sentence.
        model: The model's name, which is left out too unless it is a plain word.
    """
    text = " ".join(error.split())
    if model and not model.isalpha() and model in text:
        text = re.sub(rf"(?<!\w){re.escape(model)}(?!\w)", "...", text)
    return _NUMBERS.sub("N", _NAMES.sub("...", text))[:_CAUSE_LENGTH]


class _Rows:
    """Makes the rows of one build, which have most of their columns in common."""

    def __init__(self, build: str, state: Mapping[str, Any], stats: Mapping[str, Any]) -> None:
        self._state = state
        self._results = _mapping(stats.get("results"))
        self._table = StepTable(state, stats)
        self._common = _common(build, state, stats)
        self._of_steps: dict[str, Values] = {}
        self._sweep = _mapping(_mapping(stats.get("model")).get("script_parameters"))

    def all(self) -> list[Values]:
        """Give all of them."""
        found = [self._of_result(r) for r in self._results.values() if isinstance(r, dict)]
        found += [
            self._of_failure(step)
            for step in self._table.steps
            if is_measuring(step.tool) and step.entry.get("status") in _ENDED_BADLY
        ]
        failed = _text(self._state.get("failed_step"))
        told = failed is not None and is_measuring(failed) and any(c.ERROR in r for r in found)
        successful = self._state.get("status") == Status.SUCCESSFUL.value
        if not found or not (successful or told):
            found.append(self._of_chain())
        return found

    def _of_result(self, result: Mapping[str, Any]) -> Values:
        row = self._after(self._table.chain_of_result(result))
        row[c.STATUS] = row[c.RUN] = Status.SUCCESSFUL.value
        own = {
            (f"result.{key}" if key in _RESERVED or key in row else key): value
            for key, value in result.items()
        }
        # However much a runtime leaves, these are there.
        _flatten(row, "", {key: own.pop(key) for key in _OF_RESULTS if key in own})
        _flatten(row, "", own)
        return row

    def _of_failure(self, step: Step) -> Values:
        row = self._after(self._table.chain_to(step))
        row |= _words_of(_text(step.entry.get("error")), str(row[c.MODEL_NAME]))
        row |= {c.STATUS: step.entry.get("status"), c.FAILED_STEP: step.tool, c.LOG: step.log}
        for name in (c.DEVICE, c.RUNTIME, c.ITERATIONS, c.RT_ARGS):
            row[name] = step.options.get(name) or None
        return row

    def _of_chain(self) -> Values:
        chain = self._table.last_chain
        row = self._after(chain)
        row[c.STATUS] = _text(self._state.get("status"))
        row |= _words_of(_text(self._state.get("error")), str(row[c.MODEL_NAME]))
        failed = _text(self._state.get("failed_step"))
        if failed is not None:
            row[c.FAILED_STEP] = failed
            logs = [step.log for step in chain if step.tool == failed and step.entry.get("error")]
            row[c.LOG] = logs[0] if logs else None
        return row

    def _after(self, chain: Sequence[Step]) -> Values:
        """Give what is known of the model and of the steps of a chain."""
        row = dict(self._common)
        row[c.CHAIN] = " ".join(step.tool for step in chain)
        row[PLAN] = json.dumps(
            {
                "steps": [[step.tool, dict(step.options)] for step in chain],
                "sweep": self._sweep,
            }
        )
        versions: dict[str, list[str]] = {}
        for step in chain:
            if step.identity not in self._of_steps:
                self._of_steps[step.identity] = _facts_of(step)
            row |= self._of_steps[step.identity]
            stage = _STAGES.get(step.tool.partition("-")[0])
            if stage is not None:
                row[stage] = step.entry.get("status")
            for name, version in _mapping(step.entry.get("libraries")).items():
                versions.setdefault(name, []).append(str(version))
        for name, found in versions.items():
            row[f"version.{name}"] = " / ".join(dict.fromkeys(found))
        return row


def add_labels(values: Values, labels: Mapping[str, Any], sweep: Mapping[str, Any]) -> None:
    """Add what a script says of itself, and what a sweep gave to it.

    Args:
        values: Of the row.
        labels: Lists of texts by key.
        sweep: Values of the script's own parameters, by name.
    """
    shown = {
        key: ",".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in labels.items()
    }
    values[c.AUTHOR] = shown.get("author")
    _flatten(values, "labels.", shown)
    _flatten(values, "parameter.", sweep)


def stem_of(path: str) -> str:
    """Give the name of a file without its suffix."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _facts_of(step: Step) -> Values:
    facts: Values = {}
    _flatten(facts, f"{step.title}.", {k: v for k, v in step.entry.items() if k not in _OF_STEPS})
    return facts


def _words_of(error: str | None, model: str) -> Values:
    return {} if error is None else {c.ERROR: error, c.CAUSE: cause_of(error, model)}


def _common(build: str, state: Mapping[str, Any], stats: Mapping[str, Any]) -> Values:
    model = {**_mapping(state.get("model")), **_mapping(stats.get("model"))}
    script = _text(state.get("input")) or ""
    digest = _text(model.get("hash")) or ""
    parity = _mapping(model.pop("parity", None))
    sweep = _mapping(model.pop("script_parameters", None))
    values: Values = {
        c.MODEL_NAME: stem_of(script) or build,
        c.BUILD_NAME: build,
        c.HASH: digest[:8],
        c.SCRIPT: script,
        c.MODEL_CLASS: (_text(model.get("class")) or "").partition(" (")[0] or None,
        c.PARAMETERS: model.pop("parameters", None),
        c.PARAMETER_BYTES: model.pop("parameter_bytes", None),
        c.INPUT_SHAPES: model.pop("input_shapes", None) or None,
        c.TURNKEY_VERSION: _text(state.get("turnkey_version")),
    }
    add_labels(values, _mapping(state.get("labels")), sweep)
    _flatten(values, "model.", model)
    if parity:
        values[c.PARITY] = parity.pop("status", None)
        _flatten(values, "parity.", parity)
    return values


def _flatten(values: Values, prefix: str, content: Mapping[str, Any]) -> None:
    """Add what is in a mapping, the names of nested ones joined by dots."""
    if len(values) + len(content) > MAX_COLUMNS:
        more = values.setdefault(c.MORE, {})
        more.update((f"{prefix}{key}", value) for key, value in content.items())
        return
    for key, value in content.items():
        if type(value) is dict and key not in _ONE_CELL:
            _flatten(values, f"{prefix}{key}.", value)
        elif value is not None and value not in _NOTHING and not _is_table(value):
            values[prefix + key] = value


def _is_table(value: Any) -> bool:
    """Tell whether it is a list of mappings, which is no value of a cell."""
    return type(value) is list and type(value[0]) is dict


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
