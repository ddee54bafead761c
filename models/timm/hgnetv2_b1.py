# labels: test_group::timm name::hgnetv2_b1 author::timm task::image_classification family::hgnet modality::image input_size::224
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/hgnet.py

hgnetv2_b1: an image classifier of the family hgnet, for images of 224 x 224 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width, pretrained = parse(
    ["batch_size", "num_channels", "height", "width", "pretrained"]
)

model = timm.create_model("hgnetv2_b1", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, height, width))
