# labels: test_group::transformers name::dinov3_vit author::huggingface_pytorch task::feature_extraction family::dinov3_vit modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/dinov3_vit

DINOv3ViTModel with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.DINOv3ViTConfig()
model = transformers.DINOv3ViTModel(config)
model.eval()

side = config.image_size

model(pixel_values=torch.rand(batch_size, config.num_channels, side, side))
