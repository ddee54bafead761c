# labels: test_group::timm name::vit_small_patch16_dinov3_qkvb author::timm task::image_classification family::eva modality::image input_size::256
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/eva.py

vit_small_patch16_dinov3_qkvb: an image classifier of the family eva, for images of 256 x 256
pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model(
    "vit_small_patch16_dinov3_qkvb", pretrained=pretrained, in_chans=num_channels
)
model.eval()

model(torch.rand(batch_size, num_channels, 256, 256))
