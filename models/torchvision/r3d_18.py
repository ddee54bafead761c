# labels: test_group::torchvision name::r3d_18 author::torchvision task::video_classification family::resnet modality::video
"""https://docs.pytorch.org/vision/stable/models/video_resnet.html

r3d_18: classifies clips of 16 frames of 112 x 112.
Written by models/generate.
"""

import torch
import torchvision
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

weights = "DEFAULT" if pretrained else None
model = torchvision.models.get_model("r3d_18", weights=weights)
model.eval()

model(torch.rand(batch_size, 3, 16, 112, 112))
