# labels: test_group::timm name::mobilevit_s author::timm task::image_classification family::mobilevit modality::image input_size::256
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/mobilevit.py

mobilevit_s: an image classifier of the family mobilevit, for images of 256 x 256 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model("mobilevit_s", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 256, 256))
