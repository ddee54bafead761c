# labels: test_group::timm name::swinv2_cr_small_ns_256 author::timm task::image_classification family::swin_transformer_v2_cr modality::image input_size::256
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/swin_transformer_v2_cr.py

swinv2_cr_small_ns_256: an image classifier of the family swin_transformer_v2_cr, for images of 256
x 256 pixels. No weights were published for it.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels = parse(["batch_size", "num_channels"])

model = timm.create_model("swinv2_cr_small_ns_256", in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 256, 256))
