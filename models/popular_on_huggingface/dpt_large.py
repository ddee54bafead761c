# labels: test_group::popular_on_huggingface name::dpt_large author::intel task::depth_estimation family::dpt modality::image
"""https://huggingface.co/Intel/dpt-large

Intel/dpt-large: DPTForDepthEstimation with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.DPTConfig(
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
    image_size=384,
    backbone_out_indices=[5, 11, 17, 23],
    neck_hidden_sizes=[256, 512, 1024, 1024],
)
if pretrained:
    model = transformers.DPTForDepthEstimation.from_pretrained("Intel/dpt-large")
else:
    model = transformers.DPTForDepthEstimation(config)
model.eval()

model(pixel_values=torch.rand(batch_size, config.num_channels, 384, 384))
