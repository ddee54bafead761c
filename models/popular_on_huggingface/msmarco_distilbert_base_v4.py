# labels: test_group::popular_on_huggingface name::msmarco_distilbert_base_v4 author::sentence-transformers task::feature_extraction family::distilbert modality::text
"""https://huggingface.co/sentence-transformers/msmarco-distilbert-base-v4

sentence-transformers/msmarco-distilbert-base-v4: DistilBertModel with its published sizes, and
random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.DistilBertConfig()
if pretrained:
    model = transformers.DistilBertModel.from_pretrained(
        "sentence-transformers/msmarco-distilbert-base-v4"
    )
else:
    model = transformers.DistilBertModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
