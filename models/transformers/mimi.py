# labels: test_group::transformers name::mimi author::huggingface_pytorch task::feature_extraction family::mimi modality::audio
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/mimi

MimiModel with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_audio_seq_length = parse(["batch_size", "max_audio_seq_length"])

config = transformers.MimiConfig()
model = transformers.MimiModel(config)
model.eval()

model(input_values=torch.rand(batch_size, 1, max_audio_seq_length))
