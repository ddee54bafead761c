# labels: test_group::popular_on_huggingface name::facial_emotions_image_detection author::dima806 task::image_classification family::vit modality::image
"""https://huggingface.co/dima806/facial_emotions_image_detection

dima806/facial_emotions_image_detection: ViTForImageClassification with its published sizes, and
random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.ViTConfig(image_size=224, patch_size=16, num_labels=7)
if pretrained:
    model = transformers.ViTForImageClassification.from_pretrained(
        "dima806/facial_emotions_image_detection"
    )
else:
    model = transformers.ViTForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, 224, 224))
