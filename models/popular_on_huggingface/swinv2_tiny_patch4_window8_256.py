# labels: test_group::popular_on_huggingface name::swinv2_tiny_patch4_window8_256 author::microsoft task::image_classification family::swinv2 modality::image
"""https://huggingface.co/microsoft/swinv2-tiny-patch4-window8-256

microsoft/swinv2-tiny-patch4-window8-256: Swinv2ForImageClassification with its published sizes, and
random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.Swinv2Config(
    depths=[2, 2, 6, 2],
    num_heads=[3, 6, 12, 24],
    window_size=8,
    image_size=256,
    num_labels=1000,
)
if pretrained:
    model = transformers.Swinv2ForImageClassification.from_pretrained(
        "microsoft/swinv2-tiny-patch4-window8-256"
    )
else:
    model = transformers.Swinv2ForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, 256, 256))
