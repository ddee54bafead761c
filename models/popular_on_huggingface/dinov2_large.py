# labels: test_group::popular_on_huggingface name::dinov2_large author::facebook task::feature_extraction family::dinov2 modality::image
"""https://huggingface.co/facebook/dinov2-large

facebook/dinov2-large: Dinov2Model with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.Dinov2Config(
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    image_size=518,
)
if pretrained:
    model = transformers.Dinov2Model.from_pretrained("facebook/dinov2-large")
else:
    model = transformers.Dinov2Model(config)
model.eval()

model(pixel_values=torch.rand(batch_size, 3, 224, 224))
