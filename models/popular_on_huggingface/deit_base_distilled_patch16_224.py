# labels: test_group::popular_on_huggingface name::deit_base_distilled_patch16_224 author::facebook task::image_classification family::deit modality::image
"""https://huggingface.co/facebook/deit-base-distilled-patch16-224

facebook/deit-base-distilled-patch16-224: DeiTForImageClassificationWithTeacher with its published
sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.DeiTConfig(image_size=224, num_labels=1000)
if pretrained:
    model = transformers.DeiTForImageClassificationWithTeacher.from_pretrained(
        "facebook/deit-base-distilled-patch16-224"
    )
else:
    model = transformers.DeiTForImageClassificationWithTeacher(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, 224, 224))
