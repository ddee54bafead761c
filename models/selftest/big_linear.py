# labels: test_group::selftest_big name::big_linear author::turnkey task::test
"""One fully connected layer of 2.3 GB: more than a single ONNX file can hold. Made for testing."""

import torch

torch.manual_seed(0)

FEATURES = 24000

model = torch.nn.Linear(FEATURES, FEATURES)
model.eval()

model(torch.rand(1, FEATURES))
