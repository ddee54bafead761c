# labels: test_group::timm name::dla60x_c author::timm task::image_classification family::dla modality::image input_size::224
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/dla.py

dla60x_c: an image classifier of the family dla, for images of 224 x 224 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width, pretrained = parse(
    ["batch_size", "num_channels", "height", "width", "pretrained"]
)

model = timm.create_model("dla60x_c", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, height, width))
