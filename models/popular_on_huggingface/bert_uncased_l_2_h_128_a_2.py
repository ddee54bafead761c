# labels: test_group::popular_on_huggingface name::bert_uncased_l_2_h_128_a_2 author::google task::fill_mask family::bert modality::text
"""https://huggingface.co/google/bert_uncased_L-2_H-128_A-2

google/bert_uncased_L-2_H-128_A-2: BertForMaskedLM with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BertConfig(
    hidden_size=128,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=512,
)
if pretrained:
    model = transformers.BertForMaskedLM.from_pretrained("google/bert_uncased_L-2_H-128_A-2")
else:
    model = transformers.BertForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
