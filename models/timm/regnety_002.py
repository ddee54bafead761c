# labels: test_group::timm name::regnety_002 author::timm task::image_classification family::regnet modality::image input_size::224
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/regnet.py

regnety_002: an image classifier of the family regnet, for images of 224 x 224 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width, pretrained = parse(
    ["batch_size", "num_channels", "height", "width", "pretrained"]
)

model = timm.create_model("regnety_002", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, height, width))
