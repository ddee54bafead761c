# labels: test_group::popular_on_huggingface name::dino_vits8 author::facebook task::feature_extraction family::vit modality::image
"""https://huggingface.co/facebook/dino-vits8

facebook/dino-vits8: ViTModel with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.ViTConfig(
    hidden_size=384,
    num_hidden_layers=12,
    num_attention_heads=6,
    intermediate_size=1536,
    image_size=224,
    patch_size=8,
)
if pretrained:
    model = transformers.ViTModel.from_pretrained("facebook/dino-vits8")
else:
    model = transformers.ViTModel(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, 224, 224))
