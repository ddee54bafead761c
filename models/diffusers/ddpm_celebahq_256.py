# labels: test_group::diffusers name::ddpm_celebahq_256 author::google task::image_generation family::unet2dmodel part::unet
"""https://huggingface.co/google/ddpm-celebahq-256

diffusers.UNet2DModel, the unet of a pipeline, with its published sizes and random weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.UNet2DModel(
    sample_size=256,
    block_out_channels=[128, 128, 256, 256, 512, 512],
    down_block_types=[
        "DownBlock2D",
        "DownBlock2D",
        "DownBlock2D",
        "DownBlock2D",
        "AttnDownBlock2D",
        "DownBlock2D",
    ],
    up_block_types=[
        "UpBlock2D",
        "AttnUpBlock2D",
        "UpBlock2D",
        "UpBlock2D",
        "UpBlock2D",
        "UpBlock2D",
    ],
    norm_eps=1e-06,
    downsample_padding=0,
    flip_sin_to_cos=False,
    freq_shift=1,
    attention_head_dim=None,
)
model.eval()

model(
    sample=torch.randn(batch_size, 3, 256, 256),
    timestep=torch.tensor([10]),
)
