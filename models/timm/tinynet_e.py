# labels: test_group::timm name::tinynet_e author::timm task::image_classification family::efficientnet modality::image input_size::106
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/efficientnet.py

tinynet_e: an image classifier of the family efficientnet, for images of 106 x 106 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model("tinynet_e", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 106, 106))
