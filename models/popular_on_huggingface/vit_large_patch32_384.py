# labels: test_group::popular_on_huggingface name::vit_large_patch32_384 author::google task::image_classification family::vit modality::image
"""https://huggingface.co/google/vit-large-patch32-384

google/vit-large-patch32-384: ViTForImageClassification with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.ViTConfig(
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
    image_size=384,
    patch_size=32,
    num_labels=1000,
)
if pretrained:
    model = transformers.ViTForImageClassification.from_pretrained("google/vit-large-patch32-384")
else:
    model = transformers.ViTForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, 384, 384))
