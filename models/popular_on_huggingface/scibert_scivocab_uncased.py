# labels: test_group::popular_on_huggingface name::scibert_scivocab_uncased author::allenai task::fill_mask family::bert modality::text
"""https://huggingface.co/allenai/scibert_scivocab_uncased

allenai/scibert_scivocab_uncased: BertForMaskedLM with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BertConfig(vocab_size=31090)
if pretrained:
    model = transformers.BertForMaskedLM.from_pretrained("allenai/scibert_scivocab_uncased")
else:
    model = transformers.BertForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
