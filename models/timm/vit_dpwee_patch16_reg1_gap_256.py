# labels: test_group::timm name::vit_dpwee_patch16_reg1_gap_256 author::timm task::image_classification family::vision_transformer modality::image input_size::256
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/vision_transformer.py

vit_dpwee_patch16_reg1_gap_256: an image classifier of the family vision_transformer, for images of
256 x 256 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model(
    "vit_dpwee_patch16_reg1_gap_256", pretrained=pretrained, in_chans=num_channels
)
model.eval()

model(torch.rand(batch_size, num_channels, 256, 256))
