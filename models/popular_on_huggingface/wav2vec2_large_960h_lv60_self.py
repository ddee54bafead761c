# labels: test_group::popular_on_huggingface name::wav2vec2_large_960h_lv60_self author::facebook task::speech_recognition family::wav2vec2 modality::audio
"""https://huggingface.co/facebook/wav2vec2-large-960h-lv60-self

facebook/wav2vec2-large-960h-lv60-self: Wav2Vec2ForCTC with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_audio_seq_length, pretrained = parse(
    ["batch_size", "max_audio_seq_length", "pretrained"]
)

config = transformers.Wav2Vec2Config(
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
    feat_extract_norm="layer",
    do_stable_layer_norm=True,
    conv_bias=True,
)
if pretrained:
    model = transformers.Wav2Vec2ForCTC.from_pretrained("facebook/wav2vec2-large-960h-lv60-self")
else:
    model = transformers.Wav2Vec2ForCTC(config)
model.eval()

model(input_values=torch.rand(batch_size, max_audio_seq_length))
