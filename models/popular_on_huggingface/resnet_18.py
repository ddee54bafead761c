# labels: test_group::popular_on_huggingface name::resnet_18 author::microsoft task::image_classification family::resnet modality::image
"""https://huggingface.co/microsoft/resnet-18

microsoft/resnet-18: ResNetForImageClassification with its published sizes, and random weights
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

config = transformers.ResNetConfig(
    depths=[2, 2, 2, 2],
    layer_type="basic",
    hidden_sizes=[64, 128, 256, 512],
    num_labels=1000,
)
if pretrained:
    model = transformers.ResNetForImageClassification.from_pretrained("microsoft/resnet-18")
else:
    model = transformers.ResNetForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
