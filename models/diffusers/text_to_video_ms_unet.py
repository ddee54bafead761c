# labels: test_group::diffusers name::text_to_video_ms_unet author::ali-vilab task::video_generation family::unet3dconditionmodel part::unet
"""https://huggingface.co/ali-vilab/text-to-video-ms-1.7b

diffusers.UNet3DConditionModel, the unet of a pipeline, with its published sizes and random weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.UNet3DConditionModel(sample_size=32)
model.eval()

model(
    sample=torch.randn(batch_size, 4, 4, 32, 32),
    timestep=torch.tensor([10]),
    encoder_hidden_states=torch.randn(batch_size, 77, 1024),
)
