# labels: test_group::popular_on_huggingface name::mobilenet_v2_1_0_224 author::google task::image_classification family::mobilenetv2 modality::image
"""https://huggingface.co/google/mobilenet_v2_1.0_224

google/mobilenet_v2_1.0_224: MobileNetV2ForImageClassification with its published sizes, and random
weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width, pretrained = parse(
    ["batch_size", "num_channels", "height", "width", "pretrained"]
)

config = transformers.MobileNetV2Config(num_labels=1001)
if pretrained:
    model = transformers.MobileNetV2ForImageClassification.from_pretrained(
        "google/mobilenet_v2_1.0_224"
    )
else:
    model = transformers.MobileNetV2ForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
