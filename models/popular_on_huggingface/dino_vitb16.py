# labels: test_group::popular_on_huggingface name::dino_vitb16 author::facebook task::feature_extraction family::vit modality::image
"""https://huggingface.co/facebook/dino-vitb16

facebook/dino-vitb16: ViTModel with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.ViTConfig(image_size=224, patch_size=16)
if pretrained:
    model = transformers.ViTModel.from_pretrained("facebook/dino-vitb16")
else:
    model = transformers.ViTModel(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, 224, 224))
