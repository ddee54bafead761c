# labels: test_group::diffusers name::stable_diffusion_2_text_encoder author::stabilityai task::image_generation family::cliptextmodel part::text_encoder
"""https://huggingface.co/stabilityai/stable-diffusion-2-base

transformers.CLIPTextModel, the text encoder of a pipeline, with its published sizes and random
weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.CLIPTextConfig(
    hidden_size=1024,
    num_hidden_layers=23,
    num_attention_heads=16,
    intermediate_size=4096,
    hidden_act="gelu",
)
model = transformers.CLIPTextModel(config)
model.eval()

model(
    input_ids=torch.randint(0, 49408, (batch_size, 77)),
)
