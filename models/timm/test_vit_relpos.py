# labels: test_group::timm name::test_vit_relpos author::timm task::image_classification family::vision_transformer_relpos modality::image input_size::160
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/vision_transformer_relpos.py

test_vit_relpos: an image classifier of the family vision_transformer_relpos, for images of 160 x
160 pixels. No weights were published for it.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels = parse(["batch_size", "num_channels"])

model = timm.create_model("test_vit_relpos", in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 160, 160))
