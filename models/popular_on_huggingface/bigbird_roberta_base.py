# labels: test_group::popular_on_huggingface name::bigbird_roberta_base author::google task::fill_mask family::bigbird modality::text
"""https://huggingface.co/google/bigbird-roberta-base

google/bigbird-roberta-base: BigBirdForMaskedLM with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BigBirdConfig()
if pretrained:
    model = transformers.BigBirdForMaskedLM.from_pretrained("google/bigbird-roberta-base")
else:
    model = transformers.BigBirdForMaskedLM(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
