# labels: test_group::transformers name::tipsv2_dpt_for_semantic_segmentation author::huggingface_pytorch task::image_segmentation family::tipsv2_dpt modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/tipsv2_dpt

Tipsv2DptForSemanticSegmentation with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

config = transformers.Tipsv2DptConfig()
model = transformers.Tipsv2DptForSemanticSegmentation(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
