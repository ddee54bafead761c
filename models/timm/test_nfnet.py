# labels: test_group::timm name::test_nfnet author::timm task::image_classification family::nfnet modality::image input_size::160
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/nfnet.py

test_nfnet: an image classifier of the family nfnet, for images of 160 x 160 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model("test_nfnet", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 160, 160))
