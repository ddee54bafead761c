# labels: test_group::transformers name::patchtst author::huggingface_pytorch task::feature_extraction family::patchtst modality::series
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/patchtst

PatchTSTModel with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.PatchTSTConfig()
model = transformers.PatchTSTModel(config)
model.eval()

shape = (batch_size, config.context_length, config.num_input_channels)

model(past_values=torch.rand(shape))
