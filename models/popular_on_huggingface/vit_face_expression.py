# labels: test_group::popular_on_huggingface name::vit_face_expression author::trpakov task::image_classification family::vit modality::image
"""https://huggingface.co/trpakov/vit-face-expression

trpakov/vit-face-expression: ViTForImageClassification with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.ViTConfig(image_size=224, patch_size=16, num_labels=7)
if pretrained:
    model = transformers.ViTForImageClassification.from_pretrained("trpakov/vit-face-expression")
else:
    model = transformers.ViTForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, 224, 224))
