# labels: test_group::popular_on_huggingface name::qwen3_8b author::qwen task::text_generation family::qwen3 modality::text memory::over_24gb
"""https://huggingface.co/Qwen/Qwen3-8B

Qwen/Qwen3-8B: Qwen3ForCausalLM with its published sizes, and random weights unless asked. Its
weights take 33 GB in float32.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.Qwen3Config(
    num_hidden_layers=36,
    intermediate_size=12288,
    num_key_value_heads=8,
)
if pretrained:
    model = transformers.Qwen3ForCausalLM.from_pretrained("Qwen/Qwen3-8B")
else:
    model = transformers.Qwen3ForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
