# labels: test_group::popular_on_huggingface name::deit_tiny_patch16_224 author::facebook task::image_classification family::vit modality::image
"""https://huggingface.co/facebook/deit-tiny-patch16-224

facebook/deit-tiny-patch16-224: ViTForImageClassification with its published sizes, and random
weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.ViTConfig(
    hidden_size=192,
    num_hidden_layers=12,
    num_attention_heads=3,
    intermediate_size=768,
    image_size=224,
    patch_size=16,
    num_labels=1000,
)
if pretrained:
    model = transformers.ViTForImageClassification.from_pretrained("facebook/deit-tiny-patch16-224")
else:
    model = transformers.ViTForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, 224, 224))
