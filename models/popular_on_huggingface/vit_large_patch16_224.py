# labels: test_group::popular_on_huggingface name::vit_large_patch16_224 author::google task::image_classification family::vit modality::image
"""https://huggingface.co/google/vit-large-patch16-224

google/vit-large-patch16-224: ViTForImageClassification with its published sizes, and random weights
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
    image_size=224,
    patch_size=16,
    num_labels=1000,
)
if pretrained:
    model = transformers.ViTForImageClassification.from_pretrained("google/vit-large-patch16-224")
else:
    model = transformers.ViTForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, 224, 224))
