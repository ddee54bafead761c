# labels: test_group::timm name::repghostnet_150 author::timm task::image_classification family::repghost modality::image input_size::224
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/repghost.py

repghostnet_150: an image classifier of the family repghost, for images of 224 x 224 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width, pretrained = parse(
    ["batch_size", "num_channels", "height", "width", "pretrained"]
)

model = timm.create_model("repghostnet_150", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, height, width))
