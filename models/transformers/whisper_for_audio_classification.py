# labels: test_group::transformers name::whisper_for_audio_classification author::huggingface_pytorch task::audio_classification family::whisper modality::audio
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/whisper

WhisperForAudioClassification with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.WhisperConfig()
model = transformers.WhisperForAudioClassification(config)
model.eval()

frames = 2 * config.max_source_positions

model(input_features=torch.rand(batch_size, config.num_mel_bins, frames))
