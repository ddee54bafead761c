# labels: test_group::diffusers name::amused_256 author::amused task::image_generation family::uvit2dmodel part::transformer
"""https://huggingface.co/amused/amused-256

diffusers.UVit2DModel, the transformer of a pipeline, with its published sizes and random weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.UVit2DModel()
model.eval()

model(
    input_ids=torch.randint(0, 8192, (batch_size, 16, 16)),
    encoder_hidden_states=torch.randn(batch_size, 77, 768),
    pooled_text_emb=torch.randn(batch_size, 768),
    micro_conds=torch.ones(batch_size, 5),
)
