# labels: test_group::transformers name::hubert_for_sequence_classification author::huggingface_pytorch task::audio_classification family::hubert modality::audio
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/hubert

HubertForSequenceClassification with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_audio_seq_length = parse(["batch_size", "max_audio_seq_length"])

config = transformers.HubertConfig()
model = transformers.HubertForSequenceClassification(config)
model.eval()

model(input_values=torch.rand(batch_size, max_audio_seq_length))
