# labels: test_group::popular_on_huggingface name::cerebras_gpt_590m author::cerebras task::text_generation family::gpt2 modality::text
"""https://huggingface.co/cerebras/Cerebras-GPT-590M

cerebras/Cerebras-GPT-590M: GPT2LMHeadModel with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.GPT2Config(n_embd=1536, n_layer=18)
if pretrained:
    model = transformers.GPT2LMHeadModel.from_pretrained("cerebras/Cerebras-GPT-590M")
else:
    model = transformers.GPT2LMHeadModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
