# labels: test_group::popular_on_huggingface name::falcon_rw_1b author::tiiuae task::text_generation family::falcon modality::text
"""https://huggingface.co/tiiuae/falcon-rw-1b

tiiuae/falcon-rw-1b: FalconForCausalLM with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.FalconConfig(
    vocab_size=50304,
    hidden_size=2048,
    num_hidden_layers=24,
    num_attention_heads=32,
    alibi=True,
    multi_query=False,
    parallel_attn=False,
    bias=True,
)
if pretrained:
    model = transformers.FalconForCausalLM.from_pretrained("tiiuae/falcon-rw-1b")
else:
    model = transformers.FalconForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
