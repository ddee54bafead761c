# labels: test_group::timm name::mobilevitv2_100 author::timm task::image_classification family::mobilevit modality::image input_size::256
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/mobilevit.py

mobilevitv2_100: an image classifier of the family mobilevit, for images of 256 x 256 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model("mobilevitv2_100", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 256, 256))
