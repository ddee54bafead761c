# labels: test_group::popular_on_huggingface name::wavlm_base_plus author::microsoft task::feature_extraction family::wavlm modality::audio
"""https://huggingface.co/microsoft/wavlm-base-plus

microsoft/wavlm-base-plus: WavLMModel with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_audio_seq_length, pretrained = parse(
    ["batch_size", "max_audio_seq_length", "pretrained"]
)

config = transformers.WavLMConfig()
if pretrained:
    model = transformers.WavLMModel.from_pretrained("microsoft/wavlm-base-plus")
else:
    model = transformers.WavLMModel(config)
model.eval()

model(input_values=torch.rand(batch_size, max_audio_seq_length))
