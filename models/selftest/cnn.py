# labels: test_group::selftest name::cnn author::turnkey task::test
"""Convolutions with batch normalization, then a classifier. Made for testing."""

import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])


class CnnTestModel(torch.nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.features = torch.nn.Sequential(
            torch.nn.Conv2d(channels, 16, 3, stride=2, padding=1),
            torch.nn.BatchNorm2d(16),
            torch.nn.ReLU(),
            torch.nn.Conv2d(16, 32, 3, stride=2, padding=1),
            torch.nn.BatchNorm2d(32),
            torch.nn.ReLU(),
            torch.nn.AdaptiveAvgPool2d(1),
        )
        self.classifier = torch.nn.Linear(32, classes)

    def forward(self, image):
        return self.classifier(self.features(image).flatten(1))


model = CnnTestModel(num_channels, classes=10)
model.eval()

model(torch.rand(batch_size, num_channels, height, width))
