# labels: test_group::popular_on_huggingface name::llama_3_1_70b author::meta-llama task::text_generation family::llama modality::text memory::over_24gb
"""https://huggingface.co/meta-llama/Llama-3.1-70B

meta-llama/Llama-3.1-70B: LlamaForCausalLM with its published sizes, and random weights unless
asked. Its weights take 282 GB in float32.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.LlamaConfig(
    vocab_size=128256,
    hidden_size=8192,
    num_hidden_layers=80,
    num_attention_heads=64,
    intermediate_size=28672,
    num_key_value_heads=8,
)
if pretrained:
    model = transformers.LlamaForCausalLM.from_pretrained("meta-llama/Llama-3.1-70B")
else:
    model = transformers.LlamaForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
