# labels: test_group::popular_on_huggingface name::bert_uncased_l_4_h_512_a_8 author::google task::fill_mask family::bert modality::text
"""https://huggingface.co/google/bert_uncased_L-4_H-512_A-8

google/bert_uncased_L-4_H-512_A-8: BertForMaskedLM with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BertConfig(
    hidden_size=512,
    num_hidden_layers=4,
    num_attention_heads=8,
    intermediate_size=2048,
)
if pretrained:
    model = transformers.BertForMaskedLM.from_pretrained("google/bert_uncased_L-4_H-512_A-8")
else:
    model = transformers.BertForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
