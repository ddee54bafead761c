# labels: test_group::popular_on_huggingface name::distilbert_base_multilingual_cased_sentiments_student author::lxyuan task::text_classification family::distilbert modality::text
"""https://huggingface.co/lxyuan/distilbert-base-multilingual-cased-sentiments-student

lxyuan/distilbert-base-multilingual-cased-sentiments-student: DistilBertForSequenceClassification
with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.DistilBertConfig(vocab_size=119547, num_labels=3)
if pretrained:
    model = transformers.DistilBertForSequenceClassification.from_pretrained(
        "lxyuan/distilbert-base-multilingual-cased-sentiments-student"
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
