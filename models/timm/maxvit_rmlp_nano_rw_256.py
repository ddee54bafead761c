# labels: test_group::timm name::maxvit_rmlp_nano_rw_256 author::timm task::image_classification family::maxxvit modality::image input_size::256
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/maxxvit.py

maxvit_rmlp_nano_rw_256: an image classifier of the family maxxvit, for images of 256 x 256 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model("maxvit_rmlp_nano_rw_256", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 256, 256))
