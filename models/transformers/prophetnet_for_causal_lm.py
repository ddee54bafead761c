# labels: test_group::transformers name::prophetnet_for_causal_lm author::huggingface_pytorch task::text_generation family::prophetnet modality::text
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/prophetnet

ProphetNetForCausalLM with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length = parse(["batch_size", "max_seq_length"])

config = transformers.ProphetNetConfig()
model = transformers.ProphetNetForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
