# labels: test_group::timm name::efficientformer_l3 author::timm task::image_classification family::efficientformer modality::image input_size::224
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/efficientformer.py

efficientformer_l3: an image classifier of the family efficientformer, for images of 224 x 224
pixels.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, pretrained = parse(["batch_size", "num_channels", "pretrained"])

model = timm.create_model("efficientformer_l3", pretrained=pretrained, in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 224, 224))
