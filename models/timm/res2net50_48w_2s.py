# labels: test_group::timm name::res2net50_48w_2s author::timm task::image_classification family::res2net modality::image input_size::224
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/res2net.py

res2net50_48w_2s: an image classifier of the family res2net, for images of 224 x 224 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width, pretrained = parse(
    ["batch_size", "num_channels", "height", "width", "pretrained"]
)

model = timm.create_model("res2net50_48w_2s", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, height, width))
