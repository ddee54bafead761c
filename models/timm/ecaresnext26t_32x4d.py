# labels: test_group::timm name::ecaresnext26t_32x4d author::timm task::image_classification family::resnet modality::image input_size::224
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/resnet.py

ecaresnext26t_32x4d: an image classifier of the family resnet, for images of 224 x 224 pixels. No
weights were published for it.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

model = timm.create_model("ecaresnext26t_32x4d", in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, height, width))
