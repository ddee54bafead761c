# labels: test_group::diffusers name::karlo_prior author::kakaobrain task::image_generation family::priortransformer part::prior
"""https://huggingface.co/kakaobrain/karlo-v1-alpha

diffusers.PriorTransformer, the prior of a pipeline, with its published sizes and random weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.PriorTransformer()
model.eval()

model(
    hidden_states=torch.randn(batch_size, 768),
    timestep=torch.full((batch_size,), 10),
    proj_embedding=torch.randn(batch_size, 768),
    encoder_hidden_states=torch.randn(batch_size, 77, 768),
)
