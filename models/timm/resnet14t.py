# labels: test_group::timm name::resnet14t author::timm task::image_classification family::resnet modality::image input_size::176
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/resnet.py

resnet14t: an image classifier of the family resnet, for images of 176 x 176 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model("resnet14t", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 176, 176))
