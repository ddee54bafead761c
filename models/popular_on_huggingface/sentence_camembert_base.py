# labels: test_group::popular_on_huggingface name::sentence_camembert_base author::dangvantuan task::feature_extraction family::camembert modality::text
"""https://huggingface.co/dangvantuan/sentence-camembert-base

dangvantuan/sentence-camembert-base: CamembertModel with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.CamembertConfig(
    vocab_size=32005,
    max_position_embeddings=514,
    type_vocab_size=1,
    layer_norm_eps=1e-05,
)
if pretrained:
    model = transformers.CamembertModel.from_pretrained("dangvantuan/sentence-camembert-base")
else:
    model = transformers.CamembertModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
