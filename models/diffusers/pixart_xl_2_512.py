# labels: test_group::diffusers name::pixart_xl_2_512 author::pixart-alpha task::image_generation family::pixarttransformer2dmodel part::transformer
"""https://huggingface.co/PixArt-alpha/PixArt-XL-2-512x512

diffusers.PixArtTransformer2DModel, the transformer of a pipeline, with its published sizes and
random weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.PixArtTransformer2DModel(
    sample_size=64,
    caption_channels=4096,
    use_additional_conditions=False,
)
model.eval()

model(
    hidden_states=torch.randn(batch_size, 4, 64, 64),
    encoder_hidden_states=torch.randn(batch_size, 120, 4096),
    timestep=torch.full((batch_size,), 10),
)
