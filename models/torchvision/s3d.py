# labels: test_group::torchvision name::s3d author::torchvision task::video_classification family::s3d modality::video
"""https://docs.pytorch.org/vision/stable/models/video_s3d.html

s3d: classifies clips of 16 frames of 224 x 224.
Written by models/generate.
"""

import torch
import torchvision
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

weights = "DEFAULT" if pretrained else None
model = torchvision.models.get_model("s3d", weights=weights)
model.eval()

model(torch.rand(batch_size, 3, 16, 224, 224))
