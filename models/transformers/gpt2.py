# labels: test_group::transformers name::gpt2 author::huggingface_pytorch task::text_generation
"""https://huggingface.co/docs/transformers/model_doc/gpt2

GPT-2 (small): the decoder with its default configuration (12 layers, 768 wide) and random weights.
"""

import argparse

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length = parse(["batch_size", "max_seq_length"])
sizes = argparse.ArgumentParser(add_help=False)
sizes.add_argument("--num_hidden_layers", type=int, default=12)
sizes.add_argument("--hidden_size", type=int, default=768)
sizes.add_argument("--num_attention_heads", type=int, default=12)
size = sizes.parse_known_args()[0]

config = transformers.GPT2Config(
    n_layer=size.num_hidden_layers, n_embd=size.hidden_size, n_head=size.num_attention_heads
)
model = transformers.GPT2LMHeadModel(config)
model.eval()

inputs = {
    "input_ids": torch.randint(0, config.vocab_size, (batch_size, max_seq_length)),
    "attention_mask": torch.ones(batch_size, max_seq_length, dtype=torch.long),
}

model(**inputs)
