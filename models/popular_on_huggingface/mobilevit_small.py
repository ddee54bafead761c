# labels: test_group::popular_on_huggingface name::mobilevit_small author::apple task::image_classification family::mobilevit modality::image
"""https://huggingface.co/apple/mobilevit-small

apple/mobilevit-small: MobileViTForImageClassification with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.MobileViTConfig(image_size=256, num_labels=1000)
if pretrained:
    model = transformers.MobileViTForImageClassification.from_pretrained("apple/mobilevit-small")
else:
    model = transformers.MobileViTForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, 256, 256))
