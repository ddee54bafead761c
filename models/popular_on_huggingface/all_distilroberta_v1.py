# labels: test_group::popular_on_huggingface name::all_distilroberta_v1 author::sentence-transformers task::feature_extraction family::roberta modality::text
"""https://huggingface.co/sentence-transformers/all-distilroberta-v1

sentence-transformers/all-distilroberta-v1: RobertaModel with its published sizes, and random
weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.RobertaConfig(
    max_position_embeddings=514,
    type_vocab_size=1,
    layer_norm_eps=1e-05,
    num_hidden_layers=6,
)
if pretrained:
    model = transformers.RobertaModel.from_pretrained("sentence-transformers/all-distilroberta-v1")
else:
    model = transformers.RobertaModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
