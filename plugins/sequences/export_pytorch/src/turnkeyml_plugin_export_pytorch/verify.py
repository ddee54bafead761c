"""The tool `verify-exporter`."""

from __future__ import annotations

import importlib.util
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.artifacts import INPUTS, ONNX_MODEL, PYTORCH_MODEL, Artifact
from turnkeyml.cache.atomic import TEMPORARY
from turnkeyml.errors import BuildError, PlanError
from turnkeyml.options import option
from turnkeyml.plugins.registry import Registry
from turnkeyml.state import State
from turnkeyml.tool import Tool
from turnkeyml.worker import tensors as tensors_module
from turnkeyml.worker.process import run_task

if TYPE_CHECKING:
    from turnkeyml_torch import LiveModel

AUTO = "auto"
ONNXRUNTIME = "onnxruntime"
REFERENCE = "reference"
FAIL = "fail"
WARN = "warn"

_TASK = Path(__file__).with_name("task.py")
_HERE = "for the captured inputs"
_ELSEWHERE = "for larger inputs"


@dataclass(frozen=True)
class VerifyExporterOptions:
    """The options of `verify-exporter`."""

    evaluator: str = option(
        AUTO,
        choices=(AUTO, ONNXRUNTIME, REFERENCE),
        help="What runs the file: onnxruntime, ONNX's reference implementation, or auto for "
        "onnxruntime where it is installed.",
    )
    tolerance: float | None = option(
        None,
        metavar="X",
        minimum=0,
        help="Largest difference, relative to an output's size. [default: by dtype, "
        "1e-4 for float32]",
    )
    on_mismatch: str = option(
        FAIL,
        choices=(FAIL, WARN),
        help="What a difference does: the step fails, or a note says so.",
    )


class VerifyExporter(Tool):
    """Check that an exported file computes what the PyTorch model computes.

    Put it right after export-pytorch. The file is checked by ONNX's own checker, and run on the
    captured inputs in a process of its own; each output is compared with what the model returns. If
    one departs, the first layer that does is named where that can be found. With axes that are
    not fixed, both are also called with inputs that are one larger along each of them.
    """

    name = "verify-exporter"
    Options = VerifyExporterOptions
    consumes = (ONNX_MODEL,)
    reads = (PYTORCH_MODEL, INPUTS)
    libraries = ("torch", "onnx", "onnxruntime")

    @classmethod
    def resolve(cls, options: VerifyExporterOptions, registry: Registry) -> VerifyExporterOptions:
        """Settle what runs the file."""
        installed = importlib.util.find_spec(ONNXRUNTIME) is not None
        if options.evaluator == AUTO:
            return replace(options, evaluator=ONNXRUNTIME if installed else REFERENCE)
        if options.evaluator == ONNXRUNTIME and not installed:
            raise PlanError(
                "verify-exporter: onnxruntime is not installed.",
                hint="pip install onnxruntime, or take --evaluator reference.",
            )
        return options

    def run(self, state: State, options: VerifyExporterOptions) -> State:
        """Compare the file with the live model."""
        if not state.has(PYTORCH_MODEL):
            raise BuildError(
                "verify-exporter compares with the PyTorch model, which this chain does not have.",
                hint="Start with discover.",
            )
        live: LiveModel = state.newest(PYTORCH_MODEL).live
        with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=state.build.path) as scratch:
            check = _Check(state, state.input, options, Path(scratch))
            found = [check.captured(live)]
            if state.input.info.get("dynamic_axes"):
                found.append(check.larger(live))
            findings = [finding for one in found for finding in one.findings]
            departs = check.first_layer(live) if found[0].departing else ""
        _show(found)
        state.stats.save("evaluator", found[0].evaluator)
        state.stats.save("verification", _status(found))
        state.stats.save("outputs", [row for one in found for row in one.rows])
        if departs:
            state.stats.save("departs_at", departs)
        for one in found:
            if one.unchecked:
                state.context.note(f"{state.name}: {one.unchecked}")
        if findings:
            _complain(state, findings, departs, options)
        else:
            _confirm(state, found)
        return state


@dataclass(frozen=True)
class _Finding:
    """What one comparison found.

    Args:
        rows: One for each output; see `turnkeyml_plugin_export_pytorch.task.compare`.
        evaluator: What ran the file.
        findings: What is wrong, as sentences.
        departing: Whether an output differs.
        unchecked: Why nothing was compared, as a sentence.
    """

    rows: Sequence[Mapping[str, Any]] = ()
    evaluator: str = ""
    findings: tuple[str, ...] = ()
    departing: bool = False
    unchecked: str = ""


