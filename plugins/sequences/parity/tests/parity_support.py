"""A chain of fakes: a model, stages that may spoil it, a runtime that computes what they say."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from turnkeyml.artifacts import INPUTS, ONNX_MODEL, REFERENCE
from turnkeyml.cache import Cache
from turnkeyml.context import RunContext
from turnkeyml.device import DeviceInfo
from turnkeyml.errors import PlanError
from turnkeyml.inputs import Source
from turnkeyml.outcomes import Status, StepOutcome
from turnkeyml.plugins.mapping import read_mapping
from turnkeyml.plugins.records import Provider
from turnkeyml.plugins.registry import Registry
from turnkeyml.policy import RunPolicy
from turnkeyml.runtime import BaseRT
from turnkeyml.state import ModelInfo, State
from turnkeyml.worker.tensors import RawTensor, write_tensors
from turnkeyml_plugin_parity.listener import after_step

PROVIDER = Provider("numpy", "1.0", "fake", "fake")


def raw(array: Any, dtype: str | None = None) -> RawTensor:
    """Give an array's values as they are kept."""
    array = np.asarray(array)
    data = memoryview(np.ascontiguousarray(array).tobytes())
    return RawTensor(dtype or str(array.dtype), array.shape, data)


class FakeChip(DeviceInfo):
    is_host = True
    present = True

    @classmethod
    def is_present(cls):
        return cls.present

    @classmethod
    def full_name(cls):
        return "Fake Chip"


class FakeRT(BaseRT):
    """Gives the arrays that its model's file names."""

    runs: ClassVar[list[str]] = []
    models: ClassVar[dict[str, Any]] = {}

    def __init__(self, scale: float | None = None, provider: str = ""):
        if scale is not None and scale < 0:
            raise PlanError(f"The runtime argument scale is at least 0, not {scale}.")
        self.scale = scale
        self.provider = provider

    def infer(self):
        if self.provider:
            raise ValueError(f"there is no {self.provider}")
        name = Path(self.model).read_text()
        FakeRT.runs.append(f"{self.runtime} {name}")
        print(f"running {name}")
        given = self.models[name]
        if isinstance(given, Exception):
            raise given
        return given if self.scale is None else {k: v * self.scale for k, v in given.items()}

    def device_name(self):
        return "Fake Chip"

    def version(self):
        return "9.9"


class OnlyFast(FakeRT):
    """Measures, and says nothing else."""

    infer = BaseRT.infer

    def benchmark(self):
        raise AssertionError("nobody asked for it")


@dataclass(eq=False)
class FakeModel:
    """Calls a model that is a function of the seed, in the place of an eager reference."""

    compute: Callable[[int], dict[str, Any]]
    double: Callable[[], dict[str, Any]] | None = None
    calls: list[str] = field(default_factory=list)
    name: str = "eager"
    written_by: str = "torch 0.0"

    def version(self) -> str:
        return self.written_by

    def write(self, folder, *, double=False, seed=0):
        self.calls.append("double" if double else f"seed {seed}")
        print("calling the model")
        if double and self.double is None:
            raise ValueError("no float64 here")
        outputs = self.double() if double else self.compute(seed)
        tensors = {k: v if isinstance(v, RawTensor) else raw(v) for k, v in outputs.items()}
        write_tensors(Path(folder), tensors)
        return tuple(tensors)


class FakeChain:
    """One build, whose steps a test runs one after the other."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder = folder
        self.registry = registry
        self.settings: dict[str, Any] = {}
        self.plan: Any = None
        self.begin()

    def begin(self, model: FakeModel | None = None, *, code: str = "code") -> State:
        """Start the chain anew in the same build, as another process would."""
        context = RunContext(
            self.registry,
            Cache(self.folder / "cache"),
            first_step=("discover", "00000000"),
            policy=RunPolicy(settings=self.settings),
        )
        source = Source(self.folder / "net.py")
        state = context.new_state(source, ModelInfo("net", "ab" * 32, "Fake"))
        state.stats.begin_step("00000000", {"tool": "discover", "occurrence": 1})
        inputs = state.folder("inputs")
        files = write_tensors(inputs, {"x": raw(np.float32([1, 2]))})
        state.add(INPUTS, [inputs / name for name in files], info={"folder": "inputs"})
        if model is not None:
            live_key = {"code": code} if code else {}
            state.add(REFERENCE, live=model, live_key=live_key)
        self.state = state
        return state

    def step(
        self, tool: str, outputs: Any = None, *, kind: str = ONNX_MODEL, number: int = 1, **info
    ) -> dict[str, Any] | None:
        """Let a step make a file that computes these outputs; give what was found of it."""
        identity = f"{abs(hash((tool, number))) % 16**8:08x}"
        self.state.begin_step(tool, identity, ())
        self.state.stats.begin_step(identity, {"tool": tool, "occurrence": number})
        if outputs is not None:
            name = f"{tool}-{number}"
            FakeRT.models[name] = outputs
            path = self.state.folder("onnx") / f"{name}.onnx"
            path.write_text(name)
            names = list(outputs) if isinstance(outputs, dict) else []
            facts = {"inputs_folder": "inputs", "inputs": {"x": "x"}, "outputs": names}
            self.state.add(kind, [path], info={**facts, **info})
        step: Any = SimpleNamespace(
            name=tool,
            identity=identity,
            occurrence=number,
            contract=SimpleNamespace(produces=kind if outputs is not None else None),
        )
        after_step(self.state, step, StepOutcome(Status.SUCCESSFUL, 0.1), self.plan)
        return self.state.stats.steps[identity].get("parity")

    @property
    def summary(self) -> dict[str, Any]:
        return self.state.stats.model["parity"]

    @property
    def notes(self) -> list[str]:
        return self.state.context.notes


@pytest.fixture
def registry() -> Registry:
    FakeRT.runs = []
    FakeRT.models = {}
    FakeChip.present = True
    mapping = {
        "devices": {"chip": {"class": FakeChip, "default_runtimes": ["fast", "fake"]}},
        "runtimes": {
            "fast": {"RuntimeClass": OnlyFast, "supported_devices": ["chip"]},
            "fake": {"RuntimeClass": FakeRT, "supported_devices": ["chip"]},
            "other": {"RuntimeClass": FakeRT, "supported_devices": ["chip"]},
        },
    }
    found = read_mapping(PROVIDER, mapping)
    return Registry(
        runtimes={r.name: r for r in found.runtimes}, devices={d.family: d for d in found.devices}
    )


@pytest.fixture
def chain(tmp_path: Path, registry: Registry) -> FakeChain:
    return FakeChain(tmp_path, registry)


def damage(path: Path) -> None:
    """Change one byte of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def written(state: State) -> dict[str, Any]:
    """Read the record of the kept reference."""
    return json.loads((state.build.path / "reference/reference.json").read_text())
