"""Captured inputs for a model whose inputs are float16 now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from turnkeyml.errors import BuildError
from turnkeyml.worker.tensors import RawTensor, read_tensors, write_tensors
from turnkeyml_plugin_convert_fp16.half import Losses, halve


def convert_inputs(
    folder: Path, target: Path, names: Mapping[str, str], halved: Collection[str]
) -> tuple[list[Path], dict[str, Losses]]:
    """Write the captured inputs of a model again, with float16 where the model takes it now.

    Args:
        folder: Of the captured inputs.
        target: The folder to write.
        names: The model's input names to the names of captured tensors.
        halved: Those of the model's inputs that became float16.

    Returns:
        The files, and what was lost, by the name of the model's input.

    Raises:
        BuildError: The captured inputs are not what they should be, or cannot be written.
    """
    import numpy as np

    try:
        captured = read_tensors(folder)
    except (OSError, ValueError) as error:
        raise BuildError(f"The captured inputs in {folder} cannot be read: {error}.") from error
    missing = sorted(set(names.values()) - set(captured))
    if missing:
        raise BuildError(f"The captured inputs in {folder} have no tensor {', '.join(missing)}.")
    tensors, losses = dict(captured), {}
    for name in halved:
        leaf = names[name]
        raw = captured[leaf]
        if raw.dtype == "float16":
            continue
        if raw.dtype != "float32":
            raise BuildError(f"The captured input {leaf} is {raw.dtype}, where float32 is needed.")
        values, lost = halve(np.frombuffer(raw.data, "<f4"))
        data = values.astype("<f2", copy=False).tobytes()
        tensors[leaf] = RawTensor("float16", raw.shape, memoryview(data))
        losses[name] = lost
    try:
        written = write_tensors(target, tensors)
    except OSError as error:
        raise BuildError(
            f"The inputs of the converted model cannot be written to {target}: {error.strerror}.",
            hint="Make room, or give another cache directory with -d.",
        ) from error
    return [target / name for name in written], losses
