# labels: test_group::transformers name::perceiver_for_masked_lm author::huggingface_pytorch task::fill_mask family::perceiver modality::text
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/perceiver

PerceiverForMaskedLM with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.PerceiverConfig()
model = transformers.PerceiverForMaskedLM(config)
model.eval()

length = config.max_position_embeddings

model(inputs=torch.randint(0, config.vocab_size, (batch_size, length)))
