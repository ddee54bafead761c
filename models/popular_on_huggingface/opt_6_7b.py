# labels: test_group::popular_on_huggingface name::opt_6_7b author::facebook task::text_generation family::opt modality::text memory::over_24gb
"""https://huggingface.co/facebook/opt-6.7b

facebook/opt-6.7b: OPTForCausalLM with its published sizes, and random weights unless asked. Its
weights take 27 GB in float32.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.OPTConfig(
    hidden_size=4096,
    num_hidden_layers=32,
    num_attention_heads=32,
    ffn_dim=16384,
    word_embed_proj_dim=4096,
)
if pretrained:
    model = transformers.OPTForCausalLM.from_pretrained("facebook/opt-6.7b")
else:
    model = transformers.OPTForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
