# labels: test_group::transformers name::chmv2_for_depth_estimation author::huggingface_pytorch task::depth_estimation family::chmv2 modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/chmv2

CHMv2ForDepthEstimation with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

config = transformers.CHMv2Config()
model = transformers.CHMv2ForDepthEstimation(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
