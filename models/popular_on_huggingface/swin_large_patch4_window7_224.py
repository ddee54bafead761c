# labels: test_group::popular_on_huggingface name::swin_large_patch4_window7_224 author::microsoft task::image_classification family::swin modality::image
"""https://huggingface.co/microsoft/swin-large-patch4-window7-224

microsoft/swin-large-patch4-window7-224: SwinForImageClassification with its published sizes, and
random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.SwinConfig(
    embed_dim=192,
    depths=[2, 2, 18, 2],
    num_heads=[6, 12, 24, 48],
    image_size=224,
    num_labels=1000,
)
if pretrained:
    model = transformers.SwinForImageClassification.from_pretrained(
        "microsoft/swin-large-patch4-window7-224"
    )
else:
    model = transformers.SwinForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, 224, 224))
