# labels: test_group::selftest name::autoencoder author::turnkey task::test
"""An image is made smaller by strides and larger again by transposed ones. Made for testing."""

import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

model = torch.nn.Sequential(
    torch.nn.Conv2d(num_channels, 8, 4, stride=2, padding=1),
    torch.nn.ReLU(),
    torch.nn.Conv2d(8, 16, 4, stride=2, padding=1),
    torch.nn.ReLU(),
    torch.nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1),
    torch.nn.ReLU(),
    torch.nn.ConvTranspose2d(8, num_channels, 4, stride=2, padding=1),
    torch.nn.Sigmoid(),
)
model.eval()

model(torch.rand(batch_size, num_channels, height, width))
