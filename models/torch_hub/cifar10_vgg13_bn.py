# labels: test_group::torch_hub name::cifar10_vgg13_bn author::chenyaofo task::image_classification family::cifar modality::image
"""https://github.com/chenyaofo/pytorch-cifar-models/blob/master/hubconf.py

vgg13_bn for the 10 classes of CIFAR: images of 32 x 32 pixels.
Written by models/generate.
"""

import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

class CifarVgg(torch.nn.Module):
    def __init__(self, convolutions, classes):
        super().__init__()
        layers = []
        channels_in = 3
        for count, channels in zip(convolutions, (64, 128, 256, 512, 512)):
            for _ in range(count):
                layers += [
                    torch.nn.Conv2d(channels_in, channels, 3, padding=1),
                    torch.nn.BatchNorm2d(channels),
                    torch.nn.ReLU(),
                ]
                channels_in = channels
            layers.append(torch.nn.MaxPool2d(2))
        self.features = torch.nn.Sequential(*layers)
        self.classifier = torch.nn.Sequential(
            torch.nn.Linear(512, 512),
            torch.nn.ReLU(),
            torch.nn.Dropout(),
            torch.nn.Linear(512, 512),
            torch.nn.ReLU(),
            torch.nn.Dropout(),
            torch.nn.Linear(512, classes),
        )

    def forward(self, image):
        return self.classifier(self.features(image).flatten(1))


model = CifarVgg(convolutions=(2, 2, 2, 2, 2), classes=10)
model.eval()

model(torch.rand(batch_size, 3, 32, 32))
