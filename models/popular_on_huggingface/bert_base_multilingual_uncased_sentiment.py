# labels: test_group::popular_on_huggingface name::bert_base_multilingual_uncased_sentiment author::nlptown task::text_classification family::bert modality::text
"""https://huggingface.co/nlptown/bert-base-multilingual-uncased-sentiment

nlptown/bert-base-multilingual-uncased-sentiment: BertForSequenceClassification with its published
sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BertConfig(vocab_size=105879, num_labels=5)
if pretrained:
    model = transformers.BertForSequenceClassification.from_pretrained(
        "nlptown/bert-base-multilingual-uncased-sentiment"
    )
else:
    model = transformers.BertForSequenceClassification(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
