# labels: test_group::popular_on_huggingface name::albert_large_v2 author::albert task::fill_mask family::albert modality::text
"""https://huggingface.co/albert/albert-large-v2

albert/albert-large-v2: AlbertForMaskedLM with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.AlbertConfig(
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
)
if pretrained:
    model = transformers.AlbertForMaskedLM.from_pretrained("albert/albert-large-v2")
else:
    model = transformers.AlbertForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
