# labels: test_group::transformers name::hiera_for_image_classification author::huggingface_pytorch task::image_classification family::hiera modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/hiera

HieraForImageClassification with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.HieraConfig()
model = transformers.HieraForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, *config.image_size))
