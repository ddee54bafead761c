# labels: test_group::popular_on_huggingface name::resnet_50 author::microsoft task::image_classification family::resnet modality::image
"""https://huggingface.co/microsoft/resnet-50

microsoft/resnet-50: ResNetForImageClassification with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width, pretrained = parse(
    ["batch_size", "num_channels", "height", "width", "pretrained"]
)

config = transformers.ResNetConfig(depths=[3, 4, 6, 3], num_labels=1000)
if pretrained:
    model = transformers.ResNetForImageClassification.from_pretrained("microsoft/resnet-50")
else:
    model = transformers.ResNetForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
