# labels: test_group::popular_on_huggingface name::yolos_tiny author::hustvl task::object_detection family::yolos modality::image
"""https://huggingface.co/hustvl/yolos-tiny

hustvl/yolos-tiny: YolosForObjectDetection with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.YolosConfig(
    hidden_size=192,
    num_attention_heads=3,
    intermediate_size=768,
    image_size=[800, 1333],
    num_labels=91,
    use_mid_position_embeddings=False,
)
if pretrained:
    model = transformers.YolosForObjectDetection.from_pretrained("hustvl/yolos-tiny")
else:
    model = transformers.YolosForObjectDetection(config)
model.eval()

model(pixel_values=torch.rand(batch_size, 3, 512, 512))
