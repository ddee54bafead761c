# labels: test_group::popular_on_huggingface name::qwen3_embedding_0_6b author::qwen task::feature_extraction family::qwen3 modality::text
"""https://huggingface.co/Qwen/Qwen3-Embedding-0.6B

Qwen/Qwen3-Embedding-0.6B: Qwen3Model with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.Qwen3Config(
    vocab_size=151669,
    hidden_size=1024,
    num_hidden_layers=28,
    num_attention_heads=16,
    intermediate_size=3072,
    num_key_value_heads=8,
)
if pretrained:
    model = transformers.Qwen3Model.from_pretrained("Qwen/Qwen3-Embedding-0.6B")
else:
    model = transformers.Qwen3Model(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
