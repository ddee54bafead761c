# labels: test_group::popular_on_huggingface name::mixtral_8x7b_v0_1 author::mistralai task::text_generation family::mixtral modality::text memory::over_24gb
"""https://huggingface.co/mistralai/Mixtral-8x7B-v0.1

mistralai/Mixtral-8x7B-v0.1: MixtralForCausalLM with its published sizes, and random weights unless
asked. Its weights take 187 GB in float32.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.MixtralConfig()
if pretrained:
    model = transformers.MixtralForCausalLM.from_pretrained("mistralai/Mixtral-8x7B-v0.1")
else:
    model = transformers.MixtralForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
