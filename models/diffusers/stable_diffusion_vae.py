# labels: test_group::diffusers name::stable_diffusion_vae author::stabilityai task::image_generation family::autoencoderkl part::vae
"""https://huggingface.co/stabilityai/sd-vae-ft-mse

diffusers.AutoencoderKL, the vae of a pipeline, with its published sizes and random weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.AutoencoderKL(
    down_block_types=[
        "DownEncoderBlock2D",
        "DownEncoderBlock2D",
        "DownEncoderBlock2D",
        "DownEncoderBlock2D",
    ],
    up_block_types=["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"],
    block_out_channels=[128, 256, 512, 512],
    layers_per_block=2,
    sample_size=512,
)
model.eval()

model(
    sample=torch.rand(batch_size, 3, 256, 256),
)
