# labels: test_group::torch_hub name::resnext101_32x32d_wsl author::facebookresearch task::image_classification family::resnext modality::image
"""https://github.com/facebookresearch/WSL-Images/blob/main/hubconf.py

resnext101_32x32d_wsl: a ResNeXt of 101 layers in 32 groups, each 32 channels wide.
Written by models/generate.
"""

import torch
import torchvision
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, height, width = parse(["batch_size", "height", "width"])

model = torchvision.models.ResNet(
    torchvision.models.resnet.Bottleneck,
    [3, 4, 23, 3],
    groups=32,
    width_per_group=32,
)
model.eval()

model(torch.rand(batch_size, 3, height, width))
