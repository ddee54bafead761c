# labels: test_group::transformers name::swin2sr author::huggingface_pytorch task::feature_extraction family::swin2sr modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/swin2sr

Swin2SRModel with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.Swin2SRConfig()
model = transformers.Swin2SRModel(config)
model.eval()

side = config.image_size

model(pixel_values=torch.rand(batch_size, config.num_channels, side, side))
