# labels: test_group::timm name::sehalonet33ts author::timm task::image_classification family::byoanet modality::image input_size::256
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/byoanet.py

sehalonet33ts: an image classifier of the family byoanet, for images of 256 x 256 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model("sehalonet33ts", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 256, 256))
