# labels: test_group::timm name::crossvit_18_dagger_240 author::timm task::image_classification family::crossvit modality::image input_size::240
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/crossvit.py

crossvit_18_dagger_240: an image classifier of the family crossvit, for images of 240 x 240 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model("crossvit_18_dagger_240", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 240, 240))
