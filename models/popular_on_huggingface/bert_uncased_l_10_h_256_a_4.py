# labels: test_group::popular_on_huggingface name::bert_uncased_l_10_h_256_a_4 author::google task::fill_mask family::bert modality::text
"""https://huggingface.co/google/bert_uncased_L-10_H-256_A-4

google/bert_uncased_L-10_H-256_A-4: BertForMaskedLM with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BertConfig(
    hidden_size=256,
    num_hidden_layers=10,
    num_attention_heads=4,
    intermediate_size=1024,
)
if pretrained:
    model = transformers.BertForMaskedLM.from_pretrained("google/bert_uncased_L-10_H-256_A-4")
else:
    model = transformers.BertForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
