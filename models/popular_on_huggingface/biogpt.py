# labels: test_group::popular_on_huggingface name::biogpt author::microsoft task::text_generation family::biogpt modality::text
"""https://huggingface.co/microsoft/biogpt

microsoft/biogpt: BioGptForCausalLM with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BioGptConfig()
if pretrained:
    model = transformers.BioGptForCausalLM.from_pretrained("microsoft/biogpt")
else:
    model = transformers.BioGptForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
