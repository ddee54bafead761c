# labels: test_group::diffusers name::stable_audio_dit author::stabilityai task::audio_generation family::stableaudioditmodel part::transformer
"""https://huggingface.co/stabilityai/stable-audio-open-1.0

diffusers.StableAudioDiTModel, the transformer of a pipeline, with its published sizes and random
weights.
Written by models/generate.
"""

import diffusers
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = diffusers.StableAudioDiTModel()
model.eval()

model(
    hidden_states=torch.randn(batch_size, 64, 1024),
    timestep=torch.full((batch_size,), 0.5),
    encoder_hidden_states=torch.randn(batch_size, 130, 768),
    global_hidden_states=torch.randn(batch_size, 1, 1536),
)
