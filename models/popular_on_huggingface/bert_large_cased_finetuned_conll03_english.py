# labels: test_group::popular_on_huggingface name::bert_large_cased_finetuned_conll03_english author::dbmdz task::token_classification family::bert modality::text
"""https://huggingface.co/dbmdz/bert-large-cased-finetuned-conll03-english

dbmdz/bert-large-cased-finetuned-conll03-english: BertForTokenClassification with its published
sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BertConfig(
    vocab_size=28996,
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
    num_labels=9,
)
if pretrained:
    model = transformers.BertForTokenClassification.from_pretrained(
        "dbmdz/bert-large-cased-finetuned-conll03-english"
    )
else:
    model = transformers.BertForTokenClassification(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
