# labels: test_group::diffusers name::flux_1_dev author::black-forest-labs task::image_generation family::fluxtransformer2dmodel part::transformer memory::over_24gb
"""https://huggingface.co/black-forest-labs/FLUX.1-dev

diffusers.FluxTransformer2DModel, the transformer of a pipeline, with its published sizes and random
weights. Its weights take 48 GB in float32.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.FluxTransformer2DModel(guidance_embeds=True)
model.eval()

model(
    hidden_states=torch.randn(batch_size, 1024, 64),
    encoder_hidden_states=torch.randn(batch_size, 512, 4096),
    pooled_projections=torch.randn(batch_size, 768),
    timestep=torch.ones(batch_size),
    img_ids=torch.zeros(1024, 3),
    txt_ids=torch.zeros(512, 3),
    guidance=torch.ones(batch_size),
)
