# labels: test_group::popular_on_huggingface name::gpt_j_6b author::eleutherai task::text_generation family::gptj modality::text memory::over_24gb
"""https://huggingface.co/EleutherAI/gpt-j-6b

EleutherAI/gpt-j-6b: GPTJForCausalLM with its published sizes, and random weights unless asked. Its
weights take 24 GB in float32.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.GPTJConfig()
if pretrained:
    model = transformers.GPTJForCausalLM.from_pretrained("EleutherAI/gpt-j-6b")
else:
    model = transformers.GPTJForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
