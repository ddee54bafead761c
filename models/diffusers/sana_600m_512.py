# labels: test_group::diffusers name::sana_600m_512 author::efficient-large-model task::image_generation family::sanatransformer2dmodel part::transformer
"""https://huggingface.co/Efficient-Large-Model/Sana_600M_512px_diffusers

diffusers.SanaTransformer2DModel, the transformer of a pipeline, with its published sizes and random
weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.SanaTransformer2DModel(
    num_layers=28,
    num_attention_heads=36,
    attention_head_dim=32,
    num_cross_attention_heads=16,
    cross_attention_head_dim=72,
    cross_attention_dim=1152,
    sample_size=16,
)
model.eval()

model(
    hidden_states=torch.randn(batch_size, 32, 16, 16),
    encoder_hidden_states=torch.randn(batch_size, 77, 2304),
    timestep=torch.full((batch_size,), 10),
)
