# labels: test_group::diffusers name::stable_diffusion_x4_upscaler_unet author::stabilityai task::super_resolution family::unet2dconditionmodel part::unet
"""https://huggingface.co/stabilityai/stable-diffusion-x4-upscaler

diffusers.UNet2DConditionModel, the unet of a pipeline, with its published sizes and random weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.UNet2DConditionModel(
    in_channels=7,
    block_out_channels=[256, 512, 512, 1024],
    down_block_types=[
        "DownBlock2D",
        "CrossAttnDownBlock2D",
        "CrossAttnDownBlock2D",
        "CrossAttnDownBlock2D",
    ],
    up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    only_cross_attention=[True, True, True, False],
    attention_head_dim=8,
    cross_attention_dim=1024,
    num_class_embeds=1000,
    use_linear_projection=True,
)
model.eval()

model(
    sample=torch.randn(batch_size, 7, 64, 64),
    timestep=torch.tensor([10]),
    encoder_hidden_states=torch.randn(batch_size, 77, 1024),
    class_labels=torch.full((batch_size,), 20),
)
