# labels: test_group::popular_on_huggingface name::segformer_b5_finetuned_ade_640_640 author::nvidia task::image_segmentation family::segformer modality::image
"""https://huggingface.co/nvidia/segformer-b5-finetuned-ade-640-640

nvidia/segformer-b5-finetuned-ade-640-640: SegformerForSemanticSegmentation with its published
sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.SegformerConfig(
    hidden_sizes=[64, 128, 320, 512],
    depths=[3, 6, 40, 3],
    decoder_hidden_size=768,
    num_labels=150,
)
if pretrained:
    model = transformers.SegformerForSemanticSegmentation.from_pretrained(
        "nvidia/segformer-b5-finetuned-ade-640-640"
    )
else:
    model = transformers.SegformerForSemanticSegmentation(config)
model.eval()

model(pixel_values=torch.rand(batch_size, 3, 640, 640))
