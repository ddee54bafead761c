# labels: test_group::diffusers name::stable_diffusion_3_medium author::stabilityai task::image_generation family::sd3transformer2dmodel part::transformer
"""https://huggingface.co/stabilityai/stable-diffusion-3-medium-diffusers

diffusers.SD3Transformer2DModel, the transformer of a pipeline, with its published sizes and random
weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.SD3Transformer2DModel(
    num_layers=24,
    num_attention_heads=24,
    caption_projection_dim=1536,
    pos_embed_max_size=192,
)
model.eval()

model(
    hidden_states=torch.randn(batch_size, 16, 64, 64),
    encoder_hidden_states=torch.randn(batch_size, 77, 4096),
    timestep=torch.full((batch_size,), 10),
    pooled_projections=torch.randn(batch_size, 2048),
)
