# labels: test_group::timm name::efficientformerv2_s1 author::timm task::image_classification family::efficientformer_v2 modality::image input_size::224
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/efficientformer_v2.py

efficientformerv2_s1: an image classifier of the family efficientformer_v2, for images of 224 x 224
pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model("efficientformerv2_s1", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 224, 224))
