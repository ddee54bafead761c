# labels: test_group::transformers name::pp_ocrv5_mobile_det_for_object_detection author::huggingface_pytorch task::object_detection family::pp_ocrv5_mobile_det modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/pp_ocrv5_mobile_det

PPOCRV5MobileDetForObjectDetection with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

config = transformers.PPOCRV5MobileDetConfig()
model = transformers.PPOCRV5MobileDetForObjectDetection(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
