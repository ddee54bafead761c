# labels: test_group::popular_on_huggingface name::dialogpt_medium author::microsoft task::text_generation family::gpt2 modality::text
"""https://huggingface.co/microsoft/DialoGPT-medium

microsoft/DialoGPT-medium: GPT2LMHeadModel with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.GPT2Config(n_embd=1024, n_layer=24, n_head=16)
if pretrained:
    model = transformers.GPT2LMHeadModel.from_pretrained("microsoft/DialoGPT-medium")
else:
    model = transformers.GPT2LMHeadModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
