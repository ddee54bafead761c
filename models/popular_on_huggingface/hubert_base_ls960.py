# labels: test_group::popular_on_huggingface name::hubert_base_ls960 author::facebook task::feature_extraction family::hubert modality::audio
"""https://huggingface.co/facebook/hubert-base-ls960

facebook/hubert-base-ls960: HubertModel with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_audio_seq_length, pretrained = parse(
    ["batch_size", "max_audio_seq_length", "pretrained"]
)

config = transformers.HubertConfig()
if pretrained:
    model = transformers.HubertModel.from_pretrained("facebook/hubert-base-ls960")
else:
    model = transformers.HubertModel(config)
model.eval()

model(input_values=torch.rand(batch_size, max_audio_seq_length))
