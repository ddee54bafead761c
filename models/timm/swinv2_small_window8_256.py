# labels: test_group::timm name::swinv2_small_window8_256 author::timm task::image_classification family::swin_transformer_v2 modality::image input_size::256
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/swin_transformer_v2.py

swinv2_small_window8_256: an image classifier of the family swin_transformer_v2, for images of 256 x
256 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model("swinv2_small_window8_256", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 256, 256))
