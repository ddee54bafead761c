# labels: test_group::timm name::nest_small author::timm task::image_classification family::nest modality::image input_size::224
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/nest.py

nest_small: an image classifier of the family nest, for images of 224 x 224 pixels. No weights were
published for it.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels = parse(["batch_size", "num_channels"])

model = timm.create_model("nest_small", in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 224, 224))
