# labels: test_group::popular_on_huggingface name::convnext_base_224 author::facebook task::image_classification family::convnext modality::image
"""https://huggingface.co/facebook/convnext-base-224

facebook/convnext-base-224: ConvNextForImageClassification with its published sizes, and random
weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width, pretrained = parse(
    ["batch_size", "num_channels", "height", "width", "pretrained"]
)

config = transformers.ConvNextConfig(
    depths=[3, 3, 27, 3],
    hidden_sizes=[128, 256, 512, 1024],
    num_labels=1000,
)
if pretrained:
    model = transformers.ConvNextForImageClassification.from_pretrained(
        "facebook/convnext-base-224"
    )
else:
    model = transformers.ConvNextForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
