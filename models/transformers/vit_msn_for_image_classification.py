# labels: test_group::transformers name::vit_msn_for_image_classification author::huggingface_pytorch task::image_classification family::vit_msn modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/vit_msn

ViTMSNForImageClassification with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.ViTMSNConfig()
model = transformers.ViTMSNForImageClassification(config)
model.eval()

side = config.image_size

model(pixel_values=torch.rand(batch_size, config.num_channels, side, side))
