# labels: test_group::torch_hub name::resnext50_32x4d author::torchvision task::image_classification family::resnext50 modality::image
"""https://github.com/pytorch/vision/blob/main/hubconf.py

resnext50_32x4d: an image classifier, an entry point of the hub's pytorch/vision.
Written by models/generate.
"""

import torch
import torchvision
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, height, width, pretrained = parse(["batch_size", "height", "width", "pretrained"])

weights = "DEFAULT" if pretrained else None
model = torchvision.models.resnext50_32x4d(weights=weights)
model.eval()

model(torch.rand(batch_size, 3, height, width))
