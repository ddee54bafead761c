# labels: test_group::popular_on_huggingface name::camembert_base author::almanach task::fill_mask family::camembert modality::text
"""https://huggingface.co/almanach/camembert-base

almanach/camembert-base: CamembertForMaskedLM with its published sizes, and random weights unless
asked.
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
    model = transformers.CamembertForMaskedLM.from_pretrained("almanach/camembert-base")
else:
    model = transformers.CamembertForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
