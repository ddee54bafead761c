# labels: test_group::diffusers name::sd_controlnet_canny author::lllyasviel task::image_generation family::controlnetmodel part::controlnet
"""https://huggingface.co/lllyasviel/sd-controlnet-canny

diffusers.ControlNetModel, the controlnet of a pipeline, with its published sizes and random
weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.ControlNetModel(cross_attention_dim=768, attention_head_dim=8)
model.eval()

model(
    sample=torch.randn(batch_size, 4, 64, 64),
    timestep=torch.tensor([10]),
    encoder_hidden_states=torch.randn(batch_size, 77, 768),
    controlnet_cond=torch.rand(batch_size, 3, 512, 512),
)
