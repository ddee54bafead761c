# labels: test_group::torchvision name::fasterrcnn_resnet50_fpn_proposals author::torchvision task::object_detection family::faster_rcnn modality::image
"""https://docs.pytorch.org/vision/stable/models/faster_rcnn.html

fasterrcnn_resnet50_fpn: what gives scores and offsets of all proposals of boxes in a detector.
Written by models/generate.
"""

import torch
import torchvision
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, height, width, pretrained = parse(["batch_size", "height", "width", "pretrained"])

weights = "DEFAULT" if pretrained else None
name = "fasterrcnn_resnet50_fpn"
detector = torchvision.models.get_model(name, weights=weights, weights_backbone=None)


class DetectorNetwork(torch.nn.Module):
    """Computes scores and offsets of all proposals of boxes, and leaves it to others to choose."""

    def __init__(self, backbone, head):
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, image):
        features = self.backbone(image)
        return self.head(list(features.values()))


model = DetectorNetwork(detector.backbone, detector.rpn.head)
model.eval()

model(torch.rand(batch_size, 3, height, width))
