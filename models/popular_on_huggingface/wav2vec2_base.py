# labels: test_group::popular_on_huggingface name::wav2vec2_base author::facebook task::feature_extraction family::wav2vec2 modality::audio
"""https://huggingface.co/facebook/wav2vec2-base

facebook/wav2vec2-base: Wav2Vec2Model with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_audio_seq_length, pretrained = parse(
    ["batch_size", "max_audio_seq_length", "pretrained"]
)

config = transformers.Wav2Vec2Config()
if pretrained:
    model = transformers.Wav2Vec2Model.from_pretrained("facebook/wav2vec2-base")
else:
    model = transformers.Wav2Vec2Model(config)
model.eval()

model(input_values=torch.rand(batch_size, max_audio_seq_length))
