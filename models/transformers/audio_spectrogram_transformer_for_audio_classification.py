# labels: test_group::transformers name::audio_spectrogram_transformer_for_audio_classification author::huggingface_pytorch task::audio_classification family::audio_spectrogram_transformer modality::audio
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/audio_spectrogram_transformer

ASTForAudioClassification with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.ASTConfig()
model = transformers.ASTForAudioClassification(config)
model.eval()

model(input_values=torch.rand(batch_size, config.max_length, config.num_mel_bins))
