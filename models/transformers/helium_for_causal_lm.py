# labels: test_group::transformers name::helium_for_causal_lm author::huggingface_pytorch task::text_generation family::helium modality::text config::reduced
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/helium

HeliumForCausalLM with random weights and the default configuration of its library, but 2 of its 24
layers, so that it fits a small machine.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length = parse(["batch_size", "max_seq_length"])

config = transformers.HeliumConfig(num_hidden_layers=2)
model = transformers.HeliumForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
