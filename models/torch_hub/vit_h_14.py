# labels: test_group::torch_hub name::vit_h_14 author::torchvision task::image_classification family::vit modality::image
"""https://github.com/pytorch/vision/blob/main/hubconf.py

vit_h_14: an image classifier, an entry point of the hub's pytorch/vision.
Written by models/generate.
"""

import torch
import torchvision
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

weights = "DEFAULT" if pretrained else None
model = torchvision.models.vit_h_14(weights=weights)
model.eval()

model(torch.rand(batch_size, 3, 224, 224))
