"""What the tests of this package share: states with a model in them, and runs of the tools."""

from __future__ import annotations

import contextlib
import functools
import io

import pytest

from turnkeyml.artifacts import ONNX_MODEL, PYTORCH_MODEL
from turnkeyml.cache import Cache
from turnkeyml.context import RunContext
from turnkeyml.inputs import Source
from turnkeyml.plugins.registry import Registry
from turnkeyml.state import ModelInfo
from turnkeyml_plugin_export_pytorch.tool import ExportPytorch, ExportPytorchOptions
from turnkeyml_plugin_export_pytorch.verify import VerifyExporter, VerifyExporterOptions
from turnkeyml_torch import LiveModel, make_signature
from turnkeyml_torch.given import hand_over


def live_model(module, *args, **kwargs):
    return LiveModel(module, args, kwargs, make_signature(module, args, kwargs))


@pytest.fixture
def live():
    """Make a model with the inputs of one call."""
    return live_model


@pytest.fixture(scope="session", autouse=True)
def one_registry():
    """Let the dynamo exporter read its tables once, not for each of a hundred exports (0.6 s)."""
    from torch.onnx._internal.exporter import _registration

    registry = _registration.ONNXRegistry
    original = registry.from_torchlib
    registry.from_torchlib = staticmethod(functools.cache(original))
    yield
    registry.from_torchlib = original


class Bench:
    """Runs the tools on models, as a chain would."""

    def __init__(self, folder):
        self.folder = folder
        self.context = RunContext(Registry(), Cache(folder), first_step=("discover", "00000000"))
        self.printed = ""

    @property
    def notes(self):
        return [note.partition(": ")[2] for note in self.context.notes]

    def state(self, module, *args, training=False, **kwargs):
        info = ModelInfo("m", "cd" * 32, "Pytorch")
        state = self.context.new_state(Source(self.folder / "s.py"), info)
        hand_over(state, live_model(module, *args, **kwargs), training=training)
        return state

    def export(self, module, *args, options=None, **kwargs):
        """Export a model; `options` are those of the tool, by name."""
        state = self.state(module, *args, **kwargs)
        state.begin_step("export-pytorch", "12345678", (PYTORCH_MODEL,))
        given = ExportPytorchOptions(**{"opset": 20, **(options or {})})
        return self._run(ExportPytorch, state, given)

    def verify(self, state, **options):
        state.begin_step("verify-exporter", "abcdabcd", (ONNX_MODEL,))
        return self._run(VerifyExporter, state, VerifyExporterOptions(**options))

    def _run(self, tool, state, options):
        options = tool.resolve(options, Registry())
        self.context.notes.clear()
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                return tool().run(state, options)
        finally:
            self.printed = printed.getvalue()


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture
def computed():
    """Run an exported file on its captured inputs with ONNX's reference implementation."""
    import numpy as np
    from onnx.reference import ReferenceEvaluator

    from turnkeyml.worker.tensors import read_tensors

    def compute(state):
        artifact = state.newest(ONNX_MODEL)
        raw = read_tensors(state.build.path / artifact.info["inputs_folder"])
        feeds = {
            name: np.frombuffer(raw[leaf].data, raw[leaf].dtype).reshape(raw[leaf].shape)
            for name, leaf in artifact.info["inputs"].items()
        }
        outputs = ReferenceEvaluator(str(state.file_of(artifact))).run(None, feeds)
        return dict(zip(artifact.info["outputs"], outputs, strict=True))

    return compute
