# labels: test_group::timm name::selecsls42b author::timm task::image_classification family::selecsls modality::image input_size::224
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/selecsls.py

selecsls42b: an image classifier of the family selecsls, for images of 224 x 224 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width, pretrained = parse(
    ["batch_size", "num_channels", "height", "width", "pretrained"]
)

model = timm.create_model("selecsls42b", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, height, width))
