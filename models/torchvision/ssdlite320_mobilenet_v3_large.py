# labels: test_group::torchvision name::ssdlite320_mobilenet_v3_large author::torchvision task::object_detection family::ssdlite modality::image
"""https://docs.pytorch.org/vision/stable/models/ssdlite.html

ssdlite320_mobilenet_v3_large: what gives scores and offsets of all boxes in a detector. Making it
calls its backbone, which is found as a model too.
Written by models/generate.
"""

import torch
import torchvision
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

weights = "DEFAULT" if pretrained else None
name = "ssdlite320_mobilenet_v3_large"
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

model(torch.rand(batch_size, 3, 320, 320))
