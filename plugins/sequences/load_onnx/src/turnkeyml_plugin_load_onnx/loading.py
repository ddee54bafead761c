"""Load an ONNX file: read it, check it, settle what its inputs are."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from turnkeyml_plugin_load_onnx.digest import digest_of
from turnkeyml_plugin_load_onnx.dimensions import GivenShape, Settled, Shape, settle_shapes
from turnkeyml_plugin_load_onnx.filling import check_size, make_inputs
from turnkeyml_plugin_load_onnx.given import read_inputs
from turnkeyml_plugin_load_onnx.model import make_model
from turnkeyml_plugin_load_onnx.reading import OnnxFile, read_onnx, shown
from turnkeyml_plugin_load_onnx.signature import InputSpec, required_inputs
from turnkeyml_plugin_load_onnx.weights import settle_weights

if TYPE_CHECKING:
    import onnx_ir as ir

    from turnkeyml.worker.tensors import RawTensor


@dataclass(frozen=True)
class LoadedModel:
    """A file that was read, and what its inputs will be.

    Args:
        file: What the file says.
        model: The same as onnx-ir has it; its weights are still in their files.
        inputs: The inputs that must be given.
        settled: The shapes that they have.
        given: Their values, if the user gave them.
        digest: 64 hexadecimal digits over the graph, the weights and the inputs' shapes and types.
    """

    file: OnnxFile
    model: ir.Model
    inputs: Mapping[str, InputSpec]
    settled: Settled
    given: Mapping[str, RawTensor] | None
    digest: str

    def values(self) -> Mapping[str, RawTensor]:
        """Give the values of the inputs, from the user's file or made."""
        if self.given is not None:
            return self.given
        return make_inputs(self.model, self.inputs, self.settled.shapes)

    def shape_option(self) -> str:
        """Give an example of an option that says what was chosen for the first open input."""
        name = next(name for name, spec in self.inputs.items() if _is_open(spec))
        shape = ",".join(map(str, self.settled.shapes[name]))
        return f"--shape {shlex.quote(shown(f'{name}={shape}'))}"

    @property
    def has_open_dimensions(self) -> bool:
        """Whether the file does not say all dimensions of the inputs."""
        return any(_is_open(spec) for spec in self.inputs.values())


def _is_open(spec: InputSpec) -> bool:
    return spec.dims is None or not all(isinstance(d, int) for d in spec.dims)


def load(path: Path, shapes: Mapping[str, Shape], arrays: Path | None) -> LoadedModel:
    """Load a file that nobody vouches for.

    Args:
        path: The ``.onnx`` file; its weights may lie in files beside it.
        shapes: Shapes of inputs that the user wants.
        arrays: An ``.npz`` file with values for the inputs.

    Raises:
        BuildError: It cannot be loaded, or what the user wants does not fit it.
    """
    file = read_onnx(path)
    places = settle_weights(file)
    inputs = required_inputs(file)
    wanted = [GivenShape(name, shape, "--shape") for name, shape in shapes.items()]
    given = None
    if arrays is not None:
        given = read_inputs(arrays, inputs)
        wanted += [GivenShape(name, raw.shape, arrays.name) for name, raw in given.items()]
    settled = settle_shapes(inputs, wanted)
    check_size(inputs, settled.shapes)
    model = make_model(file, places)
    digest = digest_of(file.proto, places, inputs, settled.shapes)
    return LoadedModel(file, model, inputs, settled, given, digest)
