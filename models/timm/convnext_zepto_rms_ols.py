# labels: test_group::timm name::convnext_zepto_rms_ols author::timm task::image_classification family::convnext modality::image input_size::224
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/convnext.py

convnext_zepto_rms_ols: an image classifier of the family convnext, for images of 224 x 224 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width, pretrained = parse(
    ["batch_size", "num_channels", "height", "width", "pretrained"]
)

model = timm.create_model("convnext_zepto_rms_ols", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, height, width))
