"""Benchmark a model that this script makes, with ONNX Runtime and with PyTorch."""

from __future__ import annotations

import torch

from turnkeyml import benchmark_model

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(256, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))
model.eval()
inputs = {"input": torch.rand(1, 256)}

for runtime in ("ort", "torch-eager"):
    found = benchmark_model(model, inputs, runtime=runtime, iterations=50, monitor=False)
    print(f"{runtime:12} {found.mean_latency:8.4f} {found.latency_units}  {found.verdict}")
