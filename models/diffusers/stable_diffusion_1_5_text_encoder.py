# labels: test_group::diffusers name::stable_diffusion_1_5_text_encoder author::openai task::image_generation family::cliptextmodel part::text_encoder
"""https://huggingface.co/openai/clip-vit-large-patch14

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
    hidden_size=768,
    num_hidden_layers=12,
    num_attention_heads=12,
    intermediate_size=3072,
)
model = transformers.CLIPTextModel(config)
model.eval()

model(
    input_ids=torch.randint(0, 49408, (batch_size, 77)),
)
