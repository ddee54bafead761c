# labels: test_group::transformers name::d_fine_for_object_detection author::huggingface_pytorch task::object_detection family::d_fine modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/d_fine

DFineForObjectDetection with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

config = transformers.DFineConfig()
model = transformers.DFineForObjectDetection(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
