# labels: test_group::transformers name::pvt_v2_for_image_classification author::huggingface_pytorch task::image_classification family::pvt_v2 modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/pvt_v2

PvtV2ForImageClassification with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.PvtV2Config()
model = transformers.PvtV2ForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, *config.image_size))
