# labels: test_group::popular_on_huggingface name::bert_base_ner author::dslim task::token_classification family::bert modality::text
"""https://huggingface.co/dslim/bert-base-NER

dslim/bert-base-NER: BertForTokenClassification with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BertConfig(vocab_size=28996, num_labels=9)
if pretrained:
    model = transformers.BertForTokenClassification.from_pretrained("dslim/bert-base-NER")
else:
    model = transformers.BertForTokenClassification(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
