# labels: test_group::torchvision name::deeplabv3_resnet50 author::torchvision task::image_segmentation family::deeplabv3 modality::image
"""https://docs.pytorch.org/vision/stable/models/deeplabv3.html

deeplabv3_resnet50: gives each pixel of an image one of 21 classes.
Written by models/generate.
"""

import torch
import torchvision
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, height, width, pretrained = parse(["batch_size", "height", "width", "pretrained"])

weights = "DEFAULT" if pretrained else None
model = torchvision.models.get_model(
    "deeplabv3_resnet50", weights=weights, weights_backbone=None
)
model.eval()

model(torch.rand(batch_size, 3, height, width))
