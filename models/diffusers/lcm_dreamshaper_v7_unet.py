# labels: test_group::diffusers name::lcm_dreamshaper_v7_unet author::simianluo task::image_generation family::unet2dconditionmodel part::unet
"""https://huggingface.co/SimianLuo/LCM_Dreamshaper_v7

diffusers.UNet2DConditionModel, the unet of a pipeline, with its published sizes and random weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.UNet2DConditionModel(
    time_cond_proj_dim=256,
    sample_size=64,
    cross_attention_dim=768,
    attention_head_dim=8,
)
model.eval()

model(
    sample=torch.randn(batch_size, 4, 64, 64),
    timestep=torch.tensor([10]),
    encoder_hidden_states=torch.randn(batch_size, 77, 768),
    timestep_cond=torch.randn(batch_size, 256),
)
