# labels: test_group::timm name::test_vit3 author::timm task::image_classification family::vision_transformer modality::image input_size::160
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/vision_transformer.py

test_vit3: an image classifier of the family vision_transformer, for images of 160 x 160 pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model("test_vit3", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 160, 160))
