# labels: test_group::popular_on_huggingface name::falcon_7b author::tiiuae task::text_generation family::falcon modality::text memory::over_24gb
"""https://huggingface.co/tiiuae/falcon-7b

tiiuae/falcon-7b: FalconForCausalLM with its published sizes, and random weights unless asked. Its
weights take 28 GB in float32.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.FalconConfig()
if pretrained:
    model = transformers.FalconForCausalLM.from_pretrained("tiiuae/falcon-7b")
else:
    model = transformers.FalconForCausalLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
