# labels: test_group::popular_on_huggingface name::hubert_large_ls960_ft author::facebook task::speech_recognition family::hubert modality::audio
"""https://huggingface.co/facebook/hubert-large-ls960-ft

facebook/hubert-large-ls960-ft: HubertForCTC with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_audio_seq_length, pretrained = parse(
    ["batch_size", "max_audio_seq_length", "pretrained"]
)

config = transformers.HubertConfig(
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
    feat_extract_norm="layer",
    do_stable_layer_norm=True,
    conv_bias=True,
)
if pretrained:
    model = transformers.HubertForCTC.from_pretrained("facebook/hubert-large-ls960-ft")
else:
    model = transformers.HubertForCTC(config)
model.eval()

model(input_values=torch.rand(batch_size, max_audio_seq_length))
