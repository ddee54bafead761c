# labels: test_group::timm name::fastvit_ma36 author::timm task::image_classification family::fastvit modality::image input_size::256
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/fastvit.py

fastvit_ma36: an image classifier of the family fastvit, for images of 256 x 256 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model("fastvit_ma36", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 256, 256))
