# labels: test_group::diffusers name::stable_diffusion_2_base_unet author::stabilityai task::image_generation family::unet2dconditionmodel part::unet
"""https://huggingface.co/stabilityai/stable-diffusion-2-base

diffusers.UNet2DConditionModel, the unet of a pipeline, with its published sizes and random weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.UNet2DConditionModel(
    sample_size=64,
    cross_attention_dim=1024,
    attention_head_dim=[5, 10, 20, 20],
    use_linear_projection=True,
)
model.eval()

model(
    sample=torch.randn(batch_size, 4, 64, 64),
    timestep=torch.tensor([10]),
    encoder_hidden_states=torch.randn(batch_size, 77, 1024),
)
