# labels: test_group::transformers name::deformable_detr_for_object_detection author::huggingface_pytorch task::object_detection family::deformable_detr modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/deformable_detr

DeformableDetrForObjectDetection with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

config = transformers.DeformableDetrConfig()
model = transformers.DeformableDetrForObjectDetection(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
