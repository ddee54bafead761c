# labels: test_group::torchvision name::retinanet_resnet50_fpn author::torchvision task::object_detection family::retinanet modality::image
"""https://docs.pytorch.org/vision/stable/models/retinanet.html

retinanet_resnet50_fpn: what gives scores and offsets of all boxes in a detector.
Written by models/generate.
"""

import torch
import torchvision
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, height, width, pretrained = parse(["batch_size", "height", "width", "pretrained"])

weights = "DEFAULT" if pretrained else None
name = "retinanet_resnet50_fpn"
detector = torchvision.models.get_model(name, weights=weights, weights_backbone=None)


class DetectorNetwork(torch.nn.Module):
    """Computes scores and offsets of all boxes, and leaves it to others to choose."""

    def __init__(self, backbone, head):
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, image):
        features = self.backbone(image)
        return self.head(list(features.values()))


model = DetectorNetwork(detector.backbone, detector.head)
model.eval()

model(torch.rand(batch_size, 3, height, width))
