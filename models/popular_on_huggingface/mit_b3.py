# labels: test_group::popular_on_huggingface name::mit_b3 author::nvidia task::image_classification family::segformer modality::image
"""https://huggingface.co/nvidia/mit-b3

nvidia/mit-b3: SegformerForImageClassification with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width, pretrained = parse(
    ["batch_size", "num_channels", "height", "width", "pretrained"]
)

config = transformers.SegformerConfig(
    hidden_sizes=[64, 128, 320, 512],
    depths=[3, 4, 18, 3],
    decoder_hidden_size=768,
    num_labels=1000,
)
if pretrained:
    model = transformers.SegformerForImageClassification.from_pretrained("nvidia/mit-b3")
else:
    model = transformers.SegformerForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
