# labels: test_group::popular_on_huggingface name::qwen2_5_7b_instruct author::qwen task::text_generation family::qwen2 modality::text memory::over_24gb
"""https://huggingface.co/Qwen/Qwen2.5-7B-Instruct

Qwen/Qwen2.5-7B-Instruct: Qwen2ForCausalLM with its published sizes, and random weights unless
asked. Its weights take 30 GB in float32.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.Qwen2Config(
    vocab_size=152064,
    hidden_size=3584,
    num_hidden_layers=28,
    num_attention_heads=28,
    intermediate_size=18944,
    num_key_value_heads=4,
)
if pretrained:
    model = transformers.Qwen2ForCausalLM.from_pretrained("Qwen/Qwen2.5-7B-Instruct")
else:
    model = transformers.Qwen2ForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
