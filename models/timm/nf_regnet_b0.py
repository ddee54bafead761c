# labels: test_group::timm name::nf_regnet_b0 author::timm task::image_classification family::nfnet modality::image input_size::192
"""https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/nfnet.py

nf_regnet_b0: an image classifier of the family nfnet, for images of 192 x 192 pixels. No weights
were published for it.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels = parse(["batch_size", "num_channels"])

model = timm.create_model("nf_regnet_b0", in_chans=num_channels)
model.eval()

model(torch.rand(batch_size, num_channels, 192, 192))
