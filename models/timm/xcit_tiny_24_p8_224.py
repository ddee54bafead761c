# labels: test_group::timm name::xcit_tiny_24_p8_224 author::timm task::image_classification family::xcit modality::image input_size::224
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/xcit.py

xcit_tiny_24_p8_224: an image classifier of the family xcit, for images of 224 x 224 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model("xcit_tiny_24_p8_224", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 224, 224))
