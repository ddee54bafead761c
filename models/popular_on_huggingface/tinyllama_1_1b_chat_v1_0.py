# labels: test_group::popular_on_huggingface name::tinyllama_1_1b_chat_v1_0 author::tinyllama task::text_generation family::llama modality::text
"""https://huggingface.co/TinyLlama/TinyLlama-1.1B-Chat-v1.0

TinyLlama/TinyLlama-1.1B-Chat-v1.0: LlamaForCausalLM with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.LlamaConfig(
    hidden_size=2048,
    num_hidden_layers=22,
    intermediate_size=5632,
    num_key_value_heads=4,
)
if pretrained:
    model = transformers.LlamaForCausalLM.from_pretrained("TinyLlama/TinyLlama-1.1B-Chat-v1.0")
else:
    model = transformers.LlamaForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
