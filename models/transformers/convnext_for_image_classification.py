# labels: test_group::transformers name::convnext_for_image_classification author::huggingface_pytorch task::image_classification family::convnext modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/convnext

ConvNextForImageClassification with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.ConvNextConfig()
model = transformers.ConvNextForImageClassification(config)
model.eval()

side = config.image_size

model(pixel_values=torch.rand(batch_size, config.num_channels, side, side))
