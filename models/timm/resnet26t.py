# labels: test_group::timm name::resnet26t author::timm task::image_classification family::resnet modality::image input_size::256
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/resnet.py

resnet26t: an image classifier of the family resnet, for images of 256 x 256 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model("resnet26t", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 256, 256))
