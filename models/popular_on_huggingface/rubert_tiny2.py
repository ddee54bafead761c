# labels: test_group::popular_on_huggingface name::rubert_tiny2 author::cointegrated task::feature_extraction family::bert modality::text
"""https://huggingface.co/cointegrated/rubert-tiny2

cointegrated/rubert-tiny2: BertModel with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BertConfig(
    vocab_size=83828,
    hidden_size=312,
    num_hidden_layers=3,
    intermediate_size=600,
    max_position_embeddings=2048,
)
if pretrained:
    model = transformers.BertModel.from_pretrained("cointegrated/rubert-tiny2")
else:
    model = transformers.BertModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
