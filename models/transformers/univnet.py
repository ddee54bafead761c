# labels: test_group::transformers name::univnet author::huggingface_pytorch task::feature_extraction family::univnet modality::audio
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/univnet

UnivNetModel with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.UnivNetConfig()
model = transformers.UnivNetModel(config)
model.eval()

model(input_features=torch.rand(batch_size, 100, config.num_mel_bins))
