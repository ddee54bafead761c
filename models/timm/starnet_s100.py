# labels: test_group::timm name::starnet_s100 author::timm task::image_classification family::starnet modality::image input_size::224
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/starnet.py

starnet_s100: an image classifier of the family starnet, for images of 224 x 224 pixels. No weights
were published for it.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

model = timm.create_model("starnet_s100", in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, height, width))
