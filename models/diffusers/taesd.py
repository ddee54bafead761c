# labels: test_group::diffusers name::taesd author::madebyollin task::image_generation family::autoencodertiny part::vae
"""https://huggingface.co/madebyollin/taesd

diffusers.AutoencoderTiny, the vae of a pipeline, with its published sizes and random weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.AutoencoderTiny()
model.eval()

model(
    sample=torch.rand(batch_size, 3, 256, 256),
)
