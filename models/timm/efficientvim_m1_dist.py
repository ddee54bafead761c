# labels: test_group::timm name::efficientvim_m1_dist author::timm task::image_classification family::efficientvim modality::image input_size::224
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/efficientvim.py

efficientvim_m1_dist: an image classifier of the family efficientvim, for images of 224 x 224
pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width, pretrained = parse(
    ["batch_size", "num_channels", "height", "width", "pretrained"]
)

model = timm.create_model("efficientvim_m1_dist", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, height, width))
