# labels: test_group::transformers name::wav2vec2_bert_for_sequence_classification author::huggingface_pytorch task::audio_classification family::wav2vec2_bert modality::audio
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/wav2vec2_bert

Wav2Vec2BertForSequenceClassification with the default configuration of its library and random
weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.Wav2Vec2BertConfig()
model = transformers.Wav2Vec2BertForSequenceClassification(config)
model.eval()

model(input_features=torch.rand(batch_size, 160, 160))
