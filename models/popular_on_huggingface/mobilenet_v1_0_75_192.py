# labels: test_group::popular_on_huggingface name::mobilenet_v1_0_75_192 author::google task::image_classification family::mobilenetv1 modality::image
"""https://huggingface.co/google/mobilenet_v1_0.75_192

google/mobilenet_v1_0.75_192: MobileNetV1ForImageClassification with its published sizes, and random
weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.MobileNetV1Config(image_size=192, depth_multiplier=0.75, num_labels=1001)
if pretrained:
    model = transformers.MobileNetV1ForImageClassification.from_pretrained(
        "google/mobilenet_v1_0.75_192"
    )
else:
    model = transformers.MobileNetV1ForImageClassification(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, 192, 192))
