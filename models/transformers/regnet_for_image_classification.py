# labels: test_group::transformers name::regnet_for_image_classification author::huggingface_pytorch task::image_classification family::regnet modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/regnet

RegNetForImageClassification with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

config = transformers.RegNetConfig()
model = transformers.RegNetForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
