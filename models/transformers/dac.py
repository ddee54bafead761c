# labels: test_group::transformers name::dac author::huggingface_pytorch task::feature_extraction family::dac modality::audio
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/dac

DacModel with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_audio_seq_length = parse(["batch_size", "max_audio_seq_length"])

config = transformers.DacConfig()
model = transformers.DacModel(config)
model.eval()

model(input_values=torch.rand(batch_size, 1, max_audio_seq_length))
