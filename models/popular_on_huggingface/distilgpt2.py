# labels: test_group::popular_on_huggingface name::distilgpt2 author::distilbert task::text_generation family::gpt2 modality::text
"""https://huggingface.co/distilbert/distilgpt2

distilbert/distilgpt2: GPT2LMHeadModel with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.GPT2Config(n_layer=6)
if pretrained:
    model = transformers.GPT2LMHeadModel.from_pretrained("distilbert/distilgpt2")
else:
    model = transformers.GPT2LMHeadModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
