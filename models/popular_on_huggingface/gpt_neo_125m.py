# labels: test_group::popular_on_huggingface name::gpt_neo_125m author::eleutherai task::text_generation family::gptneo modality::text
"""https://huggingface.co/EleutherAI/gpt-neo-125m

EleutherAI/gpt-neo-125m: GPTNeoForCausalLM with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.GPTNeoConfig(
    hidden_size=768,
    num_layers=12,
    num_heads=12,
    attention_types=[[["global", "local"], 6]],
)
if pretrained:
    model = transformers.GPTNeoForCausalLM.from_pretrained("EleutherAI/gpt-neo-125m")
else:
    model = transformers.GPTNeoForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
