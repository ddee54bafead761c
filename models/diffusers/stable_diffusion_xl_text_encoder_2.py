# labels: test_group::diffusers name::stable_diffusion_xl_text_encoder_2 author::stabilityai task::image_generation family::cliptextmodelwithprojection part::text_encoder
"""https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0

transformers.CLIPTextModelWithProjection, the text encoder of a pipeline, with its published sizes
and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.CLIPTextConfig(
    hidden_size=1280,
    num_hidden_layers=32,
    num_attention_heads=20,
    intermediate_size=5120,
    projection_dim=1280,
    hidden_act="gelu",
)
model = transformers.CLIPTextModelWithProjection(config)
model.eval()

model(
    input_ids=torch.randint(0, 49408, (batch_size, 77)),
)