@dataclass(frozen=True)
class _Check:
    """Compares one file with the model that it was made from."""

    state: State
    artifact: Artifact
    options: VerifyExporterOptions
    scratch: Path

    def captured(self, live: LiveModel) -> _Finding:
        """Compare what comes of the captured inputs."""
        from turnkeyml_torch import EagerReference

        folder = self.state.build.path / str(self.artifact.info["inputs_folder"])
        expected = self.scratch / "expected"
        EagerReference(live).write(expected)
        finding = self._compare(folder, self.artifact.info["inputs"], expected, _HERE)
        if finding.departing and _is_random(live, expected, self.scratch / "again"):
            text = "the model itself gives other outputs each time, so they cannot be compared."
            return replace(finding, findings=(), departing=False, unchecked=text)
        return finding

    def larger(self, live: LiveModel) -> _Finding:
        """Compare what comes of inputs that are one larger along each axis that is not fixed."""
        from turnkeyml_plugin_export_pytorch.growing import grown_model
        from turnkeyml_torch import EagerReference, write_inputs

        grown, values, sizes = grown_model(live, self.artifact.info["dynamic_axes"])
        folder, expected = self.scratch / "larger", self.scratch / "expected_larger"
        write_inputs(folder, values)
        try:
            EagerReference(grown).write(expected)
        # The user's own code, called as it was not before.
        except Exception as error:  # noqa: BLE001
            text = f"not checked with other sizes ({sizes}), because the model itself raises"
            return _Finding(unchecked=f"{text} {type(error).__name__} with them.")
        names = {name: name for name in values}
        return self._compare(folder, names, expected, f"{_ELSEWHERE} ({sizes})")

    def first_layer(self, live: LiveModel) -> str:
        """Name the first layer whose output departs; empty if that cannot be found."""
        from turnkeyml_plugin_export_pytorch.layers import keep_layers

        folder = self.scratch / "layers"
        layers = keep_layers(live, folder, seed=0)
        if not layers:
            return ""
        inputs = self.state.build.path / str(self.artifact.info["inputs_folder"])
        found = self._run(inputs, self.artifact.info["inputs"], folder, layers)["layers"]
        known = [(path, found[path]) for path in layers if found.get(path) in ("ok", "departs")]
        parts = dict(live.module.named_modules())
        for (path, state), (_, after) in zip(known, [*known[1:], ("", "departs")], strict=True):
            # One that is followed by a layer that is right was merged with it, or is beside it.
            if state == after == "departs":
                return f"{path} ({type(parts[path]).__name__})"
        return ""

    def _compare(
        self, inputs: Path, names: Mapping[str, str], expected: Path, where: str
    ) -> _Finding:
        try:
            found = self._run(inputs, names, expected, {})
        except BuildError as error:
            return _Finding(findings=(f"The file cannot be run {where}: {_plain(error)}",))
        findings = [
            f"The output {row['output']} {where} {row['problem']}."
            for row in found["outputs"]
            if row["problem"]
        ]
        departing = bool(findings)
        if found["invalid"]:
            findings.append(f"ONNX's checker says: {found['invalid']}")
        if found["refused"]:
            self.state.context.note(
                f"{self.state.name}: onnxruntime cannot run the file as it was exported "
                f"({found['refused']}), so {found['evaluator']} did."
            )
        return _Finding(found["outputs"], found["evaluator"], tuple(findings), departing)

    def _run(
        self, inputs: Path, names: Mapping[str, str], expected: Path, layers: Mapping[str, str]
    ) -> dict[str, Any]:
        return run_task(
            _TASK,
            {
                "model": str(self.state.file_of(self.artifact)),
                "inputs": str(inputs),
                "names": dict(names),
                "reference": str(expected),
                "evaluator": self.options.evaluator,
                "tolerance": self.options.tolerance,
                "tensors": str(tensors_module.__file__),
                "layers": dict(layers),
            },
        )


def _plain(error: BuildError) -> str:
    """Leave out what ONNX Runtime says of its own source."""
    text = re.sub(r"^\w+: (\[ONNXRuntimeError\] : \d+ : \w+ : )?", "", error.message)
    return re.sub(r"Status Message: \S*/onnxruntime/\S+ .*?\) ", "", text)[:300]


def _is_random(live: LiveModel, expected: Path, again: Path) -> bool:
    """Tell whether the model's outputs depend on random numbers."""
    from turnkeyml_torch import EagerReference

    EagerReference(live).write(again, seed=1)
    first, second = tensors_module.read_tensors(expected), tensors_module.read_tensors(again)
    return any(first[name].data != second[name].data for name in first)


def _show(found: Sequence[_Finding]) -> None:
    """Print the comparison into the log of this step."""
    for one in found:
        print(f"evaluator: {one.evaluator}" if one.evaluator else one.unchecked)  # noqa: T201
        for row in one.rows:
            verdict = row["problem"] or "ok"
            print(  # noqa: T201
                f"  {row['output']:32} {row['dtype']:9} {row['shape']!s:20} "
                f"max_abs {row['max_abs']:.3e}  max_rel {row['max_rel']:.3e}  {verdict}"
            )
        for finding in one.findings:
            print(finding)  # noqa: T201


def _status(found: Sequence[_Finding]) -> str:
    if any(one.findings for one in found):
        return "mismatch"
    return "not checked" if found[0].unchecked else "ok"


def _confirm(state: State, found: Sequence[_Finding]) -> None:
    compared = [one for one in found if one.rows and not one.unchecked]
    if not compared:
        return
    largest = max(row["max_rel"] for one in compared for row in one.rows)
    sizes = " with the captured and with larger sizes" if len(compared) > 1 else ""
    state.context.note(
        f"{state.name}: the exported file computes what the model does{sizes} (largest relative "
        f"difference {largest:.1e}, {compared[0].evaluator})."
    )


def _complain(
    state: State, findings: Sequence[str], departs: str, options: VerifyExporterOptions
) -> None:
    where = f" The first layer that departs is {departs}." if departs else ""
    more = f" (and {len(findings) - 1} more findings in the log)" if len(findings) > 1 else ""
    message = f"{findings[0]}{where}{more}"
    if options.on_mismatch == WARN:
        state.context.note(f"{state.name}: {message}")
        return
    raise BuildError(
        f"The exported file does not compute what the model does: {message}",
        hint="Try another --exporter or --opset of export-pytorch.",
    )
