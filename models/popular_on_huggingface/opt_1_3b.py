# labels: test_group::popular_on_huggingface name::opt_1_3b author::facebook task::text_generation family::opt modality::text
"""https://huggingface.co/facebook/opt-1.3b

facebook/opt-1.3b: OPTForCausalLM with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.OPTConfig(
    hidden_size=2048,
    num_hidden_layers=24,
    num_attention_heads=32,
    ffn_dim=8192,
    word_embed_proj_dim=2048,
)
if pretrained:
    model = transformers.OPTForCausalLM.from_pretrained("facebook/opt-1.3b")
else:
    model = transformers.OPTForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
