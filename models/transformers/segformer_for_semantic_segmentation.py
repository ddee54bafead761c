# labels: test_group::transformers name::segformer_for_semantic_segmentation author::huggingface_pytorch task::image_segmentation family::segformer modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/segformer

SegformerForSemanticSegmentation with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

config = transformers.SegformerConfig()
model = transformers.SegformerForSemanticSegmentation(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
