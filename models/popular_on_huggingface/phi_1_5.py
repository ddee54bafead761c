# labels: test_group::popular_on_huggingface name::phi_1_5 author::microsoft task::text_generation family::phi modality::text
"""https://huggingface.co/microsoft/phi-1_5

microsoft/phi-1_5: PhiForCausalLM with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.PhiConfig()
if pretrained:
    model = transformers.PhiForCausalLM.from_pretrained("microsoft/phi-1_5")
else:
    model = transformers.PhiForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
