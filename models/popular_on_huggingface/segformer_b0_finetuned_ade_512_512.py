# labels: test_group::popular_on_huggingface name::segformer_b0_finetuned_ade_512_512 author::nvidia task::image_segmentation family::segformer modality::image
"""https://huggingface.co/nvidia/segformer-b0-finetuned-ade-512-512

nvidia/segformer-b0-finetuned-ade-512-512: SegformerForSemanticSegmentation with its published
sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.SegformerConfig(
    hidden_sizes=[32, 64, 160, 256],
    depths=[2, 2, 2, 2],
    num_labels=150,
)
if pretrained:
    model = transformers.SegformerForSemanticSegmentation.from_pretrained(
        "nvidia/segformer-b0-finetuned-ade-512-512"
    )
else:
    model = transformers.SegformerForSemanticSegmentation(config)
model.eval()

model(pixel_values=torch.rand(batch_size, 3, 512, 512))
