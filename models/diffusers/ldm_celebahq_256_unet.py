# labels: test_group::diffusers name::ldm_celebahq_256_unet author::compvis task::image_generation family::unet2dmodel part::unet
"""https://huggingface.co/CompVis/ldm-celebahq-256

diffusers.UNet2DModel, the unet of a pipeline, with its published sizes and random weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.UNet2DModel(
    sample_size=64,
    block_out_channels=[224, 448, 672, 896],
    attention_head_dim=32,
    down_block_types=["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"],
    up_block_types=["AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
)
model.eval()

model(
    sample=torch.randn(batch_size, 3, 64, 64),
    timestep=torch.tensor([10]),
)
