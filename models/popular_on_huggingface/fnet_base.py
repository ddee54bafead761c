# labels: test_group::popular_on_huggingface name::fnet_base author::google task::fill_mask family::fnet modality::text
"""https://huggingface.co/google/fnet-base

google/fnet-base: FNetForMaskedLM with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.FNetConfig()
if pretrained:
    model = transformers.FNetForMaskedLM.from_pretrained("google/fnet-base")
else:
    model = transformers.FNetForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
}

model(**inputs)
