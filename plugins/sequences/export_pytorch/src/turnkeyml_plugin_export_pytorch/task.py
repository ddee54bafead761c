"""What runs in the process of `verify-exporter`: run a file, compare it with what PyTorch gave.

It uses ONNX Runtime where that is installed and can run the file, else ONNX's own reference
implementation, without optimizations: what is looked at is the file as it was exported.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

# Only a worker process loads this file.
import numpy as np
import onnx

ONNXRUNTIME = "onnxruntime"

NAME_SCOPE = "name_scope"

_TOLERANCES = {
    "float64": (1e-7, 1e-8), "float32": (1e-4, 1e-3), "float16": (5e-2, 2e-5),
    "bfloat16": (2e-1, 1e-5),
}  # fmt: skip
"""Largest relative difference that is still rounding, and the size below which values count as
this size. They are those of the parity checks, where they were measured."""
_COARSEST = (5e-1, 1e-5)

# The order in which to take the coarser of two.
_FINEST_FIRST = [*_TOLERANCES]


def run(arguments: dict[str, Any]) -> dict[str, Any]:
    """Serve `turnkeyml.worker.process.run_task`.

    Args:
        arguments: ``model`` (path), ``inputs`` (a folder of tensors), ``names`` (names of the
            file's inputs to those of tensors there), ``reference`` (a folder of tensors: what is
            to come out, in order), ``evaluator``, ``tolerance`` (or None), ``tensors`` (path of the
            module that reads such folders), ``layers`` (paths of modules to names in the reference,
            in the order in which they ended; empty to compare the outputs).

    Returns:
        ``evaluator`` (name and version), ``refused`` (why another one could not run the file),
        ``invalid`` (what ONNX's checker says against it), ``outputs`` (a row for each) or
        ``layers`` (path to ``ok``, ``departs`` or ``unknown``).
    """
    reading = _load_module("turnkey_tensors", Path(arguments["tensors"]))
    path = Path(arguments["model"])
    raw = reading.read_tensors(Path(arguments["inputs"]))
    feeds = {name: _array(raw[captured]) for name, captured in arguments["names"].items()}
    expected = {
        name: _array(tensor)
        for name, tensor in reading.read_tensors(Path(arguments["reference"])).items()
    }
    layers: dict[str, str] = arguments["layers"]
    model = onnx.load(str(path), load_external_data=False)
    borders = _borders(model, layers)
    extra = sorted({name for names in borders.values() for name in names})
    evaluator = Evaluator(path, model, extra, arguments["evaluator"])
    found = evaluator.run(feeds)
    result: dict[str, Any] = {"evaluator": evaluator.name, "refused": evaluator.refused}
    tolerance = arguments["tolerance"]
    if layers:
        states = {
            layer: _state_of(expected[key], [found[name] for name in borders[layer]], tolerance)
            for layer, key in layers.items()
            if key in expected
        }
        return {**result, "layers": states}
    names = [output.name for output in model.graph.output]
    if len(names) != len(expected):
        return {"error": f"The file has {len(names)} outputs, and the model {len(expected)}."}
    rows = [
        compare(name, found[name], wanted, tolerance)
        for name, wanted in zip(names, expected.values(), strict=True)
    ]
    return {**result, "invalid": _check(path), "outputs": rows}


class Evaluator:
    """Runs a file, or the file with values inside it as further outputs.

    Args:
        path: The file.
        model: What is in it, without weights.
        extra: Names of values inside to give as well.
        wanted: Which implementation to take if it can run the file.
    """

    def __init__(
        self, path: Path, model: onnx.ModelProto, extra: Sequence[str], wanted: str
    ) -> None:
        self._path, self._extra = path, list(extra)
        self._outputs = [output.name for output in model.graph.output]
        proto = onnx.ModelProto()
        proto.CopyFrom(model)
        proto.graph.output.extend(
            onnx.ValueInfoProto(name=name) for name in extra if name not in self._outputs
        )
        self._session: Any = None
        self.refused = ""
        if wanted == ONNXRUNTIME:
            try:
                self._session, self.name = _open_onnxruntime(path, proto)
            # Whatever a runtime has against a file, the other one may not have.
            except Exception as error:  # noqa: BLE001
                self.refused = " ".join(str(error).split())[:300]
        if self._session is None:
            self.name = f"onnx {onnx.__version__} (reference)"

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        """Compute all outputs, by name."""
        names = [*self._outputs, *(n for n in self._extra if n not in self._outputs)]
        if self._session is not None:
            return dict(zip(names, self._session.run(names, feeds), strict=True))
        from onnx.reference import ReferenceEvaluator

        model = onnx.load(str(self._path))
        known = set(self._outputs)
        model.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in known)
        return dict(zip(names, ReferenceEvaluator(model).run(names, dict(feeds)), strict=True))


def _open_onnxruntime(path: Path, proto: onnx.ModelProto) -> tuple[Any, str]:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(path.parent)
    )
    session = ort.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    bits = [v.type for v in session.get_inputs() + session.get_outputs() if "float8" in v.type]
    if bits or any("bfloat16" in v.type for v in session.get_inputs() + session.get_outputs()):
        raise TypeError("its types have no counterpart in NumPy")
    return session, f"{ONNXRUNTIME} {ort.__version__}"


def compare(name: str, given: Any, wanted: Any, tolerance: float | None) -> dict[str, Any]:
    """Compare an output with what it should be.

    Returns:
        ``output``, ``dtype``, ``shape``, ``max_abs``, ``max_rel`` (in relation to the value there,
        or to the typical size of the output where that is larger), ``tolerance``, and ``problem``:
        what is wrong, as the end of a sentence, or nothing.
    """
    given = np.asarray(given)
    limit, floor = _tolerance_for(given.dtype, wanted.dtype)
    limit = limit if tolerance is None else tolerance
    row: dict[str, Any] = {
        "output": name, "dtype": str(given.dtype), "shape": list(given.shape), "max_abs": 0.0,
        "max_rel": 0.0, "tolerance": limit, "problem": "",
    }  # fmt: skip
    if np.iscomplexobj(wanted):
        wanted = np.stack([wanted.real, wanted.imag], axis=-1)
    if given.shape != wanted.shape:
        row["problem"] = f"has the shape {given.shape}, and PyTorch gives {wanted.shape}"
        return row
    if given.dtype.kind in "biu":
        row["tolerance"] = limit = floor = 0.0
    ours, theirs = given.astype(np.float64), wanted.astype(np.float64)
    finite = np.isfinite(theirs)
    if not np.array_equal(np.isfinite(ours), finite) or not np.array_equal(
        ours[~finite], theirs[~finite], equal_nan=True
    ):
        row["problem"] = "has NaN or infinite values in other places than PyTorch's"
        return row
    if not finite.any():
        return row
    difference = np.abs(ours[finite] - theirs[finite])
    sizes = np.abs(theirs[finite])
    typical = math.sqrt(float(np.mean(sizes**2)))
    relative = difference / np.maximum(sizes, max(typical, floor, np.finfo(np.float64).tiny))
    row["max_abs"], row["max_rel"] = float(difference.max()), float(relative.max())
    if row["max_rel"] > limit:
        row["problem"] = f"is off by {row['max_rel']:.3g} of its size (up to {limit:g} is rounding)"
    return row


def _tolerance_for(*dtypes: Any) -> tuple[float, float]:
    """Give the tolerance of the coarsest dtype."""
    names = [str(dtype).replace("complex128", "float64").replace("complex64", "float32")
             for dtype in dtypes]  # fmt: skip
    floats = [name for name in names if "float" in name]
    if any(name not in _TOLERANCES for name in floats):
        return _COARSEST
    return _TOLERANCES[max(floats, key=_FINEST_FIRST.index)] if floats else (0.0, 0.0)


def _borders(model: onnx.ModelProto, layers: Mapping[str, str]) -> dict[str, list[str]]:
    """Give the values that leave each layer, as nodes say which layer they belong to."""
    if not layers:
        return {}
    scopes: dict[str, str] = {}
    for node in model.graph.node:
        scope = next((p.value for p in node.metadata_props if p.key == NAME_SCOPE), "")
        scopes.update(dict.fromkeys(filter(None, node.output), scope))
    users: dict[str, set[str]] = {output.name: {""} for output in model.graph.output}
    for node in model.graph.node:
        scope = scopes.get(next(filter(None, node.output), ""), "")
        for name in node.input:
            users.setdefault(name, set()).add(scope)
    return {
        layer: [
            name
            for name, scope in scopes.items()
            if _inside(scope, layer)
            and not all(_inside(user, layer) for user in users.get(name, {""}))
        ]
        for layer in layers
    }


def _inside(scope: str, layer: str) -> bool:
    return scope == layer or scope.startswith(f"{layer}.")


def _state_of(wanted: Any, candidates: Sequence[Any], tolerance: float | None) -> str:
    rows = [
        compare("", value, wanted, tolerance)
        for value in candidates
        if np.shape(value) == wanted.shape and np.asarray(value).dtype == wanted.dtype
    ]
    if not rows:
        return "unknown"
    return "departs" if all(row["problem"] for row in rows) else "ok"


def _check(path: Path) -> str:
    try:
        # By path, so that weights beside the file are found, whatever its size.
        onnx.checker.check_model(str(path))
    except (onnx.checker.ValidationError, RuntimeError) as error:
        return next(iter(_lines(str(error))), "it is not valid")
    return ""


def _lines(text: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines() if line.strip())


def _array(raw: Any) -> Any:
    return np.frombuffer(raw.data, _dtype(raw.dtype)).reshape(raw.shape)


def _dtype(name: str) -> Any:
    try:
        return np.dtype(name)
    except TypeError:
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, name))


def _load_module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
