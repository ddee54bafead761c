# labels: test_group::popular_on_huggingface name::beit_base_patch16_224 author::microsoft task::image_classification family::beit modality::image
"""https://huggingface.co/microsoft/beit-base-patch16-224

microsoft/beit-base-patch16-224: BeitForImageClassification with its published sizes, and random
weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.BeitConfig(image_size=224, use_relative_position_bias=True, num_labels=1000)
if pretrained:
    model = transformers.BeitForImageClassification.from_pretrained(
        "microsoft/beit-base-patch16-224"
    )
else:
    model = transformers.BeitForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, 224, 224))
