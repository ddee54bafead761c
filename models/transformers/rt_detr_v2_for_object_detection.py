# labels: test_group::transformers name::rt_detr_v2_for_object_detection author::huggingface_pytorch task::object_detection family::rt_detr_v2 modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/rt_detr_v2

RTDetrV2ForObjectDetection with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

config = transformers.RTDetrV2Config()
model = transformers.RTDetrV2ForObjectDetection(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
