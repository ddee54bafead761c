# labels: test_group::popular_on_huggingface name::deberta_base author::microsoft task::fill_mask family::deberta modality::text
"""https://huggingface.co/microsoft/deberta-base

microsoft/deberta-base: DebertaForMaskedLM with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.DebertaConfig(
    relative_attention=True,
    position_biased_input=False,
    pos_att_type=["c2p", "p2c"],
)
if pretrained:
    model = transformers.DebertaForMaskedLM.from_pretrained("microsoft/deberta-base")
else:
    model = transformers.DebertaForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
