# labels: test_group::popular_on_huggingface name::modernbert_large author::answerdotai task::fill_mask family::modernbert modality::text
"""https://huggingface.co/answerdotai/ModernBERT-large

answerdotai/ModernBERT-large: ModernBertForMaskedLM with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.ModernBertConfig(
    hidden_size=1024,
    num_hidden_layers=28,
    num_attention_heads=16,
    intermediate_size=2624,
)
if pretrained:
    model = transformers.ModernBertForMaskedLM.from_pretrained("answerdotai/ModernBERT-large")
else:
    model = transformers.ModernBertForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
