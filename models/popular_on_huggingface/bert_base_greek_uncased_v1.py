# labels: test_group::popular_on_huggingface name::bert_base_greek_uncased_v1 author::nlpaueb task::fill_mask family::bert modality::text
"""https://huggingface.co/nlpaueb/bert-base-greek-uncased-v1

nlpaueb/bert-base-greek-uncased-v1: BertForMaskedLM with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BertConfig(vocab_size=35000)
if pretrained:
    model = transformers.BertForMaskedLM.from_pretrained("nlpaueb/bert-base-greek-uncased-v1")
else:
    model = transformers.BertForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
