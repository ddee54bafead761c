# labels: test_group::transformers name::patchtsmixer author::huggingface_pytorch task::feature_extraction family::patchtsmixer modality::series
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/patchtsmixer

PatchTSMixerModel with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.PatchTSMixerConfig()
model = transformers.PatchTSMixerModel(config)
model.eval()

shape = (batch_size, config.context_length, config.num_input_channels)

model(past_values=torch.rand(shape))
