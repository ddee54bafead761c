# labels: test_group::selftest name::two_shapes author::turnkey task::test
"""One model that is called with images of two sizes, so twice invoked. Made for testing."""

import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

model = torch.nn.Sequential(
    torch.nn.Conv2d(num_channels, 8, 3, stride=2),
    torch.nn.ReLU(),
    torch.nn.AdaptiveAvgPool2d(1),
    torch.nn.Flatten(),
    torch.nn.Linear(8, 10),
)
model.eval()

model(torch.rand(batch_size, num_channels, height, width))
model(torch.rand(batch_size, num_channels, height // 2, width // 2))
