# labels: test_group::transformers name::dinov3_convnext author::huggingface_pytorch task::feature_extraction family::dinov3_convnext modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/dinov3_convnext

DINOv3ConvNextModel with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.DINOv3ConvNextConfig()
model = transformers.DINOv3ConvNextModel(config)
model.eval()

side = config.image_size

model(pixel_values=torch.rand(batch_size, config.num_channels, side, side))
