# labels: test_group::timm name::coat_lite_mini author::timm task::image_classification family::coat modality::image input_size::224
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/coat.py

coat_lite_mini: an image classifier of the family coat, for images of 224 x 224 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model("coat_lite_mini", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 224, 224))
