# labels: test_group::popular_on_huggingface name::vit_age_classifier author::nateraw task::image_classification family::vit modality::image
"""https://huggingface.co/nateraw/vit-age-classifier

nateraw/vit-age-classifier: ViTForImageClassification with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.ViTConfig(image_size=224, patch_size=16, num_labels=9)
if pretrained:
    model = transformers.ViTForImageClassification.from_pretrained("nateraw/vit-age-classifier")
else:
    model = transformers.ViTForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, 224, 224))
