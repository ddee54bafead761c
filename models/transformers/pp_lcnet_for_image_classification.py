# labels: test_group::transformers name::pp_lcnet_for_image_classification author::huggingface_pytorch task::image_classification family::pp_lcnet modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/pp_lcnet

PPLCNetForImageClassification with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

config = transformers.PPLCNetConfig()
model = transformers.PPLCNetForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
