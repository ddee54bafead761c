# labels: test_group::transformers name::mobilevit_for_semantic_segmentation author::huggingface_pytorch task::image_segmentation family::mobilevit modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/mobilevit

MobileViTForSemanticSegmentation with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.MobileViTConfig()
model = transformers.MobileViTForSemanticSegmentation(config)
model.eval()

side = config.image_size

model(pixel_values=torch.rand(batch_size, config.num_channels, side, side))
