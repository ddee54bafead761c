# labels: test_group::popular_on_huggingface name::convnextv2_femto_1k_224 author::facebook task::image_classification family::convnextv2 modality::image
"""https://huggingface.co/facebook/convnextv2-femto-1k-224

facebook/convnextv2-femto-1k-224: ConvNextV2ForImageClassification with its published sizes, and
random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width, pretrained = parse(
    ["batch_size", "num_channels", "height", "width", "pretrained"]
)

config = transformers.ConvNextV2Config(
    depths=[2, 2, 6, 2],
    hidden_sizes=[48, 96, 192, 384],
    num_labels=1000,
)
if pretrained:
    model = transformers.ConvNextV2ForImageClassification.from_pretrained(
        "facebook/convnextv2-femto-1k-224"
    )
else:
    model = transformers.ConvNextV2ForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
