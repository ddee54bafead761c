# labels: test_group::transformers name::encodec author::huggingface_pytorch task::feature_extraction family::encodec modality::audio
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/encodec

EncodecModel with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_audio_seq_length = parse(["batch_size", "max_audio_seq_length"])

config = transformers.EncodecConfig()
model = transformers.EncodecModel(config)
model.eval()

model(input_values=torch.rand(batch_size, config.audio_channels, max_audio_seq_length))
