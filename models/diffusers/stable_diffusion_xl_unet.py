# labels: test_group::diffusers name::stable_diffusion_xl_unet author::stabilityai task::image_generation family::unet2dconditionmodel part::unet
"""https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0

diffusers.UNet2DConditionModel, the unet of a pipeline, with its published sizes and random weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.UNet2DConditionModel(
    sample_size=128,
    block_out_channels=[320, 640, 1280],
    down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    transformer_layers_per_block=[1, 2, 10],
    attention_head_dim=[5, 10, 20],
    cross_attention_dim=2048,
    addition_embed_type="text_time",
    addition_time_embed_dim=256,
    projection_class_embeddings_input_dim=2816,
    use_linear_projection=True,
)
model.eval()

model(
    sample=torch.randn(batch_size, 4, 64, 64),
    timestep=torch.tensor([10]),
    encoder_hidden_states=torch.randn(batch_size, 77, 2048),
    added_cond_kwargs={
        "text_embeds": torch.randn(batch_size, 1280),
        "time_ids": torch.ones(batch_size, 6),
    },
)
