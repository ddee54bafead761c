"""Build a model with a sequence of one's own, and look at what it made."""

from __future__ import annotations

import torch

from turnkeyml import build_model
from turnkeyml.sequence import Sequence, Step

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU()).eval()

small = Sequence(Step("export-pytorch", {"opset": 18}), "optimize-onnx", "convert-fp16")
state = build_model(model, {"input": torch.rand(1, 3, 16, 16)}, sequence=small, monitor=False)

for artifact in state.artifacts:
    print(artifact.kind, artifact.step)
print(state.file_of(state.results))
