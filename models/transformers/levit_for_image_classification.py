# labels: test_group::transformers name::levit_for_image_classification author::huggingface_pytorch task::image_classification family::levit modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/levit

LevitForImageClassification with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.LevitConfig()
model = transformers.LevitForImageClassification(config)
model.eval()

side = config.image_size

model(pixel_values=torch.rand(batch_size, config.num_channels, side, side))
