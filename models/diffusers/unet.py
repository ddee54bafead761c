# labels: test_group::diffusers name::unet author::diffusers task::image_generation
"""https://huggingface.co/docs/diffusers/api/models/unet2d

A small UNet that takes the noise out of an image, with attention at its lowest resolutions and
random weights.
"""

import argparse

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels = parse(["batch_size", "num_channels"])
sizes = argparse.ArgumentParser(add_help=False)
sizes.add_argument("--sample_size", type=int, default=64)
sizes.add_argument("--base_channels", type=int, default=64)
size = sizes.parse_known_args()[0]

model = diffusers.UNet2DModel(
    sample_size=size.sample_size,
    in_channels=num_channels,
    out_channels=num_channels,
    layers_per_block=1,
    block_out_channels=(size.base_channels, 2 * size.base_channels, 4 * size.base_channels),
    down_block_types=("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
    up_block_types=("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
)
model.eval()

model(
    sample=torch.randn(batch_size, num_channels, size.sample_size, size.sample_size),
    timestep=torch.tensor([10]),
)
