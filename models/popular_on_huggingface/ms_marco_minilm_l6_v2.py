# labels: test_group::popular_on_huggingface name::ms_marco_minilm_l6_v2 author::cross-encoder task::text_classification family::bert modality::text
"""https://huggingface.co/cross-encoder/ms-marco-MiniLM-L6-v2

cross-encoder/ms-marco-MiniLM-L6-v2: BertForSequenceClassification with its published sizes, and
random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BertConfig(
    hidden_size=384,
    num_hidden_layers=6,
    intermediate_size=1536,
    num_labels=1,
)
if pretrained:
    model = transformers.BertForSequenceClassification.from_pretrained(
        "cross-encoder/ms-marco-MiniLM-L6-v2"
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
