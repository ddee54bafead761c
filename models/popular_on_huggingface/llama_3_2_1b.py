# labels: test_group::popular_on_huggingface name::llama_3_2_1b author::meta-llama task::text_generation family::llama modality::text
"""https://huggingface.co/meta-llama/Llama-3.2-1B

meta-llama/Llama-3.2-1B: LlamaForCausalLM with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.LlamaConfig(
    vocab_size=128256,
    hidden_size=2048,
    num_hidden_layers=16,
    intermediate_size=8192,
    num_key_value_heads=8,
    tie_word_embeddings=True,
    head_dim=64,
)
if pretrained:
    model = transformers.LlamaForCausalLM.from_pretrained("meta-llama/Llama-3.2-1B")
else:
    model = transformers.LlamaForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
