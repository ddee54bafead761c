# labels: test_group::popular_on_huggingface name::mistral_7b_v0_1 author::mistralai task::text_generation family::mistral modality::text memory::over_24gb
"""https://huggingface.co/mistralai/Mistral-7B-v0.1

mistralai/Mistral-7B-v0.1: MistralForCausalLM with its published sizes, and random weights unless
asked. Its weights take 29 GB in float32.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.MistralConfig()
if pretrained:
    model = transformers.MistralForCausalLM.from_pretrained("mistralai/Mistral-7B-v0.1")
else:
    model = transformers.MistralForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
