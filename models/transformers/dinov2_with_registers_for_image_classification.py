# labels: test_group::transformers name::dinov2_with_registers_for_image_classification author::huggingface_pytorch task::image_classification family::dinov2_with_registers modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/dinov2_with_registers

Dinov2WithRegistersForImageClassification with the default configuration of its library and random
weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.Dinov2WithRegistersConfig()
model = transformers.Dinov2WithRegistersForImageClassification(config)
model.eval()

side = config.image_size

model(pixel_values=torch.rand(batch_size, config.num_channels, side, side))
