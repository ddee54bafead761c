# labels: test_group::transformers name::sam_vision_model author::huggingface_pytorch task::feature_extraction family::sam modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/sam

SamVisionModel with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.SamVisionConfig()
model = transformers.SamVisionModel(config)
model.eval()

side = config.image_size

model(pixel_values=torch.rand(batch_size, config.num_channels, side, side))
