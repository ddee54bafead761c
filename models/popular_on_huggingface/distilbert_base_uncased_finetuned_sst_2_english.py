# labels: test_group::popular_on_huggingface name::distilbert_base_uncased_finetuned_sst_2_english author::distilbert task::text_classification family::distilbert modality::text
"""https://huggingface.co/distilbert/distilbert-base-uncased-finetuned-sst-2-english

distilbert/distilbert-base-uncased-finetuned-sst-2-english: DistilBertForSequenceClassification with
its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.DistilBertConfig(num_labels=2)
if pretrained:
    model = transformers.DistilBertForSequenceClassification.from_pretrained(
        "distilbert/distilbert-base-uncased-finetuned-sst-2-english"
    )
else:
    model = transformers.DistilBertForSequenceClassification(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
