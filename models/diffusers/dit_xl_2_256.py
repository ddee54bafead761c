# labels: test_group::diffusers name::dit_xl_2_256 author::facebook task::image_generation family::dittransformer2dmodel part::transformer
"""https://huggingface.co/facebook/DiT-XL-2-256

diffusers.DiTTransformer2DModel, the transformer of a pipeline, with its published sizes and random
weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.DiTTransformer2DModel(
    num_attention_heads=16,
    attention_head_dim=72,
    out_channels=8,
    num_layers=28,
)
model.eval()

model(
    hidden_states=torch.randn(batch_size, 4, 32, 32),
    timestep=torch.full((batch_size,), 10),
    class_labels=torch.full((batch_size,), 7),
)
