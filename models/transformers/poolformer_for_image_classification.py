# labels: test_group::transformers name::poolformer_for_image_classification author::huggingface_pytorch task::image_classification family::poolformer modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/poolformer

PoolFormerForImageClassification with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

config = transformers.PoolFormerConfig()
model = transformers.PoolFormerForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
