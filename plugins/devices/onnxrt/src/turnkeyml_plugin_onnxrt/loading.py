"""The script that `--output` puts beside an ONNX file."""

from __future__ import annotations

from string import Template

_SCRIPT = Template('''\
"""Run $model on the inputs beside it: pip install onnxruntime numpy, then python run.py."""

import pathlib

import numpy as np
import onnxruntime as ort

here = pathlib.Path(__file__).parent
session = ort.InferenceSession(here / "$model", providers=["CPUExecutionProvider"])
outputs = session.run(None, dict(np.load(here / "$inputs")))
for node, value in zip(session.get_outputs(), outputs):
    print(node.name, value.dtype, value.shape)
if (here / "$outputs").exists():
    for (name, known), value in zip(np.load(here / "$outputs").items(), outputs):
        difference = np.abs(value.astype(float) - known.astype(float)).max(initial=0)
        print(f"{name}: largest difference to the original model {difference:.3g}")
''')


def loading_script(model: str, inputs: str, outputs: str) -> str:
    """Give a script that loads an ONNX file, runs it, and compares its outputs.

    Args:
        model: The file's name.
        inputs: The name of the ``.npz`` file with its inputs.
        outputs: The name of the one with the outputs that are expected; it may be missing.
    """
    return _SCRIPT.substitute(model=model, inputs=inputs, outputs=outputs)
