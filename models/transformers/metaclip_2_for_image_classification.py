# labels: test_group::transformers name::metaclip_2_for_image_classification author::huggingface_pytorch task::image_classification family::metaclip_2 modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/metaclip_2

MetaClip2ForImageClassification with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

config = transformers.MetaClip2Config()
model = transformers.MetaClip2ForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
