# labels: test_group::torch_hub name::densenet121 author::torchvision task::image_classification family::densenet121 modality::image
"""https://github.com/pytorch/vision/blob/main/hubconf.py

densenet121: an image classifier, an entry point of the hub's pytorch/vision.
Written by models/generate.
"""

import torch
import torchvision
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, height, width, pretrained = parse(["batch_size", "height", "width", "pretrained"])

weights = "DEFAULT" if pretrained else None
model = torchvision.models.densenet121(weights=weights)
model.eval()

model(torch.rand(batch_size, 3, height, width))
