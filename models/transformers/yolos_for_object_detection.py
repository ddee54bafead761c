# labels: test_group::transformers name::yolos_for_object_detection author::huggingface_pytorch task::object_detection family::yolos modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/yolos

YolosForObjectDetection with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.YolosConfig()
model = transformers.YolosForObjectDetection(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, *config.image_size))
