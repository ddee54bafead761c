# labels: test_group::torchvision name::raft_large author::torchvision task::optical_flow family::raft modality::image
"""https://docs.pytorch.org/vision/stable/models/raft.html

raft_large: the movement of each pixel between two images, in 12 steps.
Written by models/generate.
"""

import torch
import torchvision
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, height, width, pretrained = parse(["batch_size", "height", "width", "pretrained"])

weights = "DEFAULT" if pretrained else None
model = torchvision.models.get_model("raft_large", weights=weights)
model.eval()

shape = (batch_size, 3, height, width)
model(torch.rand(shape), torch.rand(shape))
