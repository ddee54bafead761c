# labels: test_group::torch_hub name::cifar100_resnet56 author::chenyaofo task::image_classification family::cifar modality::image
"""https://github.com/chenyaofo/pytorch-cifar-models/blob/master/hubconf.py

resnet56 for the 100 classes of CIFAR: images of 32 x 32 pixels.
Written by models/generate.
"""

import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

class BasicBlock(torch.nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(channels)
        self.conv2 = torch.nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(channels)
        self.shortcut = torch.nn.Identity()
        if stride != 1 or channels_in != channels:
            self.shortcut = torch.nn.Sequential(
                torch.nn.Conv2d(channels_in, channels, 1, stride, bias=False),
                torch.nn.BatchNorm2d(channels),
            )

    def forward(self, x):
        y = self.bn1(self.conv1(x)).relu()
        return (self.bn2(self.conv2(y)) + self.shortcut(x)).relu()


class CifarResNet(torch.nn.Module):
    def __init__(self, blocks, classes):
        super().__init__()
        layers = [
            torch.nn.Conv2d(3, 16, 3, padding=1, bias=False),
            torch.nn.BatchNorm2d(16),
            torch.nn.ReLU(),
        ]
        channels_in = 16
        for channels in (16, 32, 64):
            for block in range(blocks):
                stride = 2 if block == 0 and channels != 16 else 1
                layers.append(BasicBlock(channels_in, channels, stride))
                channels_in = channels
        self.features = torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1))
        self.classifier = torch.nn.Linear(channels_in, classes)

    def forward(self, image):
        return self.classifier(self.features(image).flatten(1))


model = CifarResNet(blocks=9, classes=100)
model.eval()

model(torch.rand(batch_size, 3, 32, 32))
