# labels: test_group::popular_on_huggingface name::mpnet_base author::microsoft task::fill_mask family::mpnet modality::text
"""https://huggingface.co/microsoft/mpnet-base

microsoft/mpnet-base: MPNetForMaskedLM with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.MPNetConfig(max_position_embeddings=514, layer_norm_eps=1e-05)
if pretrained:
    model = transformers.MPNetForMaskedLM.from_pretrained("microsoft/mpnet-base")
else:
    model = transformers.MPNetForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
