# labels: test_group::diffusers name::autoencoder_oobleck author::stabilityai task::audio_generation family::autoencoderoobleck part::vae
"""https://huggingface.co/stabilityai/stable-audio-open-1.0

diffusers.AutoencoderOobleck, the vae of a pipeline, with its published sizes and random weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.AutoencoderOobleck()
model.eval()

model(
    sample=torch.rand(batch_size, 2, 65536),
)
