# labels: test_group::popular_on_huggingface name::dinov2_small author::facebook task::feature_extraction family::dinov2 modality::image
"""https://huggingface.co/facebook/dinov2-small

facebook/dinov2-small: Dinov2Model with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.Dinov2Config(hidden_size=384, num_attention_heads=6, image_size=518)
if pretrained:
    model = transformers.Dinov2Model.from_pretrained("facebook/dinov2-small")
else:
    model = transformers.Dinov2Model(config)
model.eval()

model(pixel_values=torch.rand(batch_size, 3, 224, 224))
