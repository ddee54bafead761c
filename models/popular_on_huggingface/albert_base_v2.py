# labels: test_group::popular_on_huggingface name::albert_base_v2 author::albert task::fill_mask family::albert modality::text
"""https://huggingface.co/albert/albert-base-v2

albert/albert-base-v2: AlbertForMaskedLM with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.AlbertConfig(hidden_size=768, num_attention_heads=12, intermediate_size=3072)
if pretrained:
    model = transformers.AlbertForMaskedLM.from_pretrained("albert/albert-base-v2")
else:
    model = transformers.AlbertForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
