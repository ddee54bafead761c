# labels: test_group::timm name::test_vit4 author::timm task::image_classification family::vision_transformer modality::image input_size::160
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/vision_transformer.py

test_vit4: an image classifier of the family vision_transformer, for images of 160 x 160 pixels. No
weights were published for it.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels = parse(["batch_size", "num_channels"])

model = timm.create_model("test_vit4", in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 160, 160))
