# labels: test_group::diffusers name::t2iadapter_canny_sd15 author::tencentarc task::image_generation family::t2iadapter part::adapter
"""https://huggingface.co/TencentARC/t2iadapter_canny_sd15v2

diffusers.T2IAdapter, the adapter of a pipeline, with its published sizes and random weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.T2IAdapter(in_channels=1, channels=[320, 640, 1280, 1280], num_res_blocks=2)
model.eval()

model(
    x=torch.rand(batch_size, 1, 512, 512),
)
